// Inner products of one query with many rows of bytes. A search reads every row once, so memory is the limit and the
// aim is to do nothing else: a row's byte is loaded with 63 others, multiplied and added in one instruction. Rows are
// stored with 128 added (bytes without a sign, as vpdpbusd wants them), which costs one subtraction a row, because 128
// times the query's sum is the same for all. Without VNNI bytes are widened to 16 bits first: the shorter vpmaddubsw
// saturates at these ranges.
#define WAJAH_HAS_VNNI
#include <wajah/search/score_rows.hpp>

#include <score_rows.hpp>

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

constexpr int chunk = 64;
constexpr int rows_at_once = 4;

// Once a row, so it need not be clever.
template <class Vector>
WAJAH_VEC int sum_of(Vector v) {
  int lane[sizeof v / sizeof(int)], sum = 0;
  __builtin_memcpy(lane, &v, sizeof lane);
  for (const int x : lane) sum += x;
  return sum;
}

#if defined(__AVX512VNNI__)
struct Sum {
  __m512i v = _mm512_setzero_si512();
  WAJAH_VEC void add(const uint8_t* row, const int8_t* query) {
    v = _mm512_dpbusd_epi32(v, _mm512_load_si512(row), _mm512_loadu_si512(query));
  }
  [[nodiscard]] WAJAH_VEC int total() const { return sum_of(v); }
};
#elif defined(__AVX512BW__)
struct Sum {
  __m512i v = _mm512_setzero_si512();
  WAJAH_VEC void add(const uint8_t* row, const int8_t* query) {
#pragma GCC unroll 2
    for (int half = 0; half < chunk; half += 32) {
      const __m512i r = _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + half)));
      const __m512i q = _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(query + half)));
      v = _mm512_add_epi32(v, _mm512_madd_epi16(r, q));
    }
  }
  [[nodiscard]] WAJAH_VEC int total() const { return sum_of(v); }
};
#elif defined(__AVX2__)
struct Sum {
  __m256i v = _mm256_setzero_si256();
  WAJAH_VEC void add(const uint8_t* row, const int8_t* query) {
#pragma GCC unroll 4
    for (int part = 0; part < chunk; part += 16) {
      const __m256i r = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row + part)));
      const __m256i q = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(query + part)));
      v = _mm256_add_epi32(v, _mm256_madd_epi16(r, q));
    }
  }
  [[nodiscard]] WAJAH_VEC int total() const { return sum_of(v); }
};
#else
struct Sum {
  int v = 0;
  WAJAH_VEC void add(const uint8_t* row, const int8_t* query) {
    for (int k = 0; k < chunk; ++k) v += static_cast<int>(row[k]) * static_cast<int>(query[k]);
  }
  [[nodiscard]] WAJAH_VEC int total() const { return v; }
};
#endif

template <int rows>
WAJAH_VEC void score(const ScoreByteRowsArgs& a, ptrdiff_t first) {
  Sum sum[rows];
  const uint8_t* row = a.rows + first * a.padded;
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r, row += a.padded) {
    for (int k = 0; k < a.padded; k += chunk) {
      __builtin_prefetch(row + k + ahead);
      sum[r].add(row + k, a.query + k);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r) {
    const int dot = sum[r].total() - 128 * a.query_sum;
    a.score[first + r] = a.row_scale[first + r] * a.query_scale * static_cast<float>(dot);
  }
}

}  // namespace

void score_byte_rows(const ScoreByteRowsArgs& args, Part part) {
  ptrdiff_t row = part.begin(args.count);
  const ptrdiff_t end = part.end(args.count);
  for (; row + rows_at_once <= end; row += rows_at_once) score<rows_at_once>(args, row);
  for (; row < end; ++row) score<1>(args, row);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
