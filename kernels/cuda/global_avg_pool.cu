// global_avg_pool: the mean of every channel over the whole map. Bound by memory.
// Step 1: a thread a channel of an image walks all pixels: whole lines for a warp, but too few threads for one image.
// Step 2: a block a group of 32 channels, its warps take every eighth pixel; their sums meet in shared memory.
#include <wajah/layers/avg_pool2d.hpp>

#include "avg_pool.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void global_avg_pool(const GlobalAvgPoolArgs& args, const Launch& on) {
  run_avg_pool<Floats>("global_avg_pool", args, on);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
