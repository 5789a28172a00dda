// score_float_rows: one query with many rows of floats. Bound by memory: every row is read once.
// Step 1: a warp a row, its lanes neighbouring numbers. Step 2: four numbers a lane where rows lie on 16 bytes.
#include "score_rows.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

template <bool Vectors>
__global__ void __launch_bounds__(scoring_threads) score_float_rows_kernel(ScoreFloatRowsArgs args) {
  wait_for_earlier();
  const int r = scored_row();
  if (r >= args.count) return;  // a whole warp
  const float* const row = args.rows + r * args.stride;
  float sum = 0;
  if constexpr (Vectors) {
#pragma unroll 2  // more, and sm_86 spills
    for (int k = scoring_lane() * 4; k < args.d; k += 128) {
      const float4 x = vector_at<float4>(row + k), q = vector_at<float4>(args.query + k);
      sum += x.x * q.x + x.y * q.y + x.z * q.z + x.w * q.w;
    }
  } else {
    for (int k = scoring_lane(); k < args.d; k += 32) sum += row[k] * args.query[k];
  }
  sum = sum_of_warp(sum);
  if (scoring_lane() == 0) args.score[r] = sum;
}

}  // namespace

void score_float_rows(const ScoreFloatRowsArgs& args, const Launch& on) {
  const auto at_16 = [](const void* p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; };
  const bool vectors = args.d % 4 == 0 && args.stride % 4 == 0 && at_16(args.rows) && at_16(args.query);
  launch("score_float_rows", vectors ? score_float_rows_kernel<true> : score_float_rows_kernel<false>,
         scoring_grid(args.count), dim3{scoring_threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
