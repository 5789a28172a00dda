#include <wajah/layers/hard_swish.hpp>

#include "compare.hpp"

namespace wajah {
namespace {

TEST_CASE("hard_swish: every instruction set against the definition") {
  for (const int c : beside_vectors) {
    for (const Gaps gaps : every_gap) {
      compare<HardSwish>("HardSwish", {}, {2, 3, 2, c}, {1e-6, 1e-6}, gaps, 5);
    }
  }
}

}  // namespace
}  // namespace wajah
