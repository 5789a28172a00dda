#include <wajah/detect/pyramid.hpp>
#include <wajah/detect/scan_pnet.hpp>
#include <wajah/error.hpp>

#include <algorithm>
#include <cmath>

namespace wajah {

std::vector<LevelStrip> strips_of(const Level& level, int pixels) {
  const int rows = pnet_outputs(level.height);
  const int rows_at_once = std::max((pixels / level.width - pnet_window) / pnet_stride + 1, 1);
  const int count = (rows + rows_at_once - 1) / rows_at_once;
  std::vector<LevelStrip> strips;
  for (int i = 0; i < count; ++i) {
    const Part strip{i, count};
    const int begin = static_cast<int>(strip.begin(rows)), end = static_cast<int>(strip.end(rows));
    const int bottom = i + 1 == count ? level.height : (end - 1) * pnet_stride + pnet_window;
    strips.push_back({begin * pnet_stride, bottom, begin});
  }
  return strips;
}

std::vector<Level> pyramid_levels(int width, int height, double min_size, double factor, std::int64_t max_pixels) {
  constexpr double window = 12;
  const double first = window / min_size;
  if (std::ceil(width * first) * std::ceil(height * first) > static_cast<double>(max_pixels)) {
    fail(ErrorKind::input,
         "min size {} would enlarge the {} x {} picture {:.3g} times, beyond {} megapixels; use a larger one", min_size,
         width, height, first, max_pixels / 1'000'000);
  }
  std::vector<Level> levels;
  // The original multiplies the smaller side down but takes each scale as a power, so the two round differently.
  for (double side = std::min(width, height) * first; side >= window; side *= factor) {
    const double scale = first * std::pow(factor, static_cast<double>(levels.size()));
    levels.push_back({scale, static_cast<int>(std::ceil(width * scale)), static_cast<int>(std::ceil(height * scale))});
  }
  return levels;
}

}  // namespace wajah
