// numpy's argsort, with its order of equal values; private to the library.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace wajah {

// Indices that sort `values` upwards, in the order numpy 2's default argsort of doubles gives on a CPU with AVX-512.
// Equal values come neither first to last nor last to first: probabilities near 1 collide often in float, and which of
// two equal boxes of a face survives decides where its box lies, by a few pixels. Values must be numbers.
[[nodiscard]] std::vector<std::uint32_t> numpy_order(std::span<const float> values);

}  // namespace wajah
