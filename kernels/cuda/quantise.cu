// quantise: byte = round(x / scale) + zero_point within 0 to the largest there is. Bound by memory: 5 bytes a number.
// Step 1: a thread a number, neighbouring threads neighbouring channels.
#include <wajah/layers/quantise.hpp>

#include "bytes.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads) quantise_kernel(QuantiseArgs args, int count) {
  wait_for_earlier();
  const int i = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (i >= count) return;
  const int pixel = i / args.x.shape.c, c = i % args.x.shape.c;
  args.y.data[pixel * args.y.stride + c] = byte_of(args.x.data[pixel * args.x.stride + c], args.y_is);
}

}  // namespace

void quantise(const QuantiseArgs& args, const Launch& on) {
  const auto count = static_cast<int>(args.x.shape.size());
  launch("quantise", quantise_kernel, dim3{blocks_of(count, threads)}, dim3{threads}, 0, on, args, count);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
