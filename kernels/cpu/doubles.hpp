// Doubles: eight doubles, however many registers of the instruction set that takes, for the few kernels whose sums need
// the precision. Every operation rounds alone (no product is fused with a sum), so that results are the same on every
// instruction set.
#pragma once

#include <vec.hpp>

namespace wajah::WAJAH_KERNEL_ISA {

constexpr int double_lanes = 8;

#ifdef __AVX512F__

struct Doubles {
  __m512d v;

  WAJAH_VEC static Doubles load(const double* p) { return {_mm512_loadu_pd(p)}; }
  WAJAH_VEC static Doubles load(const float* p) { return {_mm512_maskz_cvtps_pd(0xFF, _mm256_loadu_ps(p))}; }
  WAJAH_VEC static Doubles all(double x) { return {_mm512_set1_pd(x)}; }
  WAJAH_VEC void store(double* p) const { _mm512_storeu_pd(p, v); }

  friend WAJAH_VEC Doubles operator+(Doubles a, Doubles b) { return {a.v + b.v}; }
  friend WAJAH_VEC Doubles operator-(Doubles a, Doubles b) { return {a.v - b.v}; }
  friend WAJAH_VEC Doubles operator/(Doubles a, Doubles b) { return {a.v / b.v}; }
  friend WAJAH_VEC Doubles operator*(Doubles a, Doubles b) {
    __m512d product = a.v * b.v;
    __asm__("" : "+v"(product));  // hides the product from the compiler, which would fuse it with a sum
    return {product};
  }
};
WAJAH_VEC Doubles max(Doubles a, Doubles b) { return {_mm512_maskz_max_pd(0xFF, a.v, b.v)}; }
WAJAH_VEC Doubles min(Doubles a, Doubles b) { return {_mm512_maskz_min_pd(0xFF, a.v, b.v)}; }
// One bit a lane.
WAJAH_VEC unsigned equal(Doubles a, Doubles b) { return _mm512_cmp_pd_mask(a.v, b.v, _CMP_EQ_OQ); }
// a in the lanes of `bits`, b in the others.
WAJAH_VEC Doubles where(unsigned bits, Doubles a, Doubles b) {
  return {_mm512_mask_mov_pd(b.v, static_cast<__mmask8>(bits), a.v)};
}

// Both in the form with a mask, because g++ 12 warns of the undefined value inside the one without.
WAJAH_VEC __m256d lower(Doubles a) { return _mm512_maskz_extractf64x4_pd(0xF, a.v, 0); }
WAJAH_VEC __m256d upper(Doubles a) { return _mm512_maskz_extractf64x4_pd(0xF, a.v, 1); }

#elif defined(__AVX2__)

struct Doubles {
  __m256d low, high;

  WAJAH_VEC static Doubles load(const double* p) { return {_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)}; }
  WAJAH_VEC static Doubles load(const float* p) {
    return {_mm256_cvtps_pd(_mm_loadu_ps(p)), _mm256_cvtps_pd(_mm_loadu_ps(p + 4))};
  }
  WAJAH_VEC static Doubles all(double x) { return {_mm256_set1_pd(x), _mm256_set1_pd(x)}; }
  WAJAH_VEC void store(double* p) const {
    _mm256_storeu_pd(p, low);
    _mm256_storeu_pd(p + 4, high);
  }

  friend WAJAH_VEC Doubles operator+(Doubles a, Doubles b) { return {a.low + b.low, a.high + b.high}; }
  friend WAJAH_VEC Doubles operator-(Doubles a, Doubles b) { return {a.low - b.low, a.high - b.high}; }
  friend WAJAH_VEC Doubles operator/(Doubles a, Doubles b) { return {a.low / b.low, a.high / b.high}; }
  friend WAJAH_VEC Doubles operator*(Doubles a, Doubles b) {
    Doubles product{a.low * b.low, a.high * b.high};
    __asm__("" : "+x"(product.low), "+x"(product.high));  // see above
    return product;
  }
};
WAJAH_VEC Doubles max(Doubles a, Doubles b) { return {_mm256_max_pd(a.low, b.low), _mm256_max_pd(a.high, b.high)}; }
WAJAH_VEC Doubles min(Doubles a, Doubles b) { return {_mm256_min_pd(a.low, b.low), _mm256_min_pd(a.high, b.high)}; }
WAJAH_VEC unsigned equal(Doubles a, Doubles b) {
  const auto low = static_cast<unsigned>(_mm256_movemask_pd(_mm256_cmp_pd(a.low, b.low, _CMP_EQ_OQ)));
  return low | static_cast<unsigned>(_mm256_movemask_pd(_mm256_cmp_pd(a.high, b.high, _CMP_EQ_OQ))) << 4;
}
WAJAH_VEC __m256d lanes_of(unsigned bits) {
  const __m256i bit = _mm256_setr_epi64x(1, 2, 4, 8);
  return _mm256_castsi256_pd(_mm256_cmpeq_epi64(_mm256_and_si256(_mm256_set1_epi64x(bits), bit), bit));
}
WAJAH_VEC Doubles where(unsigned bits, Doubles a, Doubles b) {
  return {_mm256_blendv_pd(b.low, a.low, lanes_of(bits)), _mm256_blendv_pd(b.high, a.high, lanes_of(bits >> 4))};
}

