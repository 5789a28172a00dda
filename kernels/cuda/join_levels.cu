// join_levels: what was kept of all levels, one after another. A block a level; each adds up how many stand before its
// own, which are few numbers.
#include "boxes.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 128;

__global__ void __launch_bounds__(threads) join_levels_kernel(JoinLevelsArgs args) {
  wait_for_earlier();
  const int level = static_cast<int>(blockIdx.x), first = args.starts[level], count = args.counts[level];
  int before = 0;
  for (int l = 0; l < level; ++l) before += args.counts[l];
  for (int i = static_cast<int>(threadIdx.x); i < count; i += threads) {
    const int from = first + args.kept[first + i];
    args.joined[before + i] = args.boxes[from];
    args.joined_sources[before + i] = args.sources[from];
  }
  if (threadIdx.x != 0) return;
  if (level == 0) args.joined_starts[0] = 0;
  if (level + 1 == args.levels) args.joined_starts[1] = before + count;
}

}  // namespace

void join_levels(const JoinLevelsArgs& args, const Launch& on) {
  launch("join_levels", join_levels_kernel, dim3{static_cast<unsigned>(args.levels)}, dim3{threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
