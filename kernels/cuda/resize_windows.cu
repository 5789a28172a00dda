// resize_windows: levels of the pyramid, and crops for R- and O-Net, from a picture that lies on the card.
// Step 1: the CPU's tables of taps are uploaded for every window: more bytes than the pixels of a small crop.
// Step 2: every thread works out the taps of its own pixel, some thirty operations in double, so that only windows go
// up. Sums of columns that neighbouring rows share are made anew: a picture stays in the second-level cache, and what
// is read for one level is little more than the picture. The order of operations, and that none are fused, is the CPU's
// (src/detect/resize.cpp, kernels/cpu/resample.cpp).
#include <wajah/cuda_kernels.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

// A side of a window and what it becomes.
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

// Those of the taps that lie inside of a picture, in which the window begins at `shift`.
struct Inside {
  int begin, end;
};
__device__ __forceinline__ Inside inside_of(const Taps1d& taps, int shift, int size) {
  return {max(0, -(taps.first + shift)), min(taps.count, size - taps.first - shift)};
}

__device__ __forceinline__ CropWindow window_of(const ResizeWindowsArgs& args, int n) {
  if (args.windows == nullptr) return {0, 0, args.x.shape.w, args.x.shape.h};
  return args.windows[args.first == nullptr ? n : min(*args.first + n, *args.count - 1)];
}

__global__ void __launch_bounds__(threads) resize_windows_kernel(ResizeWindowsArgs args) {
  wait_for_earlier();
  const int i = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x),
            n = static_cast<int>(blockIdx.y);
  if (i >= args.y.shape.h * args.y.shape.w) return;
  const int row = i / args.y.shape.w, column = i % args.y.shape.w;
  const Shape& photo = args.x.shape;
  const CropWindow window = window_of(args, n);
  const Side across = side_of(window.width, args.y.shape.w), down = side_of(window.height, args.height);
  const bool grows = across.scale < 1 || down.scale < 1, whole = across.whole && down.whole;
  const auto taps_of = [&](const Side& side, int at) {
    return grows ? between(side, at) : whole ? whole_areas(side, at) : areas(side, at);
  };
  const Taps1d columns = taps_of(across, column), rows = taps_of(down, row + args.first_row);
  const Inside x = inside_of(columns, window.x, photo.w), y = inside_of(rows, window.y, photo.h);
  float total[3] = {0, 0, 0};
  for (int r = y.begin; r < y.end; ++r) {
    const uint8_t* const pixels = args.x.pixel(0, window.y + rows.first + r, 0);
    float sum[3] = {0, 0, 0};
    for (int k = x.begin; k < x.end; ++k) {
      const uint8_t* const pixel = pixels + 3 * (window.x + columns.first + k);
      const float weight = columns.weight(k);
#pragma unroll
      for (int c = 0; c < 3; ++c) sum[c] = __fadd_rn(sum[c], __fmul_rn(weight, static_cast<float>(pixel[c])));
    }
    const float weight = rows.weight(r);
#pragma unroll
    for (int c = 0; c < 3; ++c) total[c] = __fadd_rn(total[c], __fmul_rn(sum[c], weight));
  }
  const double area = !grows && whole ? rint(across.scale) * rint(down.scale) : 1.0;
  const float scale = 1.0F / static_cast<float>(area);
  const bool half_up = !grows && whole && rint(across.scale) == 2 && rint(down.scale) == 2;
#pragma unroll
  for (int c = 0; c < 3; ++c) {
    float value = __fmul_rn(total[c], scale);
    if (args.to_bytes) value = half_up ? truncf(__fadd_rn(value, 0.5F)) : rintf(value);
    args.y.pixel(n, row, column)[c] = (value - 127.5F) * 0.0078125F;
  }
}

}  // namespace

void resize_windows(const ResizeWindowsArgs& args, const Launch& on) {
  const Shape& shape = args.y.shape;
  launch("resize_windows", resize_windows_kernel,
         dim3{blocks_of(static_cast<long long>(shape.h) * shape.w, threads), static_cast<unsigned>(shape.n)},
         dim3{threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
