// quantise: byte = round(x / scale) + zero_point within 0 to the largest there is. Bound by memory: 5 bytes a number.
// Step 1: a thread a number, neighbouring threads neighbouring channels.
#include <wajah/layers/quantise.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads) quantise_kernel(QuantiseArgs args, int count) {
  wait_for_earlier();
  const int i = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (i >= count) return;
  const int pixel = i / args.x.shape.c, c = i % args.x.shape.c;
  // Clamped as a float first: a number far outside would not fit an int. Divided, not multiplied by 1 / scale, so that
  // halves of a step round as on the CPU.
  const float steps = args.x.data[pixel * args.x.stride + c] / args.y_is.scale;
  const int byte = __float2int_rn(fminf(fmaxf(steps, -512.0F), 512.0F)) + args.y_is.zero_point;
  args.y.data[pixel * args.y.stride + c] = static_cast<uint8_t>(min(max(byte, 0), args.y_is.largest));
}

}  // namespace

void quantise(const QuantiseArgs& args, const Launch& on) {
  const auto count = static_cast<int>(args.x.shape.size());
  launch("quantise", quantise_kernel, dim3{blocks_of(count, threads)}, dim3{threads}, 0, on, args, count);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
