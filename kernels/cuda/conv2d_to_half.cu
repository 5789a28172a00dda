// conv2d_to_half: the float32 convolution of conv2d_ffma.hpp, of floats, whose results are stored as 16-bit words. For
// few input channels (a picture's three), where tensor cores would multiply padding.
// Step 1: conv2d and a pass over its map that rounds: the network's largest map is moved three times.
// Step 2: rounded when it is stored, as all of its channels are still in registers.
#include <wajah/layers/conv2d_to_half.hpp>

#include "conv2d_run.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

template <class Words, class Tile>
void run_ffma(const Conv2dToHalfArgs& args, const Gemm& gemm, const Launch& on) {
  run<Words, Tile>("conv2d_to_half", conv2d_ffma<Words, Tile, false, Conv2dToHalfArgs>, 0, args, gemm, on);
}

template <class Words>
void choose(const Conv2dToHalfArgs& args, const Gemm& gemm, const Launch& on) {
  if (args.y.shape.c <= 32) return run_ffma<Words, FfmaTile<128, 32, 4, 4>>(args, gemm, on);
  if (fills(gemm, on, 128, 64)) return run_ffma<Words, FfmaTile<128, 64, 8, 4>>(args, gemm, on);
  run_ffma<Words, FfmaTile<64, 64, 4, 4>>(args, gemm, on);
}

}  // namespace

void conv2d_to_half(const Conv2dToHalfArgs& args, const Launch& on) {
  const Gemm gemm = gemm_of(args);
  if (gemm.rows == 0) return;
  if (on.arithmetic == Arithmetic::bf16) return choose<BfloatWords>(args, gemm, on);
  choose<HalfWords>(args, gemm, on);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
