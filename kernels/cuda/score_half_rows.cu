// score_half_rows: one query with many rows of halves. Bound by memory, half of what floats need.
// Step 1: a warp a row, its lanes neighbouring halves. Step 2: two halves a lane where rows lie on 4 bytes.
#include "score_rows.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

template <bool Pairs>
__global__ void __launch_bounds__(scoring_threads) score_half_rows_kernel(ScoreHalfRowsArgs args) {
  wait_for_earlier();
  const int r = scored_row();
  if (r >= args.count) return;  // a whole warp
  const uint16_t* const row = args.rows + r * args.stride;
  float sum = 0;
  if constexpr (Pairs) {
    for (int k = scoring_lane() * 2; k < args.d; k += 64) {
      const float2 x = halves(vector_at<unsigned>(row + k));
      sum += x.x * args.query[k] + x.y * args.query[k + 1];
    }
  } else {
    for (int k = scoring_lane(); k < args.d; k += 32) sum += halves(row[k]).x * args.query[k];
  }
  sum = sum_of_warp(sum);
  if (scoring_lane() == 0) args.score[r] = sum;
}

}  // namespace

void score_half_rows(const ScoreHalfRowsArgs& args, const Launch& on) {
  const bool pairs = args.d % 2 == 0 && args.stride % 2 == 0 && reinterpret_cast<uintptr_t>(args.rows) % 4 == 0;
  launch("score_half_rows", pairs ? score_half_rows_kernel<true> : score_half_rows_kernel<false>,
         scoring_grid(args.count), dim3{scoring_threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
