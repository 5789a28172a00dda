// The kernel of depthwise_conv2d and depthwise_conv2d_half: maps consist of Words, everything else is float32.
#pragma once

#include "activation.hpp"
#include "device.hpp"
#include "words.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

constexpr int depthwise_threads = 128;
// Blocks that are to fit a multiprocessor. For words, six: left to itself the compiler aims higher and spills.
template <class Words>
constexpr int depthwise_blocks = sizeof(typename Words::Word) == sizeof(float) ? 0 : 6;

// A thread makes `Across` pixels of a row, Width channels of each. Packed rows of weights are a multiple of 8 channels.
template <class Words, int Width, int Across, class Args>
__global__ void __launch_bounds__(depthwise_threads, depthwise_blocks<Words>)
    depthwise_kernel(Args args, int before_y, int before_x, int count) {
  wait_for_earlier();
  const int i = static_cast<int>(blockIdx.x) * depthwise_threads + static_cast<int>(threadIdx.x);
  if (i >= count) return;
  const Shape& x = args.x.shape;
  const Shape& y = args.y.shape;
  const int pitch = (y.c + 7) / 8 * 8;
  const int groups = y.c / Width, runs = (y.w + Across - 1) / Across;
  const int c = i % groups * Width, run = i / groups;
  const int first = run % runs * Across, row = run / runs % y.h, n = run / runs / y.h;
  const int top = row * args.window.stride - before_y, left = first * args.window.stride - before_x;

  float sums[Across][Width] = {};
  for (int v = max(0, -top); v < min(args.window.h, x.h - top); ++v) {
    const auto* const from = args.x.pixel(n, top + v, 0) + c;
    const float* const weights = args.weights + v * args.window.w * pitch + c;
    const int columns = (Across - 1) * args.window.stride + args.window.w;
    for (int column = max(0, -left); column < min(columns, x.w - left); ++column) {
      float value[Width];
      load_numbers<Words>(value, from + (left + column) * args.x.stride);
#pragma unroll
      for (int p = 0; p < Across; ++p) {
        const int u = column - p * args.window.stride;
        if (u < 0 || u >= args.window.w) continue;
        float weight[Width];
        load_numbers<Floats>(weight, weights + u * pitch);
#pragma unroll
        for (int k = 0; k < Width; ++k) sums[p][k] += value[k] * weight[k];
      }
    }
  }
  for (int p = 0; p < Across && first + p < y.w; ++p) {
    for (int k = 0; k < Width; ++k) sums[p][k] = activate(args.activation, sums[p][k] + args.biases[c + k], c + k);
    store_numbers<Words>(args.y.pixel(n, row, first + p) + c, sums[p]);
  }
}

template <class Words, int Width, int Across, class Args>
void run_depthwise(const char* name, const Args& args, const Launch& on) {
  const Shape& y = args.y.shape;
  const int before_y = reach(args.x.shape.h, args.window.h, args.window.stride, args.pad).before;
  const int before_x = reach(args.x.shape.w, args.window.w, args.window.stride, args.pad).before;
  const int count = y.n * y.h * ((y.w + Across - 1) / Across) * (y.c / Width);
  launch(name, depthwise_kernel<Words, Width, Across, Args>, dim3{blocks_of(count, depthwise_threads)},
         dim3{depthwise_threads}, 0, on, args, before_y, before_x, count);
}

template <class Words, class Args>
void choose_depthwise(const char* name, const Args& args, const Launch& on) {
  const bool vectors = args.y.shape.c % 4 == 0 && in_vectors(args.x) && in_vectors(args.y);
  if (!vectors) return run_depthwise<Words, 1, 1>(name, args, on);
  if (args.window.stride == 1 && args.y.shape.w >= 4) return run_depthwise<Words, 4, 4>(name, args, on);
  run_depthwise<Words, 4, 1>(name, args, on);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
