// Inner products of rows. Plain: one product of 512 numbers after the other, two loads for every multiplication. Here a
// tile of rows of a and of b is in registers at once, so that a load serves several products. Sixteen partial sums a
// product whatever the register's width, added in the order of svm/kernel.cpp's loop: a pair of rows has one value
// wherever it stands, the same on AVX2 and AVX-512; the scalar build rounds products before it adds them. Where sixteen
// sums are two registers, the tile goes over its rows twice, once for each half: so a tile may be as large as the
// registers allow, 3 x 4 on AVX2 instead of 2 x 2, and multiplying, not loading, takes the time. A few tiles of a stay
// in the first cache while the rows of b go past them.
#include <wajah/svm/dot_matrix.hpp>

#include <vec.hpp>

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

constexpr int sums = 16;
constexpr int parts = sums / lanes;
// Rows of a and of b in a tile: rows * columns sums and a few operands fill the registers.
constexpr int tile_rows = lanes == 16 ? 4 : 3, tile_columns = lanes == 16 ? 5 : 4;
// Rows of a that stay in the first cache, and those of b that go past them.
constexpr int block_rows = 4 * tile_rows;

// What one pair of numbers adds to a sum.
template <bool distance>
WAJAH_VEC Vec add_term(Vec a, Vec b, Vec sum) {
  if constexpr (!distance) return fma(a, b, sum);
  const Vec difference = a - b;
  return fma(difference, difference, sum);
}

// Lanes 0 to 3 of the sum over lanes 4 apart: 8 apart first, then 4, the order of svm/kernel.cpp.
#if defined(__AVX512F__)
WAJAH_VEC __m128 four_sums(const Vec (&part)[parts]) {
  const __m256 eight =
      _mm512_maskz_extractf32x8_ps(0xFF, part[0].v, 0) + _mm512_maskz_extractf32x8_ps(0xFF, part[0].v, 1);
  return _mm256_castps256_ps128(eight) + _mm256_extractf128_ps(eight, 1);
}
#elif defined(__AVX2__)
WAJAH_VEC __m128 four_sums(const Vec (&part)[parts]) {
  const __m256 eight = part[0].v + part[1].v;
  return _mm256_castps256_ps128(eight) + _mm256_extractf128_ps(eight, 1);
}
#else
WAJAH_VEC Floats four_sums(const Vec (&part)[parts]) { return (part[0].v + part[2].v) + (part[1].v + part[3].v); }
#endif

WAJAH_VEC float total(const Vec (&part)[parts]) {
  const auto four = four_sums(part);
  const float even = four[0] + four[2], odd = four[1] + four[3];
  return even + odd;
}

#if defined(__AVX512F__)
// total() of a column's four rows and of four columns at once: every halving packs two products into one register, in
// the same order of additions, with a third of the shuffles.
WAJAH_VEC __m512 halve_quarters(__m512 a, __m512 b, bool crossed) {
  if (crossed)
    return _mm512_maskz_shuffle_f32x4(all_lanes, a, b, 0x88) + _mm512_maskz_shuffle_f32x4(all_lanes, a, b, 0xDD);
  return _mm512_maskz_shuffle_f32x4(all_lanes, a, b, 0x44) + _mm512_maskz_shuffle_f32x4(all_lanes, a, b, 0xEE);
}
WAJAH_VEC __m512 four_rows(Vec a, Vec b, Vec c, Vec d) {
  return halve_quarters(halve_quarters(a.v, b.v, false), halve_quarters(c.v, d.v, false), true);
}
WAJAH_VEC __m512 halve_pairs(__m512 a, __m512 b) {
  return _mm512_maskz_shuffle_ps(all_lanes, a, b, 0x44) + _mm512_maskz_shuffle_ps(all_lanes, a, b, 0xEE);
}
WAJAH_VEC __m512 halve_last(__m512 a, __m512 b) {
  return _mm512_maskz_shuffle_ps(all_lanes, a, b, 0x88) + _mm512_maskz_shuffle_ps(all_lanes, a, b, 0xDD);
}
// store(y of a row, its quarter) for all four.
template <class Store>
WAJAH_VEC void store_quarters(__m512 v, float* y, ptrdiff_t stride, Store store) {
  store(y, _mm512_maskz_extractf32x4_ps(0xF, v, 0));
  store(y + stride, _mm512_maskz_extractf32x4_ps(0xF, v, 1));
  store(y + 2 * stride, _mm512_maskz_extractf32x4_ps(0xF, v, 2));
  store(y + 3 * stride, _mm512_maskz_extractf32x4_ps(0xF, v, 3));
}
#endif

