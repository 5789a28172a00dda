// The kernel of global_avg_pool and global_avg_pool_half: x consists of Words, y of floats.
#pragma once

#include "device.hpp"
#include "words.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

constexpr int avg_pool_warps = 8;

template <class Words, class Args>
__global__ void __launch_bounds__(32 * avg_pool_warps) global_avg_pool_kernel(Args args) {
  wait_for_earlier();
  WAJAH_SHARED(float, sums, 32 * avg_pool_warps);
  const auto lane = static_cast<int>(threadIdx.x), warp = static_cast<int>(threadIdx.y);
  const int c = static_cast<int>(blockIdx.x) * 32 + lane, n = static_cast<int>(blockIdx.y);
  const Shape& shape = args.x.shape;
  const int pixels = shape.h * shape.w;
  float sum = 0;
  if (c < shape.c) {
    const auto* const image = args.x.data + static_cast<ptrdiff_t>(n) * pixels * args.x.stride + c;
    for (int p = warp; p < pixels; p += avg_pool_warps) {
      float number[1];
      load_numbers<Words>(number, image + p * args.x.stride);
      sum += number[0];
    }
  }
  sums[warp * 32 + lane] = sum;
  __syncthreads();
  if (warp != 0 || c >= shape.c) return;
  for (int w = 1; w < avg_pool_warps; ++w) sum += sums[w * 32 + lane];
  args.y.data[n * args.y.stride + c] = sum / static_cast<float>(pixels);
}

template <class Words, class Args>
void run_avg_pool(const char* name, const Args& args, const Launch& on) {
  const Shape& shape = args.x.shape;
  launch(name, global_avg_pool_kernel<Words, Args>, dim3{blocks_of(shape.c, 32), static_cast<unsigned>(shape.n)},
         dim3{32, avg_pool_warps}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
