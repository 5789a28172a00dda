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

#include "conv2d_run.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

template <class Tile>
void run_ffma(const Conv2dArgs& args, const Gemm& gemm, const Launch& on) {
  const bool vectors = args.x.shape.c % 4 == 0 && gemm.x_vectors;
  run<Floats, Tile>(
      "conv2d", vectors ? conv2d_ffma<Floats, Tile, true, Conv2dArgs> : conv2d_ffma<Floats, Tile, false, Conv2dArgs>, 0,
      args, gemm, on);
}

void choose_ffma(const Conv2dArgs& args, const Gemm& gemm, const Launch& on) {
  if (args.y.shape.c <= 8) return run_ffma<FfmaTile<128, 8, 4, 4, 8>>(args, gemm, on);
  if (args.y.shape.c <= 16) return run_ffma<FfmaTile<128, 16, 4, 4, 8>>(args, gemm, on);
  if (args.y.shape.c <= 32) return run_ffma<FfmaTile<128, 32, 4, 4>>(args, gemm, on);
  if (fills(gemm, on, 128, 64)) return run_ffma<FfmaTile<128, 64, 8, 4>>(args, gemm, on);
  run_ffma<FfmaTile<64, 64, 4, 4>>(args, gemm, on);
}

}  // namespace

void conv2d(const Conv2dArgs& args, const Launch& on) {
  const Gemm gemm = gemm_of(args);
  if (gemm.rows == 0) return;
  switch (weight_format(on.arithmetic, args.x.shape.c, args.y.shape.c)) {
    case Arithmetic::fp32:
    case Arithmetic::int8: return choose_ffma(args, gemm, on);
    // Weights in TF32 are floats with fewer bits, so inputs that do not lie on 16 bytes can be multiplied as such.
    case Arithmetic::tf32:
      return gemm.x_vectors ? choose_tensor<Floats, Tf32Product>("conv2d", args, gemm, on)
                            : choose_ffma(args, gemm, on);
    case Arithmetic::fp16: return choose_tensor<Floats, HalfProduct>("conv2d", args, gemm, on);
    case Arithmetic::bf16: return choose_tensor<Floats, BfloatProduct>("conv2d", args, gemm, on);
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
