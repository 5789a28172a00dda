// l2_normalise: the channels of a pixel divided by their length: embeddings become unit vectors.
// Step 1: a warp a pixel, its lanes neighbouring channels; the sum of squares meets by shuffles.
#include <wajah/cuda_kernels.hpp>

#include "warp.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 128;

__global__ void __launch_bounds__(threads) l2_normalise_kernel(L2NormaliseArgs args, int pixels) {
  wait_for_earlier();
  const int p = static_cast<int>(blockIdx.x) * (threads / 32) + static_cast<int>(threadIdx.x) / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  if (p >= pixels) return;  // a whole warp
  const float* const x = args.x.data + p * args.x.stride;
  float* const y = args.y.data + p * args.y.stride;
  float sum = 0;
  for (int c = lane; c < args.x.shape.c; c += 32) sum += x[c] * x[c];
  const float length = sqrtf(fmaxf(sum_of_warp(sum), 1e-30F));
  for (int c = lane; c < args.x.shape.c; c += 32) y[c] = x[c] / length;
}

}  // namespace

void l2_normalise(const L2NormaliseArgs& args, const Launch& on) {
  const auto pixels = static_cast<int>(args.x.shape.pixels());
  launch("l2_normalise", l2_normalise_kernel, dim3{blocks_of(pixels, threads / 32)}, dim3{threads}, 0, on, args,
         pixels);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
