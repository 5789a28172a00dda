// Questions about the lanes of a Vec whose answers are bits or single numbers: which are equal, which is the largest.
#pragma once

#include <vec.hpp>

namespace wajah::WAJAH_KERNEL_ISA {

#if defined(__AVX512F__)

// One bit a lane.
WAJAH_VEC uint64_t equal_lanes(Vec a, Vec b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ); }
// a in the lanes of `bits`, b in the others.
WAJAH_VEC Vec where(uint64_t bits, Vec a, Vec b) {
  return Vec(_mm512_mask_mov_ps(b.v, static_cast<__mmask16>(bits), a.v));
}
// Both in the form with a mask, because g++ 12 warns of the undefined value inside the one without.
WAJAH_VEC __m256 lower_lanes(Vec a) { return _mm512_maskz_extractf32x8_ps(0xFF, a.v, 0); }
WAJAH_VEC __m256 upper_lanes(Vec a) { return _mm512_maskz_extractf32x8_ps(0xFF, a.v, 1); }
WAJAH_VEC float max_lane(__m256 a);
WAJAH_VEC float min_lane(__m256 a);
WAJAH_VEC float max_lane(Vec a) { return max_lane(_mm256_max_ps(lower_lanes(a), upper_lanes(a))); }
WAJAH_VEC float min_lane(Vec a) { return min_lane(_mm256_min_ps(lower_lanes(a), upper_lanes(a))); }

#elif defined(__AVX2__)

WAJAH_VEC uint64_t equal_lanes(Vec a, Vec b) {
  return static_cast<uint64_t>(_mm256_movemask_ps(_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)));
}
WAJAH_VEC Vec where(uint64_t bits, Vec a, Vec b) {
  const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i on = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits & 0xFF)), bit), bit);
  return Vec(_mm256_blendv_ps(b.v, a.v, _mm256_castsi256_ps(on)));
}
WAJAH_VEC float max_lane(__m256 a);
WAJAH_VEC float min_lane(__m256 a);
WAJAH_VEC float max_lane(Vec a) { return max_lane(a.v); }
WAJAH_VEC float min_lane(Vec a) { return min_lane(a.v); }

#else

WAJAH_VEC uint64_t equal_lanes(Vec a, Vec b) {
  uint64_t bits = 0;
  for (int l = 0; l < lanes; ++l) bits |= static_cast<uint64_t>(a.v[l] == b.v[l]) << l;
  return bits;
}
WAJAH_VEC Vec where(uint64_t bits, Vec a, Vec b) {
  for (int l = 0; l < lanes; ++l) a.v[l] = (bits >> l & 1U) != 0 ? a.v[l] : b.v[l];
  return a;
}
WAJAH_VEC float max_lane(Vec a) {
  float most = a.v[0];
  for (int l = 1; l < lanes; ++l) most = a.v[l] > most ? a.v[l] : most;
  return most;
}
WAJAH_VEC float min_lane(Vec a) {
  float least = a.v[0];
  for (int l = 1; l < lanes; ++l) least = a.v[l] < least ? a.v[l] : least;
  return least;
}

#endif

#ifdef __AVX2__
WAJAH_VEC float max_lane(__m256 a) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
WAJAH_VEC float min_lane(__m256 a) {
  const __m128 four = _mm_min_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 two = _mm_min_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_min_ss(two, _mm_movehdup_ps(two)));
}
#endif

}  // namespace wajah::WAJAH_KERNEL_ISA
