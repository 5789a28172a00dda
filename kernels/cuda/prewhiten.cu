// prewhiten: a crop's bytes become the floats that Inception-ResNet-v1 takes, mean 0 and deviation 1.
// Step 1: a block an image, two passes: sums of bytes and of their squares, which are whole numbers and so the same in
// any order, then the floats. The second pass finds the bytes in the cache: 77 KB an image.
// Step 2: a thread a pixel, not a number: one division finds the place of three, and of their mirror image.
#include <wajah/cuda_kernels.hpp>

#include "crop_views.hpp"
#include "warp.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 512;
using Sum = unsigned long long;  // of squares of bytes: 2^48 pixels are enough

__device__ __forceinline__ Sum sum_of_block(Sum value, Shared<Sum> sums) {
  value = sum_of_warp(value);
  __syncthreads();
  if (threadIdx.x % 32 == 0) sums[static_cast<int>(threadIdx.x) / 32] = value;
  __syncthreads();
  Sum total = 0;
  for (int w = 0; w < threads / 32; ++w) total += sums[w];
  return total;
}

__global__ void __launch_bounds__(threads) prewhiten_kernel(PrewhitenArgs args) {
  wait_for_earlier();
  WAJAH_SHARED(Sum, sums, threads / 32);
  const Shape& shape = args.x.shape;
  const int image = static_cast<int>(blockIdx.x), pixels = shape.h * shape.w, count = pixels * shape.c;
  const uint8_t* const x = args.x.pixel(image, 0, 0);
  Sum sum = 0, squares = 0;
  for (int i = static_cast<int>(threadIdx.x); i < pixels; i += threads) {
    for (int c = 0; c < shape.c; ++c) {
      const unsigned byte = x[i * args.x.stride + c];
      sum += byte;
      squares += byte * byte;
    }
  }
  const auto total = static_cast<double>(sum_of_block(sum, sums));
  const auto total_of_squares = static_cast<double>(sum_of_block(squares, sums));
  const double mean = total / count;
  const double deviation = sqrt(fmax(total_of_squares / count - mean * mean, 0.0));
  const auto scale = static_cast<float>(1.0 / fmax(deviation, 1.0 / sqrt(static_cast<double>(count))));
  const auto middle = static_cast<float>(mean);
  write_views(args, image, static_cast<int>(threadIdx.x), threads,
              [&](uint8_t byte, int) { return (static_cast<float>(byte) - middle) * scale; });
}

}  // namespace

void prewhiten(const PrewhitenArgs& args, const Launch& on) {
  launch("prewhiten", prewhiten_kernel, dim3{static_cast<unsigned>(args.x.shape.n)}, dim3{threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
