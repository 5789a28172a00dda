// fused_blocks: residual blocks of Inception-ResNet-v1, one launch for all repeats, for one or a few images.
//
// The ladder, each step on top of the one before:
// 1. A launch a convolution: block17 is five kernels, and at batch 1 each waits longer for its turn than it computes.
// 2. One block an image does a whole residual block, maps in its shared memory: no launches in between, but one
//    multiprocessor reads all weights (block8: 3.2 MB) and does all products.
// 3. A cluster of eight does it: each block makes a slice of every step's output channels, so that a weight is read by
// one
//    slice only, and fetches the other slices from its neighbours' shared memory after a barrier of the cluster. A
//    block's 1x1 convolutions of the same map are one step, so there are four exchanges a residual block.
// 4. Neighbours are slow (some 20 bytes a nanosecond a multiprocessor), and L2 gives weights faster than that. So the
// cluster
//    is a grid: `across` slices of the channels times `down` parts of the pixels. Of x a block has only its own pixels,
//    and fetches (across - 1) / across of their channels; of the branches also the pixels that its windows reach
//    beyond.
// 5. All repeats stay in the cluster: x goes in once and out once. What a block adds to, its share of x, is in
// registers
//    as float32 and never rounded; only what is multiplied is 16 bits wide.
// 6. The warps of a block share the inner dimension, not only outputs: each reads every row of its products once and
// every
//    weight is read by one warp. So weights need no common tiles: they are packed as one stream a warp, in the order of
//    its use, already as fragments, and flow by cp.async through a ring that each lane fills and reads for itself. No
//    barrier stands in it, so it runs on through steps and exchanges: a step begins with its first 14 chunks there.
//
// What sits where (fused_plan.hpp; 227 KB a block on sm_90), and what moves a residual block:
//
//               across x down   x (own pixels)   branches' map   sums to add   rings   all       weights a block,
//               fetched
//    block35    2 x 4           80 x 256         290 x 160       15 KB         64 KB   215 KB     77 KB          43 KB
//    block17    4 x 2           32 x 896          65 x 384       24 KB         64 KB   194 KB    344 KB          75 KB
//    block8     8 x 1            9 x 1792         10 x 576       21 KB         64 KB   128 KB    399 KB          44 KB
//
// Rows of a product are pixels (block35: 289 in 4 x 80, block17: 64, block8: 9 of 16), so a second image in block8's
// idle rows would be free; next come that, adding partial sums of x's slices instead of fetching x, and clusters of 16,
// which a card need not have. None of it has run on a card.
#include "fused_blocks.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

template <int I>
struct PlanOf {
  static constexpr FusedPlan plan = fused_plans[I];
};

template <class Product, class Plan>
__global__ void __launch_bounds__(FusedPlan::threads, 1) fused_blocks_kernel(FusedBlocksArgs args) {
  wait_for_earlier();
  if constexpr (in_clusters()) {
    constexpr int count = Plan::plan.shared_words();
    WAJAH_DYNAMIC_SHARED(unsigned, words, count);
    FusedBlock<Product, Plan> block(args, words);
    block.run();
  }
}

template <class Product, class Plan>
void run(const FusedBlocksArgs& args, const Launch& on) {
  constexpr auto cluster = static_cast<unsigned>(Plan::plan.cluster());
  launch_clusters("fused_blocks", fused_blocks_kernel<Product, Plan>, cluster,
                  dim3{cluster * static_cast<unsigned>(args.x.shape.n)}, dim3{FusedPlan::threads},
                  Plan::plan.shared_words() * sizeof(unsigned), on, args);
}

template <class Product>
void choose(const FusedBlocksArgs& args, const Launch& on) {
  switch (args.plan) {
    case 0: return run<Product, PlanOf<0>>(args, on);
    case 1: return run<Product, PlanOf<1>>(args, on);
    case 2: return run<Product, PlanOf<2>>(args, on);
    default: return;
  }
}

}  // namespace

void fused_blocks(const FusedBlocksArgs& args, const Launch& on) {
  return on.arithmetic == Arithmetic::bf16 ? choose<BfloatProduct>(args, on) : choose<HalfProduct>(args, on);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
