// bring_map: a map with gaps to a dense one, between zeros, in fewer bits where products have fewer. Bound by memory.
// Step 1: a thread a number of y. Neighbouring threads take neighbouring channels, so that a warp reads whole lines.
#include <wajah/cudnn_kernels.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

__device__ __forceinline__ float value_at(const BringMapArgs& args, long long i) {
  const int c = static_cast<int>(i % args.shape.c);
  const long long pixel = i / args.shape.c;
  const int column = static_cast<int>(pixel % args.shape.w) - args.left;
  const int row = static_cast<int>(pixel / args.shape.w % args.shape.h) - args.top;
  const long long n = pixel / args.shape.w / args.shape.h;
  const Shape& x = args.x.shape;
  if (row < 0 || row >= x.h || column < 0 || column >= x.w) return 0.0F;
  return args.x.data[((n * x.h + row) * x.w + column) * args.x.stride + c];
}

__global__ void __launch_bounds__(threads) bring_map_kernel(BringMapArgs args, long long count) {
  wait_for_earlier();
  const long long i = static_cast<long long>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (i >= count) return;
  const float value = value_at(args, i);
  if (args.format == Arithmetic::fp16) {
    static_cast<unsigned short*>(args.y)[i] = static_cast<unsigned short>(half_bits(value, 0.0F));
  } else if (args.format == Arithmetic::bf16) {
    static_cast<unsigned short*>(args.y)[i] = static_cast<unsigned short>(bfloat_bits(value, 0.0F));
  } else {
    static_cast<float*>(args.y)[i] = value;
  }
}

}  // namespace

void bring_map(const BringMapArgs& args, const Launch& on) {
  const auto count = static_cast<long long>(args.shape.size());
  launch("bring_map", bring_map_kernel, dim3{blocks_of(count, threads)}, dim3{threads}, 0, on, args, count);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
