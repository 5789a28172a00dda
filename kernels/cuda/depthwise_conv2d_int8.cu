// depthwise_conv2d_int8: depthwise_conv2d over bytes, computed in float32. Bound by memory, of which it moves a
// quarter. Step 1: a thread an output number, neighbouring threads neighbouring channels; the cache serves overlapping
// windows.
#include <wajah/layers/depthwise_conv2d_int8.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

// Packed rows of weights are a multiple of 8 channels.
__global__ void __launch_bounds__(threads)
    depthwise_conv2d_int8_kernel(DepthwiseConv2dInt8Args args, int before_y, int before_x, int count) {
  wait_for_earlier();
  const int i = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (i >= count) return;
  const Shape& x = args.x.shape;
  const Shape& y = args.y.shape;
  const int pitch = (y.c + 7) / 8 * 8;
  const int pixel = i / y.c, c = i % y.c;
  const int top = pixel / y.w % y.h * args.window.stride - before_y, left = pixel % y.w * args.window.stride - before_x;
  float sum = args.biases[c];
  for (int v = max(-top, 0); v < min(args.window.h, x.h - top); ++v) {
    for (int u = max(-left, 0); u < min(args.window.w, x.w - left); ++u) {
      const int byte = args.x.pixel(pixel / y.w / y.h, top + v, left + u)[c];
      sum += static_cast<float>(byte - args.zero_point) * args.weights[(v * args.window.w + u) * pitch + c];
    }
  }
  const float value = fminf(fmaxf(sum, args.floor), args.ceiling);
  if (args.bytes == nullptr) {
    args.y.data[pixel * args.y.stride + c] = value;
  } else {
    args.bytes[pixel * args.y.stride + c] = static_cast<uint8_t>(__float2int_rn(value));
  }
}

}  // namespace

void depthwise_conv2d_int8(const DepthwiseConv2dInt8Args& args, const Launch& on) {
  const int before_y = reach(args.x.shape.h, args.window.h, args.window.stride, args.pad).before;
  const int before_x = reach(args.x.shape.w, args.window.w, args.window.stride, args.pad).before;
  const auto count = static_cast<int>(args.y.shape.size());
  launch("depthwise_conv2d_int8", depthwise_conv2d_int8_kernel, dim3{blocks_of(count, threads)}, dim3{threads}, 0, on,
         args, before_y, before_x, count);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
