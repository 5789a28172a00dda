// softmax over the channels of each pixel: exp(x - max x) / sum exp(x - max x).
// Step 1: a thread a pixel. MTCNN asks for two channels, which are eight neighbouring bytes for each thread of a warp.
// Step 2: a warp a pixel for many channels: each lane takes every 32nd, shuffles find the maximum and the sum.
#include <wajah/layers/softmax.hpp>

#include "warp.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;
constexpr int few = 8;  // channels that one thread takes

__global__ void __launch_bounds__(threads) softmax_of_few(SoftmaxArgs args, int pixels) {
  wait_for_earlier();
  const int p = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (p >= pixels) return;
  const float* const x = args.x.data + p * args.x.stride;
  float* const y = args.y.data + p * args.y.stride;
  const int channels = args.x.shape.c;
  float powers[few];
  float largest = x[0];
  for (int c = 1; c < channels; ++c) largest = fmaxf(largest, x[c]);
  float sum = 0;
#pragma unroll
  for (int c = 0; c < few; ++c) {
    powers[c] = c < channels ? expf(x[c] - largest) : 0.0F;
    sum += powers[c];
  }
#pragma unroll
  for (int c = 0; c < few; ++c) {
    if (c < channels) y[c] = powers[c] / sum;
  }
}

__global__ void __launch_bounds__(threads) softmax_of_many(SoftmaxArgs args, int pixels) {
  wait_for_earlier();
  const int p = static_cast<int>(blockIdx.x) * (threads / 32) + static_cast<int>(threadIdx.x) / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  if (p >= pixels) return;  // a whole warp
  const float* const x = args.x.data + p * args.x.stride;
  float* const y = args.y.data + p * args.y.stride;
  float largest = -INFINITY;
  for (int c = lane; c < args.x.shape.c; c += 32) largest = fmaxf(largest, x[c]);
  for (int bit = 16; bit > 0; bit /= 2) largest = fmaxf(largest, __shfl_xor_sync(whole_warp, largest, bit));
  float sum = 0;
  for (int c = lane; c < args.x.shape.c; c += 32) sum += expf(x[c] - largest);
  sum = sum_of_warp(sum);
  for (int c = lane; c < args.x.shape.c; c += 32) y[c] = expf(x[c] - largest) / sum;
}

}  // namespace

void softmax(const SoftmaxArgs& args, const Launch& on) {
  const auto pixels = static_cast<int>(args.x.shape.pixels());
  const bool is_few = args.x.shape.c <= few;
  launch("softmax", is_few ? softmax_of_few : softmax_of_many, dim3{blocks_of(pixels, is_few ? threads : threads / 32)},
         dim3{threads}, 0, on, args, pixels);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
