// The arithmetic of area resizing: pixels of three bytes as four floats, as many pixels in a register as it has room
// for, and OpenCV's rounding. The arithmetic must not be fused: an FMA rounds once where OpenCV rounds twice, and a
// rounding boundary moves a byte.
#pragma once

#include <wajah/detect/resample.hpp>

#include "vec.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

constexpr int rows_at_once = lanes / 4;

using Pixel = float __attribute__((vector_size(16)));
using Whole = int __attribute__((vector_size(16)));

// Hides a product from the compiler, which would otherwise contract it with the addition that follows.
template <class T>
WAJAH_VEC T unfused(T product) {
#if defined(__AVX512F__)
  asm("" : "+v"(product));
#elif defined(__FMA__)
  asm("" : "+x"(product));
#endif
  return product;
}

WAJAH_VEC Pixel load(const float* p) {
  Pixel v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
WAJAH_VEC void store(float* p, Pixel v) { __builtin_memcpy(p, &v, sizeof v); }

// Neighbouring rows.
struct Rows {
  const uint8_t* row[rows_at_once];
};

// Four bytes a pixel to as many floats; words[r] is row r's pixel.
WAJAH_VEC Floats widen(const int* words) {
#if defined(__AVX512F__)
  // The form with a mask, because the plain one reads an undefined register on purpose and g++ 12 warns of it.
  const __m512i wide = _mm512_maskz_cvtepu8_epi32(0xffff, _mm_set_epi32(words[3], words[2], words[1], words[0]));
  return __builtin_convertvector(reinterpret_cast<Ints>(wide), Floats);
#elif defined(__AVX2__)
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_set_epi32(0, 0, words[1], words[0])));
#else
  using Bytes = unsigned char __attribute__((vector_size(16)));
  using Shorts = unsigned short __attribute__((vector_size(16)));
  const Bytes bytes = reinterpret_cast<Bytes>(Whole{words[0], 0, 0, 0});
  const Bytes pairs = __builtin_shufflevector(bytes, Bytes{}, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const Shorts wide = __builtin_shufflevector(reinterpret_cast<Shorts>(pairs), Shorts{}, 0, 8, 1, 9, 2, 10, 3, 11);
  return __builtin_convertvector(reinterpret_cast<Whole>(wide), Floats);
#endif
}

// The pixels of one column. A pixel is read as four bytes, the fourth being ignored; `size` is 3 for the last pixel of
// a picture, which has no fourth.
template <size_t size = 4>
WAJAH_VEC Floats column(const Rows& rows, ptrdiff_t x) {
  int words[rows_at_once]{};
  for (int r = 0; r < rows_at_once; ++r) __builtin_memcpy(&words[r], rows.row[r] + 3 * x, size);
  return widen(words);
}

// A sum times `scale`, rounded to a whole number if so wanted. T: Floats or Pixel; Int: the ints of that size.
template <class Int, class T>
WAJAH_VEC T rounded(T v, float scale, Rounding rounding) {
  constexpr float to_integer = 12582912.0F;  // 1.5 * 2^23: adding it rounds, ties to even
  v = unfused(v * scale);
  if (rounding == Rounding::half_even) v = unfused(v + to_integer) - to_integer;
  if (rounding == Rounding::half_up) v = __builtin_convertvector(__builtin_convertvector(v + 0.5F, Int), T);
  return v;
}

WAJAH_VEC Floats load_all(const float* p) { return Vec::load(p).v; }
WAJAH_VEC void store_all(float* p, Floats v) { Vec(v).store(p); }

WAJAH_VEC int padded(int width) { return (width + rows_at_once - 1) / rows_at_once * rows_at_once; }

// A register's pixel of row r.
template <int r, class T>
WAJAH_VEC Pixel row_of(T v) {
  if constexpr (rows_at_once == 1) {
    return v;
  } else {
    return __builtin_shufflevector(v, v, 4 * r, 4 * r + 1, 4 * r + 2, 4 * r + 3);
  }
}

// rows: rows_at_once of them, `step` floats each; gets pixel i of every row.
WAJAH_VEC void spread(Floats v, float* rows, ptrdiff_t step, int i) {
  store(rows + 4 * i, row_of<0>(v));
  if constexpr (rows_at_once > 1) store(rows + step + 4 * i, row_of<1>(v));
  if constexpr (rows_at_once > 2) {
    store(rows + 2 * step + 4 * i, row_of<2>(v));
    store(rows + 3 * step + 4 * i, row_of<3>(v));
  }
}

// Makes floats of columns [begin, end) of the rows from `row` on, a column of rows_at_once pixels after the other; past
// the end of the picture its last row again.
WAJAH_VEC void widen_rows(ConstView<uint8_t> x, int row, int begin, int end, float* source) {
  const int bottom = x.shape.h - 1, last = x.shape.w - 1;
  Rows rows;
  for (int r = 0; r < rows_at_once; ++r) rows.row[r] = x.pixel(0, row + r < bottom ? row + r : bottom, 0);
  for (int i = begin; i < end; ++i, source += lanes) {
    store_all(source, i < last ? column(rows, i) : column<3>(rows, i));
  }
}

// The weighted sums of the widened columns, of which the first is column 0 of the taps, as rows of pixels, `step` floats
// each.
WAJAH_VEC void sum_columns(const Taps& taps, int width, const float* source, float* rows, ptrdiff_t step) {
  for (int i = 0; i < width; ++i) {
    const float* weights = taps.weights + taps.start[i];
    const float* x = source + static_cast<ptrdiff_t>(taps.first[i]) * lanes;
    Floats sum{};
    for (int k = 0; k < taps.count[i]; ++k, x += lanes) sum += unfused(load_all(x) * weights[k]);
    spread(sum, rows, step, i);
  }
}

// total += row * weight, `width` pixels, rounded up to whole registers.
WAJAH_VEC void add_row(float* total, const float* row, float weight, int width) {
  for (int i = 0; i < width; i += rows_at_once) {
    store_all(total + 4 * i, load_all(total + 4 * i) + unfused(load_all(row + 4 * i) * weight));
  }
}

WAJAH_VEC void clear_row(float* total, int width) {
  for (int i = 0; i < width; i += rows_at_once) store_all(total + 4 * i, Floats{});
}

}  // namespace
}  // namespace wajah::WAJAH_KERNEL_ISA
