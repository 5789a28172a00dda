// How far two boxes of whole pixels, x2 - x1 + 1 wide, cover each other.
#pragma once

#include <wajah/detect/nms.hpp>

#include <algorithm>

namespace wajah {

inline double area_of(const Box& box) { return (box.width() + 1) * (box.height() + 1); }

inline double common_area(const Box& a, const Box& b) {
  const double width = std::max(0.0, std::min(a.x2, b.x2) - std::max(a.x1, b.x1) + 1);
  const double height = std::max(0.0, std::min(a.y2, b.y2) - std::max(a.y1, b.y1) + 1);
  return width * height;
}

inline double overlap_of(const Box& a, const Box& b, Overlap kind) {
  const double common = common_area(a, b);
  return common / (kind == Overlap::of_smaller ? std::min(area_of(a), area_of(b)) : area_of(a) + area_of(b) - common);
}

}  // namespace wajah
