// hard_swish: y = x * clamp(x + 3, 0, 6) / 6. Bound by memory: 8 bytes a number, whatever is computed.
// Step 1: a thread a number. Neighbouring threads take neighbouring channels, so that a warp reads whole lines.
#include <wajah/layers/hard_swish.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads) hard_swish_kernel(HardSwishArgs args, int count) {
  wait_for_earlier();
  const int i = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (i >= count) return;
  const int channels = args.x.shape.c;
  const int pixel = i / channels, c = i % channels;
  const float v = args.x.data[pixel * args.x.stride + c];
  args.y.data[pixel * args.y.stride + c] = v * fminf(fmaxf(v + 3.0F, 0.0F), 6.0F) * (1.0F / 6.0F);
}

}  // namespace

void hard_swish(const HardSwishArgs& args, const Launch& on) {
  const auto count = static_cast<int>(args.x.shape.size());
  launch("hard_swish", hard_swish_kernel, dim3{blocks_of(count, threads)}, dim3{threads}, 0, on, args, count);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
