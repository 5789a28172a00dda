// resize_windows: crops for R- and O-Net from a picture that lies on the card.
// Step 1: the CPU's tables of taps are uploaded for every window: more bytes than the pixels of a small crop.
// Step 2: every thread works out the taps of its own pixel, some thirty operations in double, so that only windows go
// up (areas.hpp). Sums of columns that neighbouring rows share are made anew: a crop's pixels stay in the first-level
// cache. The order of operations is that of kernels/cpu/resample.cpp.
#include <wajah/cuda_kernels.hpp>

#include "areas.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

// Those of the taps that lie inside of a picture, in which the window begins at `shift`.
struct Inside {
  int begin, end;
};
__device__ __forceinline__ Inside inside_of(const Taps1d& taps, int shift, int size) {
  return {max(0, -(taps.first + shift)), min(taps.count, size - taps.first - shift)};
}

__device__ __forceinline__ CropWindow window_of(const ResizeWindowsArgs& args, int n) {
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
  const Resizing how(window.width, window.height, args.y.shape.w, args.y.shape.h);
  const Taps1d columns = how.taps(how.across, column), rows = how.taps(how.down, row);
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
  const float scale = how.scale();
#pragma unroll
  for (int c = 0; c < 3; ++c) args.y.pixel(n, row, column)[c] = (__fmul_rn(total[c], scale) - 127.5F) * 0.0078125F;
}

}  // namespace

void resize_windows(const ResizeWindowsArgs& args, const Launch& on) {
  const Shape& shape = args.y.shape;
  launch("resize_windows", resize_windows_kernel,
         dim3{blocks_of(static_cast<long long>(shape.h) * shape.w, threads), static_cast<unsigned>(shape.n)},
         dim3{threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
