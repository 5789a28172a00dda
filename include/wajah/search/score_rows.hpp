// The kernel behind a search: inner products of one query with many stored rows, in the three ways rows are stored.
#pragma once

#include <wajah/cpu.hpp>

namespace wajah {

// score[r] = query . row r, for `count` rows of d values, `stride` values apart.
struct ScoreFloatRowsArgs {
  const float* rows;
  const float* query;
  int count, d;
  ptrdiff_t stride;
  float* score;
};
WAJAH_KERNEL(score_float_rows, ScoreFloatRowsArgs)

// The same for rows of IEEE half floats.
struct ScoreHalfRowsArgs {
  const uint16_t* rows;
  const float* query;
  int count, d;
  ptrdiff_t stride;
  float* score;
};
WAJAH_KERNEL(score_half_rows, ScoreHalfRowsArgs)

// score[r] = row_scale[r] * query_scale * sum of (rows[r][k] - 128) * query[k]. Rows and query are `padded` bytes, a
// multiple of 64, with 128 and 0 beyond their values, the rows aligned; query_sum is the sum of the query's bytes. The
// sum is exact, so every instruction set gives one score.
struct ScoreByteRowsArgs {
  const uint8_t* rows;
  const int8_t* query;
  const float* row_scale;
  float query_scale;
  int query_sum, count, padded;
  float* score;
};
WAJAH_KERNEL_VNNI(score_byte_rows, ScoreByteRowsArgs)

}  // namespace wajah
