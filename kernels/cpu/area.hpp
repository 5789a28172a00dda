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

}  // namespace
}  // namespace wajah::WAJAH_KERNEL_ISA
