#include <wajah/layers/avg_pool2d.hpp>

#include "compare.hpp"

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

}  // namespace
}  // namespace wajah