#if defined(__AVX2__) && !defined(__AVX512F__)
// total() of four products at once, in the same order of additions.
WAJAH_VEC __m128 four_totals(const Vec (&sum)[4][parts]) {
  const auto eight = [&](int c) __attribute__((always_inline)) { return sum[c][0].v + sum[c][1].v; };
  const auto halve = [](__m256 a, __m256 b) __attribute__((always_inline)) {
    return _mm256_permute2f128_ps(a, b, 0x20) + _mm256_permute2f128_ps(a, b, 0x31);
  };
  const __m256 even = halve(eight(0), eight(1)), odd = halve(eight(2), eight(3));
  const __m256 pairs = _mm256_shuffle_ps(even, odd, 0x44) + _mm256_shuffle_ps(even, odd, 0xEE);  // 0 2 | 1 3
  const __m128 low = _mm256_castps256_ps128(pairs), high = _mm256_extractf128_ps(pairs, 1);
  const __m128 crossed = _mm_shuffle_ps(low, high, 0x88) + _mm_shuffle_ps(low, high, 0xDD);  // 0 2 1 3
  return _mm_shuffle_ps(crossed, crossed, 0xD8);
}
#endif

template <int rows, int columns>
WAJAH_VEC void store_totals(const Vec (&sum)[rows][columns][parts], float* y, ptrdiff_t stride) {
#if defined(__AVX512F__)
  if constexpr (rows == tile_rows && columns == tile_columns) {
    const auto column = [&](int c) __attribute__((always_inline)) {
      return four_rows(sum[0][c][0], sum[1][c][0], sum[2][c][0], sum[3][c][0]);
    };
    const __m512 first = halve_last(halve_pairs(column(0), column(1)), halve_pairs(column(2), column(3)));
    store_quarters(
        first, y, stride, [](float* at, __m128 q) __attribute__((always_inline)) { _mm_storeu_ps(at, q); });
    // Not by a masked store: g++ joins it with the extraction, whose hidden lanes may touch the next page.
    const __m512 last = halve_pairs(column(4), column(4));
    return store_quarters(
        halve_last(last, last), y + 4, stride,
        [](float* at, __m128 q) __attribute__((always_inline)) { _mm_store_ss(at, q); });
  }
#elif defined(__AVX2__)
  if constexpr (columns == tile_columns) {
    for (int r = 0; r < rows; ++r) _mm_storeu_ps(y + r * stride, four_totals(sum[r]));
    return;
  }
#endif
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) y[r * stride + c] = total(sum[r][c]);
}

template <bool distance, int rows, int columns>
WAJAH_VEC void tile(const DotMatrixArgs& args, int i, int j) {
  Vec sum[rows][columns][parts];
  const int d = args.a.shape.c;
  for (int p = 0; p < parts; ++p) {
    Vec part[rows][columns];
    for (auto& row : part)
      for (Vec& cell : row) cell = Vec(0.0F);
    const auto add = [&](int k, auto load) __attribute__((always_inline)) {
      Vec a[rows];
      for (int r = 0; r < rows; ++r) a[r] = load(args.a.pixel(i + r, 0, 0) + k);
      for (int c = 0; c < columns; ++c) {
        const Vec b = load(args.b.pixel(j + c, 0, 0) + k);
        for (int r = 0; r < rows; ++r) part[r][c] = add_term<distance>(a[r], b, part[r][c]);
      }
    };
    int k = p * lanes;
#pragma GCC unroll 4
    for (; k + lanes <= d; k += sums)
      add(
          k, [](const float* x) __attribute__((always_inline)) { return Vec::load(x); });
    if (k < d) {
      const Lanes some(d - k);
      add(
          k, [&](const float* x) __attribute__((always_inline)) { return Vec::load(x, some); });
    }
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < columns; ++c) sum[r][c][p] = part[r][c];
  }
  store_totals<rows, columns>(sum, args.y + i * args.y_stride + j, args.y_stride);
}

// Rows i to end - 1 of a, in tiles of `rows`, with `columns` rows of b.
template <bool distance, int columns>
WAJAH_VEC void tile_column(const DotMatrixArgs& args, int i, int end, int j) {
  for (; i + tile_rows <= end; i += tile_rows) tile<distance, tile_rows, columns>(args, i, j);
  if constexpr (tile_rows > 3)
    if (i + 3 <= end) return tile<distance, 3, columns>(args, i, j);
  if (i + 2 <= end) return tile<distance, 2, columns>(args, i, j);
  if (i < end) tile<distance, 1, columns>(args, i, j);
}

template <bool distance>
WAJAH_VEC void all_rows(const DotMatrixArgs& args, Part part) {
  const auto begin = static_cast<int>(part.begin(args.a.shape.n)), end = static_cast<int>(part.end(args.a.shape.n));
  for (int i = begin; i < end; i += block_rows) {
    const int block_end = i + block_rows < end ? i + block_rows : end;
    int j = 0;
    for (; j + tile_columns <= args.b.shape.n; j += tile_columns)
      tile_column<distance, tile_columns>(args, i, block_end, j);
    for (; j < args.b.shape.n; ++j) tile_column<distance, 1>(args, i, block_end, j);
  }
}

}  // namespace

void dot_matrix(const DotMatrixArgs& args, Part part) {
  if (args.distance) {
    all_rows<true>(args, part);
  } else {
    all_rows<false>(args, part);
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
