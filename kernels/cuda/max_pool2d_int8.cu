// max_pool2d_int8: the largest byte of each window, channel by channel. Bound by memory.
// Step 1: a thread an output byte, neighbouring threads neighbouring channels; overlapping windows come from the cache.
#include <wajah/layers/max_pool2d_int8.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads)
    max_pool2d_int8_kernel(MaxPool2dInt8Args args, int before_y, int before_x, int count) {
  wait_for_earlier();
  const int i = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (i >= count) return;
  const Shape& x = args.x.shape;
  const Shape& y = args.y.shape;
  const int pixel = i / y.c, c = i % y.c;
  const int top = pixel / y.w % y.h * args.window.stride - before_y, left = pixel % y.w * args.window.stride - before_x;
  int largest = 0;
  for (int v = max(top, 0); v < min(top + args.window.h, x.h); ++v) {
    for (int u = max(left, 0); u < min(left + args.window.w, x.w); ++u) {
      largest = max(largest, static_cast<int>(args.x.pixel(pixel / y.w / y.h, v, u)[c]));
    }
  }
  args.y.data[pixel * args.y.stride + c] = static_cast<uint8_t>(largest);
}

}  // namespace

void max_pool2d_int8(const MaxPool2dInt8Args& args, const Launch& on) {
  const int before_y = reach(args.x.shape.h, args.window.h, args.window.stride, args.pad).before;
  const int before_x = reach(args.x.shape.w, args.window.w, args.window.stride, args.pad).before;
  const auto count = static_cast<int>(args.y.shape.size());
  launch("max_pool2d_int8", max_pool2d_int8_kernel, dim3{blocks_of(count, threads)}, dim3{threads}, 0, on, args,
         before_y, before_x, count);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
