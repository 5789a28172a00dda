// collect_rows: a batch's results to their place in the list. How many boxes were judged before is known to the card
// alone, so that the same launches serve every batch. One block, which is the last to read that number and changes it.
#include "boxes.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 512;

__global__ void __launch_bounds__(threads) collect_rows_kernel(CollectRowsArgs args) {
  wait_for_earlier();
  const int first = *args.list.judged, count = min(args.y.shape.n, *args.list.count - first), c = args.list.channels;
  for (int i = static_cast<int>(threadIdx.x); i < count * c; i += threads) {
    args.list.rows[static_cast<ptrdiff_t>(first) * c + i] = args.y.data[i / c * args.y.stride + i % c];
  }
  __syncthreads();  // all have read it
  if (threadIdx.x == 0) *args.list.judged = first + max(count, 0);
}

}  // namespace

void collect_rows(const CollectRowsArgs& args, const Launch& on) {
  launch("collect_rows", collect_rows_kernel, dim3{1}, dim3{threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
