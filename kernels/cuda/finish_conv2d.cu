// finish_conv2d: bias, residual and activation of sums that another library made. Bound by memory.
// Step 1: a thread a number. Neighbouring threads take neighbouring channels, so that a warp reads whole lines.
#include <wajah/cudnn_kernels.hpp>

#include "activation.hpp"
#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

__device__ __forceinline__ float sum_at(const FinishConv2dArgs& args, long long i) {
  if (args.format == Arithmetic::fp16) return halves(static_cast<const unsigned short*>(args.sums)[i]).x;
  if (args.format == Arithmetic::bf16) {
    return __uint_as_float(static_cast<unsigned>(static_cast<const unsigned short*>(args.sums)[i]) << 16U);
  }
  return static_cast<const float*>(args.sums)[i];
}

__global__ void __launch_bounds__(threads) finish_conv2d_kernel(FinishConv2dArgs args, long long count) {
  wait_for_earlier();
  const long long i = static_cast<long long>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (i >= count) return;
  const int channel = static_cast<int>(i % args.y.shape.c);
  const long long pixel = i / args.y.shape.c;
  float sum = sum_at(args, i) + args.biases[channel];
  const ConstView<float>& add = args.epilogue.add;
  if (add.data != nullptr) sum = add.data[pixel * add.stride + channel] + args.epilogue.scale * sum;
  args.y.data[pixel * args.y.stride + channel] = activate(args.activation, sum, channel);
}

}  // namespace

void finish_conv2d(const FinishConv2dArgs& args, const Launch& on) {
  const auto count = static_cast<long long>(args.y.shape.size());
  launch("finish_conv2d", finish_conv2d_kernel, dim3{blocks_of(count, threads)}, dim3{threads}, 0, on, args, count);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
