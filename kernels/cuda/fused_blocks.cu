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
// 4. Neighbours are slow: the network between multiprocessors gives each some 20 bytes a nanosecond (3.3 TB/s on a
// whole
//    H100, "Benchmarking and Dissecting the Nvidia Hopper GPU Architecture", arXiv 2402.13499), L2 two to five times
//    that. So the cluster is a grid: `across` slices of the channels times `down` parts of the pixels. Of x a block has
//    only its own pixels, and fetches (across - 1) / across of their channels; of the branches also the pixels that its
//    windows reach beyond. A weight is then read `down` times.
// 5. All repeats stay in the cluster: x goes in once and out once. What a block adds to, its share of x, is in
// registers
//    as float32 and never rounded; only what is multiplied is 16 bits wide.
// 6. The warps of a block share the inner dimension, not only outputs: each reads the rows of its products once and no
//    weight is read by two. So weights need no common tiles: they are packed as one stream a warp, in the order of its
//    use, already as fragments, and flow by cp.async through a ring that each lane fills and reads for itself. No
//    barrier stands in it, so it runs on through steps and exchanges: a step begins with its first 14 chunks of 512
//    bytes there or on their way.
//
// What sits where (fused_plan.hpp; of 227 KB that a block may have on sm_90), and what comes to a block for each
// residual block, in KB:
//
//             across x down   x, own pixels   branches' map   sums to add   rings   all   weights from L2   from
//             neighbours
//   block35   2 x 4            80 x 256 41    290 x 160 95         15        64    215          75                 46
//   block17   4 x 2            32 x 896 57     65 x 384 50         24        64    194         336                 74
//   block8    8 x 1            9 x 1792 32     10 x 576 11         21        64    128         390                 39
//
// How mma.sync (m16n8k16) maps to it: rows are a block's pixels in whole products of 16 (block35: 289 in 4 x 80,
// block17: 64 in 2 x 32, block8: 9 of 16), ldmatrix takes each row where the window's tap says, or a row of zeros
// beside the map; columns are output channels, and a chunk of weights is two products deep: 32 of the inner dimension
// by 8 channels.
//
// What would come next: block8's idle rows have room for a second image; adding partial sums over x's slices would move
// 0.6 of what fetching x does; clusters of 16 would halve what each block reads, but a card need not have them. None of
// this has run on a card.
#include "fused_blocks.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

template <int I>
struct PlanOf {
  static constexpr FusedPlan plan = fused_plans[I];
};

template <class Product, class Plan, class Args>
__global__ void __launch_bounds__(FusedPlan::threads, 1) fused_blocks_kernel(Args args) {
  wait_for_earlier();
  if constexpr (in_clusters()) {
    constexpr int count = Plan::plan.shared_words();
    WAJAH_DYNAMIC_SHARED(unsigned, words, count);
    FusedBlock<Product, Plan, Args> block(args, words);
    block.run();
  }
}

template <class Product, class Plan, class Args>
void run(const Args& args, const Launch& on) {
  constexpr auto cluster = static_cast<unsigned>(Plan::plan.cluster());
  launch_clusters("fused_blocks", fused_blocks_kernel<Product, Plan, Args>, cluster,
                  dim3{cluster * static_cast<unsigned>(args.x.shape.n)}, dim3{FusedPlan::threads},
                  Plan::plan.shared_words() * sizeof(unsigned), on, args);
}

template <class Product, class Args>
void choose(const Args& args, const Launch& on) {
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

void fused_blocks_half(const FusedBlocksHalfArgs& args, const Launch& on) {
  return on.arithmetic == Arithmetic::bf16 ? choose<BfloatProduct>(args, on) : choose<HalfProduct>(args, on);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
