// Vec: as many floats as one register of the instruction set holds, and the few operations kernels need.
// Every function is forced inline, so that no copy compiled for one instruction set can be called from another.
#pragma once

#include <wajah/shape.hpp>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#define WAJAH_VEC __attribute__((always_inline)) inline

namespace wajah::WAJAH_KERNEL_ISA {

#ifdef __AVX512F__

constexpr int lanes = 16;
constexpr int registers = 32;
using Floats = __m512;
using Ints = int __attribute__((vector_size(64)));
constexpr __mmask16 all_lanes = 0xFFFF;

// Which lanes a partial load or store touches: the first `count`, or all if there are no more than that.
struct Lanes {
  __mmask16 mask;
  WAJAH_VEC explicit Lanes(int count) : mask(count >= lanes ? all_lanes : static_cast<__mmask16>((1U << count) - 1U)) {}
  [[nodiscard]] WAJAH_VEC bool whole() const { return mask == all_lanes; }
};
WAJAH_VEC Floats broadcast(float x) { return _mm512_set1_ps(x); }
WAJAH_VEC Floats load_floats(const float* p, Lanes some) { return _mm512_maskz_loadu_ps(some.mask, p); }
WAJAH_VEC void store_floats(float* p, Lanes some, Floats v) { _mm512_mask_storeu_ps(p, some.mask, v); }
WAJAH_VEC Floats fma_floats(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
// The forms with a mask of all lanes, because g++ 12 warns of the undefined value inside those without.
WAJAH_VEC Floats max_floats(Floats a, Floats b) { return _mm512_maskz_max_ps(all_lanes, a, b); }
WAJAH_VEC Floats min_floats(Floats a, Floats b) { return _mm512_maskz_min_ps(all_lanes, a, b); }
// a where a >= 0, otherwise b.
WAJAH_VEC Floats if_negative_floats(Floats a, Floats b) {
  return _mm512_mask_mov_ps(a, _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_LT_OQ), b);
}

#elif defined(__AVX2__)

constexpr int lanes = 8;
constexpr int registers = 16;
using Floats = __m256;
using Ints = int __attribute__((vector_size(32)));

struct Lanes {
  __m256i mask;
  int count;
  bool all;  // masked stores are slow on some CPUs, so whole vectors go past them
  WAJAH_VEC explicit Lanes(int n)
      : mask(_mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))),
        count(n),
        all(n >= lanes) {}
  [[nodiscard]] WAJAH_VEC bool whole() const { return all; }
};
WAJAH_VEC Floats broadcast(float x) { return _mm256_set1_ps(x); }
WAJAH_VEC Floats load_floats(const float* p, Lanes some) {
  return some.all ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, some.mask);
}
WAJAH_VEC void store_floats(float* p, Lanes some, Floats v) {
  if (some.all) {
    _mm256_storeu_ps(p, v);
  } else {
    _mm256_maskstore_ps(p, some.mask, v);
  }
}
WAJAH_VEC Floats fma_floats(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
WAJAH_VEC Floats max_floats(Floats a, Floats b) { return _mm256_max_ps(a, b); }
WAJAH_VEC Floats min_floats(Floats a, Floats b) { return _mm256_min_ps(a, b); }
WAJAH_VEC Floats if_negative_floats(Floats a, Floats b) { return _mm256_blendv_ps(a, b, a); }

#else

constexpr int lanes = 4;
constexpr int registers = 16;
using Floats = float __attribute__((vector_size(16)));
using Ints = int __attribute__((vector_size(16)));

struct Lanes {
  int count;
  WAJAH_VEC explicit Lanes(int n) : count(n < lanes ? n : lanes) {}
  [[nodiscard]] WAJAH_VEC bool whole() const { return count == lanes; }
};
WAJAH_VEC Floats broadcast(float x) { return Floats{x, x, x, x}; }
WAJAH_VEC Floats load_floats(const float* p, Lanes some) {
  Floats v{};
  if (some.count == lanes) {
    __builtin_memcpy(&v, p, sizeof v);
  } else {
    for (int i = 0; i < some.count; ++i) v[i] = p[i];
  }
  return v;
}
WAJAH_VEC void store_floats(float* p, Lanes some, Floats v) {
  if (some.count == lanes) {
    __builtin_memcpy(p, &v, sizeof v);
  } else {
    for (int i = 0; i < some.count; ++i) p[i] = v[i];
  }
}
WAJAH_VEC Floats fma_floats(Floats a, Floats b, Floats c) { return a * b + c; }
WAJAH_VEC Floats max_floats(Floats a, Floats b) { return a > b ? a : b; }
WAJAH_VEC Floats min_floats(Floats a, Floats b) { return a < b ? a : b; }
WAJAH_VEC Floats if_negative_floats(Floats a, Floats b) { return a < 0.0F ? b : a; }

#endif

struct Vec {
  Floats v;

  WAJAH_VEC Vec() = default;
  WAJAH_VEC explicit Vec(Floats x) : v(x) {}
  WAJAH_VEC explicit Vec(float x) : v(broadcast(x)) {}

  WAJAH_VEC static Vec load(const float* p) {
    Vec x;
    __builtin_memcpy(&x.v, p, sizeof x.v);
    return x;
  }
  WAJAH_VEC static Vec load(const float* p, Lanes some) { return Vec(load_floats(p, some)); }
  WAJAH_VEC void store(float* p) const { __builtin_memcpy(p, &v, sizeof v); }
  WAJAH_VEC void store(float* p, Lanes some) const { store_floats(p, some, v); }

  friend WAJAH_VEC Vec operator+(Vec a, Vec b) { return Vec(a.v + b.v); }
  friend WAJAH_VEC Vec operator-(Vec a, Vec b) { return Vec(a.v - b.v); }
  friend WAJAH_VEC Vec operator*(Vec a, Vec b) { return Vec(a.v * b.v); }
  friend WAJAH_VEC Vec operator/(Vec a, Vec b) { return Vec(a.v / b.v); }
};

WAJAH_VEC Vec fma(Vec a, Vec b, Vec c) { return Vec(fma_floats(a.v, b.v, c.v)); }  // a * b + c
WAJAH_VEC Vec max(Vec a, Vec b) { return Vec(max_floats(a.v, b.v)); }
WAJAH_VEC Vec min(Vec a, Vec b) { return Vec(min_floats(a.v, b.v)); }
WAJAH_VEC Vec if_negative(Vec a, Vec b) { return Vec(if_negative_floats(a.v, b.v)); }  // a < 0 ? b : a

// exp(x) to 2 units in the last place for -87 <= x <= 88, 1e-38 below: 2^n * p(r), |r| <= ln(2)/2, Cephes' polynomial.
WAJAH_VEC Vec exp(Vec x) {
  constexpr float to_integer = 12582912.0F;  // 1.5 * 2^23: adding it rounds and leaves n in the low bits
  const Vec clamped = max(x, Vec(-87.5F));
  const Vec shifted = fma(clamped, Vec(1.44269504F), Vec(to_integer));
  const Vec n = shifted - Vec(to_integer);
  const Vec r = fma(n, Vec(2.12194440e-4F), fma(n, Vec(-0.693359375F), clamped));
  Vec p = fma(Vec(1.9875691500e-4F), r, Vec(1.3981999507e-3F));
  p = fma(p, r, Vec(8.3334519073e-3F));
  p = fma(p, r, Vec(4.1665795894e-2F));
  p = fma(p, r, Vec(1.6666665459e-1F));
  p = fma(p, r, Vec(5.0000001201e-1F));
  p = fma(p, r * r, r + Vec(1.0F));
  const Ints power = (reinterpret_cast<Ints>(shifted.v) << 23) + reinterpret_cast<Ints>(Vec(1.0F).v);
  return p * Vec(reinterpret_cast<Floats>(power));
}

}  // namespace wajah::WAJAH_KERNEL_ISA
