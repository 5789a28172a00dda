// conv2d: y = activation(conv(x) + bias), or activation(add + scale * (conv(x) + bias)).
//
// The ladder, each step on top of the one before:
// 1. A thread an output number reads its window from global memory: every input is fetched window x channels times.
// 2. The matrix product of conv2d_gemm.hpp, a tile a block: inputs and weights come through shared memory once a tile.
// 3. Register tiles: a thread holds 4 x 4 to 8 x 4 sums, so one shared load feeds 4 to 8 products (conv2d_ffma.hpp).
// 4. Two tiles in shared memory: the next one is fetched while this one is multiplied, one barrier a step.
// 5. Narrow layers (P-Net's 10, 16, 32 channels, heads of 2 and 4) get narrow tiles instead of idle lanes.
// 6. Split K: maps of few pixels and many channels (block8: 9 pixels, 1792 channels) give the card too few tiles, so
//    several blocks share a sum. Each writes its part, a second kernel adds them in a fixed order: the same bits
//    always.
#include <wajah/layers/cuda_format.hpp>

#include "conv2d_ffma.hpp"
#include "conv2d_tensor.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int finish_threads = 256;

// Adds the splits' sums and ends them, four channels a thread.
__global__ void __launch_bounds__(finish_threads)
    conv2d_finish(Conv2dArgs args, Gemm gemm, const float* partials, int splits) {
  wait_for_earlier();
  const int quads = gemm.columns / 4;
  const int i = static_cast<int>(blockIdx.x) * finish_threads + static_cast<int>(threadIdx.x);
  if (i >= gemm.rows * quads) return;
  const int row = i / quads, column = i % quads * 4;
  float sums[4] = {};
  for (int s = 0; s < splits; ++s) {
    const float4 part =
        vector_at<float4>(partials + (static_cast<ptrdiff_t>(s) * gemm.rows + row) * gemm.columns + column);
    sums[0] += part.x;
    sums[1] += part.y;
    sums[2] += part.z;
    sums[3] += part.w;
  }
  store_four(args, gemm, row, column, sums);
}

// Splits the inner dimension and launches, then adds the splits if there are several.
template <class Tile>
void run(void (*kernel)(Conv2dArgs, Gemm, float*), size_t shared, const Conv2dArgs& args, Gemm gemm, const Launch& on) {
  const dim3 tiles{blocks_of(gemm.rows, Tile::rows), blocks_of(args.y.shape.c, Tile::columns)};
  const int splits = split(gemm, on, tiles.x * tiles.y, Tile::depth);
  float* const partials = splits > 1 ? on.partials : nullptr;
  launch("conv2d", kernel, dim3{tiles.x, tiles.y, static_cast<unsigned>(splits)}, dim3{Tile::threads}, shared, on, args,
         gemm, partials);
  if (partials == nullptr) return;
  launch("conv2d_finish", conv2d_finish, dim3{blocks_of(gemm.rows * (gemm.columns / 4), finish_threads)},
         dim3{finish_threads}, 0, on, args, gemm, static_cast<const float*>(partials), splits);
}

template <class Tile>
void run_ffma(const Conv2dArgs& args, const Gemm& gemm, const Launch& on) {
  const bool vectors = args.x.shape.c % 4 == 0 && gemm.x_vectors;
  run<Tile>(vectors ? conv2d_ffma<Tile, true> : conv2d_ffma<Tile, false>, 0, args, gemm, on);
}

// Large tiles reuse more, small ones make more blocks.
bool fills(const Gemm& gemm, const Launch& on, int rows, int columns) {
  return blocks_of(gemm.rows, rows) * blocks_of(gemm.columns, columns) >= static_cast<unsigned>(on.processors);
}

void choose_ffma(const Conv2dArgs& args, const Gemm& gemm, const Launch& on) {
  if (args.y.shape.c <= 8) return run_ffma<FfmaTile<128, 8, 4, 4, 8>>(args, gemm, on);
  if (args.y.shape.c <= 16) return run_ffma<FfmaTile<128, 16, 4, 4, 8>>(args, gemm, on);
  if (args.y.shape.c <= 32) return run_ffma<FfmaTile<128, 32, 4, 4>>(args, gemm, on);
  if (fills(gemm, on, 128, 64)) return run_ffma<FfmaTile<128, 64, 8, 4>>(args, gemm, on);
  run_ffma<FfmaTile<64, 64, 4, 4>>(args, gemm, on);
}

template <class Tile>
void run_tensor(const Conv2dArgs& args, const Gemm& gemm, const Launch& on) {
  run<Tile>(conv2d_tensor<Tile>, Tile::shared_words * sizeof(unsigned), args, gemm, on);
}

template <class Product>
void choose_tensor(const Conv2dArgs& args, const Gemm& gemm, const Launch& on) {
  if (args.y.shape.c <= 32) return run_tensor<TensorTile<Product, 128, 32, 4, 1>>(args, gemm, on);
  if (args.y.shape.c > 64 && fills(gemm, on, 128, 128)) {
    return run_tensor<TensorTile<Product, 128, 128, 2, 4>>(args, gemm, on);
  }
  run_tensor<TensorTile<Product, 64, 64, 2, 2>>(args, gemm, on);
}

}  // namespace

void conv2d(const Conv2dArgs& args, const Launch& on) {
  const Gemm gemm = gemm_of(args);
  if (gemm.rows == 0) return;
  switch (weight_format(on.arithmetic, args.x.shape.c, args.y.shape.c)) {
    case Arithmetic::fp32: return choose_ffma(args, gemm, on);
    // Weights in TF32 are floats with fewer bits, so inputs that do not lie on 16 bytes can be multiplied as such.
    case Arithmetic::tf32:
      return gemm.x_vectors ? choose_tensor<Tf32Product>(args, gemm, on) : choose_ffma(args, gemm, on);
    case Arithmetic::fp16: return choose_tensor<HalfProduct>(args, gemm, on);
    case Arithmetic::bf16: return choose_tensor<BfloatProduct>(args, gemm, on);
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
