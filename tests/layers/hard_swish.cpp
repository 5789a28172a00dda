#include <wajah/layers/hard_swish.hpp>

#include <algorithm>

#include "compare.hpp"
#include "random_shapes.hpp"

namespace wajah {

// The definition, in the plainest loops: what every device must agree with.
void hard_swish(const Reference&, const HardSwishArgs& args) {
  reference::each_pixel(args.x.shape, [&](int n, int y, int x) {
    for (int c = 0; c < args.x.shape.c; ++c) {
      const double v = args.x.pixel(n, y, x)[c];
      args.y.pixel(n, y, x)[c] = static_cast<float>(v * std::clamp(v + 3, 0.0, 6.0) / 6);
    }
  });
}

namespace {

TEST_CASE("hard_swish: every instruction set against the definition") {
  for (const int c : beside_vectors) {
    for (const Gaps gaps : every_gap) {
      compare<HardSwish>("HardSwish", {}, {2, 3, 2, c}, {1e-6, 1e-6}, gaps, 5);
    }
  }
}

TEST_CASE("hard_swish: random shapes") {
  Draw draw(1);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Shape shape{draw.up_to(3), draw.up_to(9), draw.up_to(9), draw.up_to(150)};
    compare_on_map<float, float>(
        "hard_swish", draw, shape, shape, {1e-6, 1e-6},
        [&](const auto& device, auto x, auto y) {
          hard_swish(device, HardSwishArgs{x, y});
        },
        5);
  }
}

}  // namespace
}  // namespace wajah
