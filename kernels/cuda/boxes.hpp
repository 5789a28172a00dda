// What the cascade does with one box, in double and rounded operation by operation as on the CPU
// (src/detect/cascade.cpp, judges.cpp).
#pragma once

#include <wajah/detect/card_boxes.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

__device__ __forceinline__ double moved(double at, float by, double side) {
  return __dadd_rn(at, __dmul_rn(static_cast<double>(by), side));
}

__device__ __forceinline__ ScoredCardBox regress(const ScoredCardBox& box, const float* by, int extra) {
  const double width = box.x2 - box.x1 + extra, height = box.y2 - box.y1 + extra;
  return {moved(box.x1, by[0], width), moved(box.y1, by[1], height), moved(box.x2, by[2], width),
          moved(box.y2, by[3], height), box.score};
}

__device__ __forceinline__ ScoredCardBox whole_square(const ScoredCardBox& box) {
  const double width = box.x2 - box.x1, height = box.y2 - box.y1, side = width < height ? height : width;
  const auto corner = [&](double at, double length) {
    return __dadd_rn(__dadd_rn(at, __dmul_rn(length, 0.5)), -__dmul_rn(side, 0.5));
  };
  const double x1 = corner(box.x1, width), y1 = corner(box.y1, height);
  return {trunc(x1), trunc(y1), trunc(__dadd_rn(x1, side)), trunc(__dadd_rn(y1, side)), box.score};
}

__device__ __forceinline__ bool lies_within(double at, double farthest) { return fabs(at) <= farthest; }

// Whether a crop can be made of it.
__device__ __forceinline__ bool has_pixels(const ScoredCardBox& box) {
  constexpr double farthest = 1 << 20;
  return lies_within(box.x1, farthest) && lies_within(box.y1, farthest) && lies_within(box.x2, farthest) &&
         lies_within(box.y2, farthest) && box.x2 >= box.x1 && box.y2 >= box.y1;
}

__device__ __forceinline__ bool is_finite(const ScoredCardBox& box) {
  constexpr double largest = 1.7976931348623157e308;
  return lies_within(box.x1, largest) && lies_within(box.y1, largest) && lies_within(box.x2, largest) &&
         lies_within(box.y2, largest);
}

__device__ __forceinline__ CropWindow window_of(const ScoredCardBox& box) {
  return {static_cast<int>(box.x1) - 1, static_cast<int>(box.y1) - 1, static_cast<int>(box.x2 - box.x1) + 1,
          static_cast<int>(box.y2 - box.y1) + 1};
}

}  // namespace wajah::WAJAH_KERNEL_ISA
