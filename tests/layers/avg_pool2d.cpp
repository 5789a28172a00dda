#include <wajah/layers/avg_pool2d.hpp>

#include "compare.hpp"
#include "random_shapes.hpp"

namespace wajah {
namespace {

TEST_CASE("global_avg_pool: channels on and beside the vector width") {
  for (const int c : beside_vectors) {
    for (const Gaps gaps : every_gap) {
      compare<GlobalAvgPool>("GlobalAvgPool", {}, {3, 3, 3, c}, {1e-6, 1e-6}, gaps);
      compare<GlobalAvgPool>("GlobalAvgPool", {}, {1, 1, 17, c}, {1e-6, 1e-6}, gaps);
    }
  }
  static_assert(GlobalAvgPool::out({2, 3, 3, 1792}) == Shape{2, 1, 1, 1792});
}

TEST_CASE("global_avg_pool: random shapes") {
  Draw draw(1);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Shape shape{draw.up_to(4), draw.up_to(12), draw.up_to(12), draw.up_to(300)};
    compare_on_map<float, float>("global_avg_pool", draw, shape, {shape.n, 1, 1, shape.c}, {1e-6, 1e-6},
                                 [&](const auto& device, auto x, auto y) {
                                   global_avg_pool(device, GlobalAvgPoolArgs{x, y});
                                 });
  }
}

}  // namespace
}  // namespace wajah
