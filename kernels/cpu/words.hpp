// Words: the numbers maps and rows consist of, float or half, loaded into and stored from vectors of floats. Kernels
// that only move and compare them, or that compute in float anyway, are written once for both.
#pragma once

#include "vec.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

WAJAH_VEC Vec load_words(const float* p, Lanes some) { return Vec::load(p, some); }
WAJAH_VEC void store_words(float* p, Lanes some, Vec x) { x.store(p, some); }

#if defined(__AVX512F__)
WAJAH_VEC Vec load_words(const uint16_t* p, Lanes some) {
  return Vec(_mm512_maskz_cvtph_ps(all_lanes, _mm256_maskz_loadu_epi16(some.mask, p)));
}
WAJAH_VEC void store_words(uint16_t* p, Lanes some, Vec x) {
  _mm256_mask_storeu_epi16(p, some.mask, _mm512_maskz_cvtps_ph(all_lanes, x.v, _MM_FROUND_TO_NEAREST_INT));
}
#elif defined(__AVX2__)
WAJAH_VEC Vec load_words(const uint16_t* p, Lanes some) {
  if (some.all) return Vec(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  uint16_t values[lanes] = {};
  for (int l = 0; l < some.count; ++l) values[l] = p[l];
  __m128i half;
  __builtin_memcpy(&half, values, sizeof half);
  return Vec(_mm256_cvtph_ps(half));
}
WAJAH_VEC void store_words(uint16_t* p, Lanes some, Vec x) {
  const __m128i half = _mm256_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT);
  if (some.all) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), half);
  uint16_t values[lanes];
  __builtin_memcpy(values, &half, sizeof half);
  for (int l = 0; l < some.count; ++l) p[l] = values[l];
}
#else
// 1 sign, 5 exponent, 10 fraction bits. Shifted to where a float has them, the exponent is too small by 127 - 15, which
// one multiplication by a power of two repairs, subnormals included.
WAJAH_VEC float widen(uint16_t half) {
  const uint32_t magnitude = static_cast<uint32_t>(half & 0x7FFFU) << 13, sign = static_cast<uint32_t>(half >> 15)
                                                                                 << 31;
  float value;
  __builtin_memcpy(&value, &magnitude, sizeof value);
  value *= 0x1p112F;
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  if (magnitude >= 0x0F800000U) bits |= 0x7F800000U;  // infinities
  bits |= sign;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
WAJAH_VEC Vec load_words(const uint16_t* p, Lanes some) {
  float values[lanes] = {};
  for (int l = 0; l < some.count; ++l) values[l] = widen(p[l]);
  return Vec::load(values);
}
WAJAH_VEC void store_words(uint16_t* p, Lanes some, Vec x) {
  for (int l = 0; l < some.count; ++l) {
    const auto half = static_cast<_Float16>(x.v[l]);
    __builtin_memcpy(p + l, &half, sizeof half);
  }
}
#endif

}  // namespace wajah::WAJAH_KERNEL_ISA
