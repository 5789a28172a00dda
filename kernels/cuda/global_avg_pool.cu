// global_avg_pool: the mean of every channel over the whole map. Bound by memory.
// Step 1: a thread a channel of an image walks all pixels: whole lines for a warp, but too few threads for one image.
// Step 2: a block a group of 32 channels, its warps take every eighth pixel; their sums meet in shared memory.
#include <wajah/layers/avg_pool2d.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int warps = 8;

__global__ void __launch_bounds__(32 * warps) global_avg_pool_kernel(GlobalAvgPoolArgs args) {
  wait_for_earlier();
  WAJAH_SHARED(float, sums, 32 * warps);
  const auto lane = static_cast<int>(threadIdx.x), warp = static_cast<int>(threadIdx.y);
  const int c = static_cast<int>(blockIdx.x) * 32 + lane, n = static_cast<int>(blockIdx.y);
  const Shape& shape = args.x.shape;
  const int pixels = shape.h * shape.w;
  float sum = 0;
  if (c < shape.c) {
    const float* const image = args.x.data + static_cast<ptrdiff_t>(n) * pixels * args.x.stride + c;
    for (int p = warp; p < pixels; p += warps) sum += image[p * args.x.stride];
  }
  sums[warp * 32 + lane] = sum;
  __syncthreads();
  if (warp != 0 || c >= shape.c) return;
  for (int w = 1; w < warps; ++w) sum += sums[w * 32 + lane];
  args.y.data[n * args.y.stride + c] = sum / static_cast<float>(pixels);
}

}  // namespace

void global_avg_pool(const GlobalAvgPoolArgs& args, const Launch& on) {
  const Shape& shape = args.x.shape;
  launch("global_avg_pool", global_avg_pool_kernel, dim3{blocks_of(shape.c, 32), static_cast<unsigned>(shape.n)},
         dim3{32, warps}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