WAJAH_VEC __m256d lower(Doubles a) { return a.low; }
WAJAH_VEC __m256d upper(Doubles a) { return a.high; }

#else

struct Doubles {
  double v[double_lanes];

  WAJAH_VEC static Doubles load(const double* p) {
    Doubles x;
    __builtin_memcpy(x.v, p, sizeof x.v);
    return x;
  }
  WAJAH_VEC static Doubles load(const float* p) {
    Doubles x;
    for (int l = 0; l < double_lanes; ++l) x.v[l] = static_cast<double>(p[l]);
    return x;
  }
  WAJAH_VEC static Doubles all(double value) {
    Doubles x;
    for (double& lane : x.v) lane = value;
    return x;
  }
  WAJAH_VEC void store(double* p) const { __builtin_memcpy(p, v, sizeof v); }

  template <class Operation>
  WAJAH_VEC static Doubles each(Doubles a, Doubles b, Operation operation) {
    for (int l = 0; l < double_lanes; ++l) a.v[l] = operation(a.v[l], b.v[l]);
    return a;
  }
  friend WAJAH_VEC Doubles operator+(Doubles a, Doubles b) {
    return each(
        a, b, [](double x, double y) __attribute__((always_inline)) { return x + y; });
  }
  friend WAJAH_VEC Doubles operator-(Doubles a, Doubles b) {
    return each(
        a, b, [](double x, double y) __attribute__((always_inline)) { return x - y; });
  }
  friend WAJAH_VEC Doubles operator*(Doubles a, Doubles b) {
    return each(
        a, b, [](double x, double y) __attribute__((always_inline)) { return x * y; });
  }
  friend WAJAH_VEC Doubles operator/(Doubles a, Doubles b) {
    return each(
        a, b, [](double x, double y) __attribute__((always_inline)) { return x / y; });
  }
};
WAJAH_VEC Doubles max(Doubles a, Doubles b) {
  return Doubles::each(
      a, b, [](double x, double y) __attribute__((always_inline)) { return x > y ? x : y; });
}
WAJAH_VEC Doubles min(Doubles a, Doubles b) {
  return Doubles::each(
      a, b, [](double x, double y) __attribute__((always_inline)) { return x < y ? x : y; });
}
WAJAH_VEC unsigned equal(Doubles a, Doubles b) {
  unsigned bits = 0;
  for (unsigned l = 0; l < double_lanes; ++l) bits |= static_cast<unsigned>(a.v[l] == b.v[l]) << l;
  return bits;
}
WAJAH_VEC Doubles where(unsigned bits, Doubles a, Doubles b) {
  for (unsigned l = 0; l < double_lanes; ++l) a.v[l] = (bits >> l & 1U) != 0 ? a.v[l] : b.v[l];
  return a;
}

#endif

#ifdef __AVX2__
WAJAH_VEC double max_lane(Doubles a) {
  const __m256d four = _mm256_max_pd(lower(a), upper(a));
  const __m128d two = _mm_max_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_max_sd(two, _mm_unpackhi_pd(two, two)));
}
WAJAH_VEC double min_lane(Doubles a) {
  const __m256d four = _mm256_min_pd(lower(a), upper(a));
  const __m128d two = _mm_min_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_min_sd(two, _mm_unpackhi_pd(two, two)));
}
#else
WAJAH_VEC double max_lane(Doubles a) {
  double most = a.v[0];
  for (const double x : a.v) most = x > most ? x : most;
  return most;
}
WAJAH_VEC double min_lane(Doubles a) {
  double least = a.v[0];
  for (const double x : a.v) least = x < least ? x : least;
  return least;
}
#endif

}  // namespace wajah::WAJAH_KERNEL_ISA
