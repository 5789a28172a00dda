// select_judged: the boxes of a list that are faces, in its order, which decides where scores are equal. One block, as
// in next_crops.cu.
#include "boxes.hpp"
#include "line_up.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads) select_judged_kernel(SelectJudgedArgs args) {
  wait_for_earlier();
  WAJAH_SHARED(int, sums, LineUp<threads>::words);
  const int t = static_cast<int>(threadIdx.x), count = *args.list.count;
  LineUp<threads> line_up(sums);
  int length = 0;
  for (int first = 0; first < count; first += threads) {
    ScoredCardBox rival{};
    bool is_face = false;
    if (first + t < count) {
      const float* const row = args.list.rows + static_cast<ptrdiff_t>(first + t) * args.list.channels;
      rival = args.list.boxes[first + t];
      rival.score = row[1];
      if (args.regressed) rival = regress(rival, row + 2, 1);
      is_face = rival.score > args.threshold && is_finite(rival);
    }
    const int at = line_up.place(is_face, length);
    if (!is_face) continue;
    args.rivals[at] = rival;
    args.sources[at] = first + t;
  }
  if (t == 0) {
    args.starts[0] = 0;
    args.starts[1] = length;
  }
}

}  // namespace

void select_judged(const SelectJudgedArgs& args, const Launch& on) {
  launch("select_judged", select_judged_kernel, dim3{1}, dim3{threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
