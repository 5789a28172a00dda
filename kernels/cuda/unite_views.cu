// unite_views: the embedding of a face from those of its crop and of the mirror image: their sum, each of unit length,
// is brought to unit length. Step 1: l2_normalise, an addition, l2_normalise: three launches that pass 4 KB a face
// through memory. Step 2: one launch, a warp a face: its lanes hold neighbouring channels, and the three lengths meet
// by shuffles.
#include <wajah/cuda_kernels.hpp>

#include "warp.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 128;

__device__ __forceinline__ float length_of(float squares) { return sqrtf(fmaxf(squares, 1e-30F)); }

__global__ void __launch_bounds__(threads) unite_views_kernel(UniteViewsArgs args, int faces) {
  wait_for_earlier();
  const int face = static_cast<int>(blockIdx.x) * (threads / 32) + static_cast<int>(threadIdx.x) / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32, channels = args.x.shape.c;
  if (face >= faces) return;  // a whole warp
  const float* const crop = args.x.data + 2 * face * args.x.stride;
  const float* const mirrored = crop + args.x.stride;
  float* const y = args.y.data + face * args.y.stride;
  float of_crop = 0, of_mirrored = 0, of_sum = 0;
  for (int c = lane; c < channels; c += 32) {
    of_crop += crop[c] * crop[c];
    of_mirrored += mirrored[c] * mirrored[c];
  }
  const float a = length_of(sum_of_warp(of_crop)), b = length_of(sum_of_warp(of_mirrored));
  for (int c = lane; c < channels; c += 32) {
    const float sum = crop[c] / a + mirrored[c] / b;
    of_sum += sum * sum;
  }
  const float whole = length_of(sum_of_warp(of_sum));
  for (int c = lane; c < channels; c += 32) y[c] = (crop[c] / a + mirrored[c] / b) / whole;
}

}  // namespace

void unite_views(const UniteViewsArgs& args, const Launch& on) {
  const auto faces = static_cast<int>(args.y.shape.pixels());
  launch("unite_views", unite_views_kernel, dim3{blocks_of(faces, threads / 32)}, dim3{threads}, 0, on, args, faces);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
