// Inner products of rows. Plain: one product of 512 numbers after the other, two loads for every multiplication. Here a
// tile of rows of a and of b is in registers at once, so that a load serves several products: 25 us -> 3 us for 20 x 20
// rows of 512 on AVX-512. Sixteen partial sums a product whatever the register's width, and products rounded before
// they are added: the value is the one that svm/kernel.cpp's loop gives on any machine.
#include <wajah/svm/dot_matrix.hpp>

#include <vec.hpp>

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

constexpr int sums = 16;
constexpr int parts = sums / lanes;
// Rows of a and of b in a tile: rows * columns * parts sums and a few operands fill the registers.
constexpr int tile_rows = lanes == 16 ? 4 : 2, tile_columns = lanes == 16 ? 5 : lanes == 8 ? 2 : 1;

WAJAH_VEC Vec rounded(Vec product) {
#if defined(__AVX512F__)
  __asm__("" : "+v"(product.v));
#else
  __asm__("" : "+x"(product.v));
#endif
  return product;
}

template <bool distance>
WAJAH_VEC Vec term(Vec a, Vec b) {
  if constexpr (!distance) return rounded(a * b);
  const Vec difference = a - b;
  return rounded(difference * difference);
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

template <bool distance, int rows, int columns>
WAJAH_VEC void tile(const DotMatrixArgs& args, int i, int j) {
  Vec sum[rows][columns][parts];
  for (auto& row : sum)
    for (auto& cell : row)
      for (Vec& part : cell) part = Vec(0.0F);
  const int d = args.a.shape.c;
  const auto add = [&](int k, int p, auto load) __attribute__((always_inline)) {
    Vec b[columns];
    for (int c = 0; c < columns; ++c) b[c] = load(args.b.pixel(j + c, 0, 0) + k);
    for (int r = 0; r < rows; ++r) {
      const Vec a = load(args.a.pixel(i + r, 0, 0) + k);
      for (int c = 0; c < columns; ++c) sum[r][c][p] = sum[r][c][p] + term<distance>(a, b[c]);
    }
  };
  int k = 0;
  for (; k + sums <= d; k += sums)
#pragma GCC unroll 4
    for (int p = 0; p < parts; ++p)
      add(
          k + p * lanes, p, [](const float* x) __attribute__((always_inline)) { return Vec::load(x); });
  for (int p = 0; k + p * lanes < d; ++p) {
    const Lanes some(d - k - p * lanes);
    add(
        k + p * lanes, p, [&](const float* x) __attribute__((always_inline)) { return Vec::load(x, some); });
  }
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) args.y[(i + r) * args.y_stride + j + c] = total(sum[r][c]);
}

template <bool distance, int rows>
WAJAH_VEC void tile_row(const DotMatrixArgs& args, int i) {
  int j = 0;
  for (; j + tile_columns <= args.b.shape.n; j += tile_columns) tile<distance, rows, tile_columns>(args, i, j);
  for (; j < args.b.shape.n; ++j) tile<distance, rows, 1>(args, i, j);
}

template <bool distance>
WAJAH_VEC void all_rows(const DotMatrixArgs& args, Part part) {
  auto i = static_cast<int>(part.begin(args.a.shape.n));
  const auto end = static_cast<int>(part.end(args.a.shape.n));
  for (; i + tile_rows <= end; i += tile_rows) tile_row<distance, tile_rows>(args, i);
  for (; i < end; ++i) tile_row<distance, 1>(args, i);
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
