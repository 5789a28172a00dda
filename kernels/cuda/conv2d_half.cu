// conv2d_half: y = activation(conv(x) + bias), or activation(add + scale * (conv(x) + bias)), over maps of 16-bit
// words.
//
// 1. conv2d on maps of floats, tensor cores and all (conv2d_tensor.hpp): every map is written and read in twice the
//    bytes that are multiplied, and each input passes through registers to be rounded.
// 2. Maps of words: inputs go by cp.async straight from global to shared memory, as weights do. What follows a sum is
//    still float32, and rounded once when it is stored.
// 3. Lanes trade until each has eight channels of a row, so that results are stored, and what is added is read, 16
//    bytes at once: whole sectors of 32 bytes by pairs of lanes.
// 4. Words that do not lie on 16 bytes, or whose channels are no multiple of 8, are gathered one by one: slow, right.
// 5. Large layers on Hopper cards, where somebody asks for it: products of warpgroups (conv2d_warpgroup.cu).
#include <wajah/layers/conv2d_half.hpp>

#include "conv2d_run.hpp"
#include "conv2d_warpgroup.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

template <class Words, class Product>
void choose(const Conv2dHalfArgs& args, const Gemm& gemm, const Launch& on) {
  if (gemm.x_vectors) return choose_tensor<Words, Product>("conv2d_half", args, gemm, on);
  run_tensor<Words, TensorTile<Product, 64, 64, 2, 2>, true>("conv2d_half", args, gemm, on);
}

}  // namespace

void conv2d_half(const Conv2dHalfArgs& args, const Launch& on) {
  Gemm gemm = gemm_of(args);
  if (gemm.rows == 0 || conv2d_warpgroup(args, on)) return;
  gemm.x_vectors = gemm.x_vectors && args.x.shape.c % 8 == 0;
  gemm.vectors = gemm.vectors && in_vectors(View<float>(args.floats, args.y.shape, args.y.stride));
  if (on.arithmetic == Arithmetic::bf16) return choose<BfloatWords, BfloatProduct>(args, gemm, on);
  choose<HalfWords, HalfProduct>(args, gemm, on);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
