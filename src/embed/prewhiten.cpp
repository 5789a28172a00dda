#include <wajah/embed/prewhiten.hpp>
#include <wajah/error.hpp>

#include <algorithm>
#include <cmath>
#include <span>

namespace wajah {

namespace {

struct Scaling {
  double mean, factor;

  [[nodiscard]] float operator()(std::uint8_t byte) const { return static_cast<float>((byte - mean) * factor); }
};

// Statistics over everything, in double and two passes, as numpy computes them.
Scaling whitening(std::span<const std::uint8_t> bytes) {
  const auto count = static_cast<double>(bytes.size());
  double sum = 0, squares = 0;
  for (const std::uint8_t byte : bytes) sum += byte;
  const double mean = sum / count;
  for (const std::uint8_t byte : bytes) squares += (byte - mean) * (byte - mean);
  return {mean, 1.0 / std::max(std::sqrt(squares / count), 1.0 / std::sqrt(count))};
}

// The upper left corner of y's place in the middle of the crop.
const std::uint8_t* centre_of(const Image& crop, View<float> y, int row) {
  return crop.row((crop.height - y.shape.h) / 2 + row) + (crop.width - y.shape.w) / 2 * 3;
}

void require_fit(const Image& crop, View<float> y) {
  if (y.shape.n != 1 || y.shape.c != 3 || y.shape.h > crop.height || y.shape.w > crop.width) {
    fail(ErrorKind::input, "a crop of {} x {} pixels cannot fill an input of {}x{}x{}x{}", crop.width, crop.height,
         y.shape.n, y.shape.h, y.shape.w, y.shape.c);
  }
}

}  // namespace

void prewhiten(const Image& crop, View<float> y) {
  require_fit(crop, y);
  const Scaling scaling = whitening(crop.pixels);
  for (int row = 0; row < y.shape.h; ++row) {
    std::transform(centre_of(crop, y, row), centre_of(crop, y, row) + y.shape.w * 3, y.pixel(0, row, 0), scaling);
  }
}

void prewhiten(ConstView<std::uint8_t> x, View<float> y) {
  if (x.shape != y.shape) {
    fail(ErrorKind::input, "{} crops of {}x{} and an input of {}x{}x{} do not fit", x.shape.n, x.shape.h, x.shape.w,
         y.shape.n, y.shape.h, y.shape.w);
  }
  const std::size_t size = x.shape.images(1).size();
  for (int i = 0; i < x.shape.n; ++i) {
    const std::uint8_t* first = x.images(i, 1).data;
    std::transform(first, first + size, y.images(i, 1).data, whitening({first, size}));
  }
}

void standardise(const Image& crop, const ChannelStatistics& statistics, View<float> y) {
  require_fit(crop, y);
  for (int row = 0; row < y.shape.h; ++row) {
    const std::uint8_t* from = centre_of(crop, y, row);
    float* to = y.pixel(0, row, 0);
    for (int i = 0; i < y.shape.w * 3; ++i) {
      const auto c = static_cast<std::size_t>(i % 3);
      to[i] = (static_cast<float>(from[i]) / 255.0F - statistics.mean[c]) / statistics.deviation[c];
    }
  }
}

}  // namespace wajah
