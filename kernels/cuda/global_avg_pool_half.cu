// global_avg_pool_half: global_avg_pool of a map of 16-bit words: its ladder, half its bytes. The map is 3 x 3 pixels,
// so that reading two channels at once would leave most of a warp without work.
#include <wajah/layers/avg_pool2d_half.hpp>

#include "avg_pool.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void global_avg_pool_half(const GlobalAvgPoolHalfArgs& args, const Launch& on) {
  if (on.arithmetic == Arithmetic::bf16) return run_avg_pool<BfloatWords>("global_avg_pool_half", args, on);
  run_avg_pool<HalfWords>("global_avg_pool_half", args, on);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
