#include <wajah/embed/prewhiten.hpp>
#include <wajah/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>

namespace wajah {

namespace {

// What each byte becomes: there are only 256 of them.
class Whitening {
 public:
  // Over everything, in whole numbers, whose sums are exact in any order.
  explicit Whitening(std::span<const std::uint8_t> bytes) {
    std::uint64_t sum = 0, squares = 0;
    const Counts counts = count(bytes);
    for (std::uint64_t byte = 0; byte < counts.size(); ++byte) {
      sum += counts[byte] * byte;
      squares += counts[byte] * byte * byte;
    }
    const auto number = static_cast<long double>(bytes.size()), total = static_cast<long double>(sum);
    const auto variance =
        static_cast<double>((number * static_cast<long double>(squares) - total * total) / (number * number));
    const auto n = static_cast<double>(bytes.size()), mean = static_cast<double>(total / number);
    const double factor = 1.0 / std::max(std::sqrt(variance), 1.0 / std::sqrt(n));
    for (std::size_t byte = 0; byte < floats_.size(); ++byte) {
      floats_[byte] = static_cast<float>((static_cast<double>(byte) - mean) * factor);
    }
  }

  [[nodiscard]] float operator()(std::uint8_t byte) const { return floats_[byte]; }

 private:
  using Counts = std::array<std::uint64_t, 256>;

  // Four at a time, because equal neighbours would wait for one another's count.
  static Counts count(std::span<const std::uint8_t> bytes) {
    constexpr std::size_t ways = 4;
    std::array<Counts, ways> all{};
    std::size_t i = 0;
    for (; i + ways <= bytes.size(); i += ways) {
      for (std::size_t way = 0; way < ways; ++way) ++all[way][bytes[i + way]];
    }
    for (; i < bytes.size(); ++i) ++all[0][bytes[i]];
    for (std::size_t byte = 0; byte < all[0].size(); ++byte) all[0][byte] += all[1][byte] + all[2][byte] + all[3][byte];
    return all[0];
  }

  std::array<float, 256> floats_;
};

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
  const Whitening whitening(crop.pixels);
  for (int row = 0; row < y.shape.h; ++row) {
    std::transform(centre_of(crop, y, row), centre_of(crop, y, row) + y.shape.w * 3, y.pixel(0, row, 0),
                   std::cref(whitening));
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
    const Whitening whitening({first, size});
    std::transform(first, first + size, y.images(i, 1).data, std::cref(whitening));
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
