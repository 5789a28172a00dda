// Non-maximum suppression as detect_face.py does it.
#pragma once

#include <wajah/detect/box.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace wajah {

enum class Overlap { of_union, of_smaller };  // intersection over the union, or over the smaller of the two boxes

struct ScoredBox {
  Box box;
  float score = 0;
};

// Indices of the boxes kept, best first: a box goes when its overlap with a better one that was kept exceeds
// `threshold`. Boxes are of whole pixels, x2 - x1 + 1 wide, and finite. Equal scores stand in the order in which
// numpy's argsort, read from its end, leaves them.
[[nodiscard]] std::vector<std::uint32_t> suppress(std::span<const ScoredBox> boxes, double threshold, Overlap overlap);

}  // namespace wajah
