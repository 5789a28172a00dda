// max_pool2d: the largest value of each window, channel by channel. Bound by memory: every input is wanted by one or a
// few neighbouring windows, which the cache serves. Step 1: a thread an output number, neighbouring threads
// neighbouring channels, so that a warp reads whole lines. Step 2: four channels a thread where all pixels lie on 16
// bytes: a quarter of the loads and of the index arithmetic.
#include <wajah/layers/max_pool2d.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

__device__ __forceinline__ float most(float a, float b) { return fmaxf(a, b); }
__device__ __forceinline__ float4 most(const float4& a, const float4& b) {
  return make_float4(fmaxf(a.x, b.x), fmaxf(a.y, b.y), fmaxf(a.z, b.z), fmaxf(a.w, b.w));
}
__device__ __forceinline__ void set_least(float& x) { x = -INFINITY; }
__device__ __forceinline__ void set_least(float4& x) { x = make_float4(-INFINITY, -INFINITY, -INFINITY, -INFINITY); }

// T: float or float4, whose channels are neighbours.
template <class T>
__global__ void __launch_bounds__(threads)
    max_pool2d_kernel(MaxPool2dArgs args, int before_y, int before_x, int count) {
  wait_for_earlier();
  const int i = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (i >= count) return;
  constexpr int width = sizeof(T) / sizeof(float);
  const Shape& x = args.x.shape;
  const Shape& y = args.y.shape;
  const int groups = y.c / width;
  const int pixel = i / groups, c = i % groups * width;
  const int n = pixel / y.w / y.h;
  const int top = pixel / y.w % y.h * args.window.stride - before_y;
  const int left = pixel % y.w * args.window.stride - before_x;
  T largest;
  set_least(largest);
  for (int v = max(top, 0); v < min(top + args.window.h, x.h); ++v) {
    for (int u = max(left, 0); u < min(left + args.window.w, x.w); ++u) {
      largest = most(largest, vector_at<T>(args.x.pixel(n, v, u) + c));
    }
  }
  vector_at<T>(args.y.data + pixel * args.y.stride + c) = largest;
}

}  // namespace

void max_pool2d(const MaxPool2dArgs& args, const Launch& on) {
  const int before_y = reach(args.x.shape.h, args.window.h, args.window.stride, args.pad).before;
  const int before_x = reach(args.x.shape.w, args.window.w, args.window.stride, args.pad).before;
  const bool vectors = args.y.shape.c % 4 == 0 && in_vectors(args.x) && in_vectors(args.y);
  const auto count = static_cast<int>(args.y.shape.size()) / (vectors ? 4 : 1);
  launch("max_pool2d", vectors ? max_pool2d_kernel<float4> : max_pool2d_kernel<float>, dim3{blocks_of(count, threads)},
         dim3{threads}, 0, on, args, before_y, before_x, count);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
