// Which pixels one pixel of a smaller or larger picture sums, and how much each counts: the CPU's tables of taps
// (src/detect/resize.cpp) worked out by the thread that needs them. The order of operations, and that none are fused,
// is the CPU's.
#pragma once

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

// A side of a picture and what it becomes.
struct Side {
  int from, to;
  double inverse, scale;
  bool whole;  // scale is a whole number
};

// The pixels that one output sums: the first, those between and the last have their own weights.
struct Taps1d {
  int first, count;
  float before, middle, after;
  bool has_before, has_after;

  __device__ __forceinline__ float weight(int k) const {
    if (has_before && k == 0) return before;
    return has_after && k == count - 1 ? after : middle;
  }
};

__device__ __forceinline__ Side side_of(int from, int to) {
  const double inverse = static_cast<double>(to) / from, scale = 1.0 / inverse;
  constexpr double negligible = 2.220446049250313e-16;
  return {from, to, inverse, scale, fabs(__dadd_rn(scale, -rint(scale))) < negligible};
}

__device__ __forceinline__ Taps1d areas(const Side& side, int i) {
  constexpr double negligible = 1e-3;
  const double begin = __dmul_rn(i, side.scale), end = __dadd_rn(begin, side.scale);
  const double cell = fmin(side.scale, __dadd_rn(side.from, -begin));
  const int last = min(static_cast<int>(floor(end)), side.from - 1);
  const int first = min(static_cast<int>(ceil(begin)), last);
  const double before = __dadd_rn(first, -begin), after = __dadd_rn(end, -last);
  Taps1d taps{};
  taps.has_before = before > negligible;
  taps.has_after = after > negligible;
  taps.first = taps.has_before ? first - 1 : first;
  taps.count = last - first + (taps.has_before ? 1 : 0) + (taps.has_after ? 1 : 0);
  taps.before = static_cast<float>(before / cell);
  taps.middle = static_cast<float>(1.0 / cell);
  taps.after = static_cast<float>(fmin(fmin(after, 1.0), cell) / cell);
  return taps;
}

__device__ __forceinline__ Taps1d whole_areas(const Side& side, int i) {
  const int size = static_cast<int>(rint(side.scale));
  return {i * size, size, 1, 1, 1, false, false};
}

__device__ __forceinline__ Taps1d between(const Side& side, int i) {
  const int first = static_cast<int>(floor(__dmul_rn(i, side.scale)));
  auto fraction = static_cast<float>(__dadd_rn(i + 1, -__dmul_rn(first + 1, side.inverse)));
  fraction = fraction <= 0 ? 0.0F : fraction - floorf(fraction);
  if (first >= side.from - 1) return {side.from - 1, 1, 1, 1, 1, false, false};
  return {first, 2, __fadd_rn(1.0F, -fraction), 0, fraction, true, true};
}

// How both sides go: enlarging goes between neighbours even if only one side grows, and areas are whole only if both
// are.
struct Resizing {
  Side across, down;
  bool grows, whole;

  __device__ __forceinline__ Resizing(int from_width, int from_height, int to_width, int to_height)
      : across(side_of(from_width, to_width)),
        down(side_of(from_height, to_height)),
        grows(across.scale < 1 || down.scale < 1),
        whole(across.whole && down.whole) {}

  __device__ __forceinline__ Taps1d taps(const Side& side, int i) const {
    return grows ? between(side, i) : whole ? whole_areas(side, i) : areas(side, i);
  }
  // By which a sum of columns and rows is multiplied.
  __device__ __forceinline__ float scale() const {
    const double area = !grows && whole ? rint(across.scale) * rint(down.scale) : 1.0;
    return 1.0F / static_cast<float>(area);
  }
  // Whether a scaled sum that becomes a byte is rounded up when it lies in the middle, instead of to the even one.
  __device__ __forceinline__ bool half_up() const {
    return !grows && whole && rint(across.scale) == 2 && rint(down.scale) == 2;
  }
};

}  // namespace wajah::WAJAH_KERNEL_ISA
