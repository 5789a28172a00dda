// score_byte_rows: one query with many rows of bytes, exact integer sums. Bound by memory, a quarter of what floats
// need. Step 1: a warp a row. Step 2: sixteen bytes a lane and four products an instruction (dp4a); flipping the top
// bit of a byte takes 128 off, so the sum needs no correction.
#include "score_rows.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

__device__ __forceinline__ int add_products(unsigned bytes, unsigned query, int sum) {
  return __dp4a(static_cast<int>(bytes ^ 0x8080'8080U), static_cast<int>(query), sum);
}

__global__ void __launch_bounds__(scoring_threads) score_byte_rows_kernel(ScoreByteRowsArgs args) {
  wait_for_earlier();
  const int r = scored_row();
  if (r >= args.count) return;  // a whole warp
  const uint8_t* const row = args.rows + static_cast<ptrdiff_t>(r) * args.padded;
  int sum = 0;
  for (int k = scoring_lane() * 16; k < args.padded; k += 512) {
    const uint4 x = vector_at<uint4>(row + k), q = vector_at<uint4>(args.query + k);
    sum = add_products(x.x, q.x, sum);
    sum = add_products(x.y, q.y, sum);
    sum = add_products(x.z, q.z, sum);
    sum = add_products(x.w, q.w, sum);
  }
  sum = sum_of_warp(sum);
  if (scoring_lane() == 0) args.score[r] = args.row_scale[r] * args.query_scale * static_cast<float>(sum);
}

}  // namespace

void score_byte_rows(const ScoreByteRowsArgs& args, const Launch& on) {
  launch("score_byte_rows", score_byte_rows_kernel, scoring_grid(args.count), dim3{scoring_threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
