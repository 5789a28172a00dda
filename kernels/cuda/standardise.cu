// standardise: a crop's bytes become the floats that MobileFaceNet takes, as torchvision normalises.
// Step 1: a thread a pixel; blocks in y are crops, so that one alone keeps more than one multiprocessor busy.
#include <wajah/cuda_kernels.hpp>

#include "crop_views.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads) standardise_kernel(StandardiseArgs args) {
  wait_for_earlier();
  const int first = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  write_views(
      args, static_cast<int>(blockIdx.y), first, static_cast<int>(gridDim.x) * threads,
      [&](uint8_t byte, int c) { return (static_cast<float>(byte) / 255.0F - args.mean[c]) / args.deviation[c]; });
}

}  // namespace

void standardise(const StandardiseArgs& args, const Launch& on) {
  const Shape& shape = args.y.shape;
  launch("standardise", standardise_kernel,
         dim3{blocks_of(shape.h * shape.w, threads), static_cast<unsigned>(args.x.shape.n)}, dim3{threads}, 0, on,
         args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
