// depthwise_conv2d: every channel convolved with a window of its own. Bound by memory: 9 products for 2 numbers moved.
// Step 1: a thread an output number, neighbouring threads neighbouring channels; the cache serves overlapping windows.
// Step 2: four channels a thread where all pixels lie on 16 bytes.
// Step 3: four pixels of a row a thread for 3x3: a column of inputs is loaded once and used by up to three outputs, and
//         the weights once for all four.
#include <wajah/layers/depthwise_conv2d.hpp>

#include "activation.hpp"
#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 128;

template <int Width>
struct Channels {
  float x[Width];

  __device__ void load(const float* from) {
    if constexpr (Width == 4) {
      const float4 four = vector_at<float4>(from);
      x[0] = four.x;
      x[1] = four.y;
      x[2] = four.z;
      x[3] = four.w;
    } else {
      x[0] = *from;
    }
  }
  __device__ void store(float* to) const {
    if constexpr (Width == 4) {
      vector_at<float4>(to) = make_float4(x[0], x[1], x[2], x[3]);
    } else {
      *to = x[0];
    }
  }
  __device__ void add_product(const Channels& a, const Channels& b) {
#pragma unroll
    for (int i = 0; i < Width; ++i) x[i] += a.x[i] * b.x[i];
  }
};

// A thread makes `Across` pixels of a row, Width channels of each. Packed rows of weights are a multiple of 8 channels.
template <int Width, int Across>
__global__ void __launch_bounds__(threads)
    depthwise_kernel(DepthwiseConv2dArgs args, int before_y, int before_x, int count) {
  wait_for_earlier();
  const int i = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (i >= count) return;
  const Shape& x = args.x.shape;
  const Shape& y = args.y.shape;
  const int pitch = (y.c + 7) / 8 * 8;
  const int groups = y.c / Width, runs = (y.w + Across - 1) / Across;
  const int c = i % groups * Width, run = i / groups;
  const int first = run % runs * Across, row = run / runs % y.h, n = run / runs / y.h;
  const int top = row * args.window.stride - before_y, left = first * args.window.stride - before_x;

  Channels<Width> sums[Across] = {};
  for (int v = max(0, -top); v < min(args.window.h, x.h - top); ++v) {
    const float* const from = args.x.pixel(n, top + v, 0) + c;
    const float* const weights = args.weights + v * args.window.w * pitch + c;
    const int columns = (Across - 1) * args.window.stride + args.window.w;
    for (int column = max(0, -left); column < min(columns, x.w - left); ++column) {
      Channels<Width> value;
      value.load(from + (left + column) * args.x.stride);
#pragma unroll
      for (int p = 0; p < Across; ++p) {
        const int u = column - p * args.window.stride;
        if (u < 0 || u >= args.window.w) continue;
        Channels<Width> weight;
        weight.load(weights + u * pitch);
        sums[p].add_product(value, weight);
      }
    }
  }
  for (int p = 0; p < Across && first + p < y.w; ++p) {
    for (int k = 0; k < Width; ++k) sums[p].x[k] = activate(args.activation, sums[p].x[k] + args.biases[c + k], c + k);
    sums[p].store(args.y.pixel(n, row, first + p) + c);
  }
}

template <int Width, int Across>
void run(const DepthwiseConv2dArgs& args, const Launch& on) {
  const Shape& y = args.y.shape;
  const int before_y = reach(args.x.shape.h, args.window.h, args.window.stride, args.pad).before;
  const int before_x = reach(args.x.shape.w, args.window.w, args.window.stride, args.pad).before;
  const int count = y.n * y.h * ((y.w + Across - 1) / Across) * (y.c / Width);
  launch("depthwise_conv2d", depthwise_kernel<Width, Across>, dim3{blocks_of(count, threads)}, dim3{threads}, 0, on,
         args, before_y, before_x, count);
}

}  // namespace

void depthwise_conv2d(const DepthwiseConv2dArgs& args, const Launch& on) {
  const bool vectors = args.y.shape.c % 4 == 0 && in_vectors(args.x) && in_vectors(args.y);
  if (!vectors) return run<1, 1>(args, on);
  if (args.window.stride == 1 && args.y.shape.w >= 4) return run<4, 4>(args, on);
  run<4, 1>(args, on);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
