// How a convolution's product is launched: which tile, how often the inner dimension is split, and adding the splits.
#pragma once

#include "conv2d_ffma.hpp"
#include "conv2d_tensor.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

constexpr int finish_threads = 256;

// Adds the splits' sums and ends them, 16 bytes of channels a thread.
template <class Words, class Args>
__global__ void __launch_bounds__(finish_threads)
    conv2d_finish(Args args, Gemm gemm, const float* partials, int splits) {
  wait_for_earlier();
  constexpr int run = vector_of<Words>;
  const int runs = gemm.columns / run;
  const int i = static_cast<int>(blockIdx.x) * finish_threads + static_cast<int>(threadIdx.x);
  if (i >= gemm.rows * runs) return;
  const int row = i / runs, column = i % runs * run;
  float sums[run] = {};
  for (int s = 0; s < splits; ++s) {
    float part[run];
    load_numbers<Floats>(part, partials + (static_cast<ptrdiff_t>(s) * gemm.rows + row) * gemm.columns + column);
#pragma unroll
    for (int j = 0; j < run; ++j) sums[j] += part[j];
  }
  store_run<Words>(args, gemm, row, column, sums);
}

// Splits the inner dimension and launches, then adds the splits if there are several.
template <class Words, class Tile, class Args>
void run(const char* name, void (*kernel)(Args, Gemm, float*), size_t shared, const Args& args, Gemm gemm,
         const Launch& on) {
  const dim3 tiles{blocks_of(gemm.rows, Tile::rows), blocks_of(args.y.shape.c, Tile::columns)};
  const int splits = split(gemm, on, tiles.x * tiles.y, Tile::depth);
  float* const partials = splits > 1 ? on.partials : nullptr;
  launch(name, kernel, dim3{tiles.x, tiles.y, static_cast<unsigned>(splits)}, dim3{Tile::threads}, shared, on, args,
         gemm, partials);
  if (partials == nullptr) return;
  const int threads = gemm.rows * (gemm.columns / vector_of<Words>);
  launch("conv2d_finish", conv2d_finish<Words, Args>, dim3{blocks_of(threads, finish_threads)}, dim3{finish_threads}, 0,
         on, args, gemm, static_cast<const float*>(partials), splits);
}

template <class Words, class Tile, bool Gathers = false, class Args>
void run_tensor(const char* name, const Args& args, const Gemm& gemm, const Launch& on) {
  run<Words, Tile>(name, conv2d_tensor<Words, Tile, Gathers, Args>, Tile::shared_words * sizeof(unsigned), args, gemm,
                   on);
}

// Large tiles reuse more, small ones make more blocks.
inline bool fills(const Gemm& gemm, const Launch& on, int rows, int columns) {
  return blocks_of(gemm.rows, rows) * blocks_of(gemm.columns, columns) >= static_cast<unsigned>(on.processors);
}

template <class Words, class Product, class Args>
void choose_tensor(const char* name, const Args& args, const Gemm& gemm, const Launch& on) {
  if (args.y.shape.c <= 32) return run_tensor<Words, TensorTile<Product, 128, 32, 4, 1>>(name, args, gemm, on);
  if (args.y.shape.c > 64 && fills(gemm, on, 128, 128)) {
    return run_tensor<Words, TensorTile<Product, 128, 128, 2, 4>>(name, args, gemm, on);
  }
  run_tensor<Words, TensorTile<Product, 64, 64, 2, 2>>(name, args, gemm, on);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
