// Halves: a pair of half floats in every lane of a vector, so that one step of a sum over input channels takes two of
// them, as integer dot products take four. A pair that every lane shares is then 32 bits of memory, which any load
// can broadcast, while a single half goes through the port that half of the multiplications need.
//
// Where the CPU has no half arithmetic (AVX512-FP16), builds with F16C multiply in float, for tests and comparisons;
// the scalar build has the compiler emulate it, bit for bit but for the rounding of products before they are added.
#pragma once

#include "words.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

#if defined(__AVX512FP16__) || !defined(__AVX2__)

struct Halves {
  using Pairs = _Float16 __attribute__((vector_size(4 * lanes)));
  using Words = unsigned __attribute__((vector_size(4 * lanes)));
  using LowWords = unsigned short __attribute__((vector_size(2 * lanes)));
  using LowHalves = _Float16 __attribute__((vector_size(2 * lanes)));

  Pairs v;

  static WAJAH_VEC Halves zero() { return {Pairs{}}; }
  static WAJAH_VEC Halves load(const uint16_t* p) {
    Halves x;
    __builtin_memcpy(&x.v, p, sizeof x.v);
    return x;
  }
  // The pair at p in every lane.
  static WAJAH_VEC Halves pair(const uint16_t* p) {
    unsigned both;
    __builtin_memcpy(&both, p, sizeof both);
    return {reinterpret_cast<Pairs>(Words{} + both)};
  }
  friend WAJAH_VEC Halves fma(Halves a, Halves b, Halves c) { return {a.v * b.v + c.v}; }

  // The sum of each lane's pair: rounded once more to half, which costs less than widening both and as much precision
  // as one more step.
  [[nodiscard]] WAJAH_VEC Vec total() const {
    const auto words = reinterpret_cast<Words>(v);
    const Pairs sums = v + reinterpret_cast<Pairs>((words >> 16) | (words << 16));
#ifdef __AVX512F__
    const __m256i low = _mm512_maskz_cvtepi32_epi16(all_lanes, reinterpret_cast<__m512i>(sums));
    return Vec(_mm512_maskz_cvtph_ps(all_lanes, low));
#else
    const LowWords low = __builtin_convertvector(reinterpret_cast<Words>(sums), LowWords);
    return Vec(__builtin_convertvector(reinterpret_cast<LowHalves>(low), Floats));
#endif
  }
};

#else

struct Halves {
  Vec low, high;

  static WAJAH_VEC Halves zero() { return {Vec(0.0F), Vec(0.0F)}; }
  static WAJAH_VEC Halves load(const uint16_t* p) {
    const __m256i pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const auto widened = [](__m256i words) __attribute__((always_inline)) {
      const __m256i packed = _mm256_packus_epi32(words, _mm256_setzero_si256());
      const __m256i joined = _mm256_permute4x64_epi64(packed, 0b1000);
      return Vec(_mm256_cvtph_ps(_mm256_castsi256_si128(joined)));
    };
    return {widened(_mm256_and_si256(pairs, _mm256_set1_epi32(0xFFFF))), widened(_mm256_srli_epi32(pairs, 16))};
  }
  static WAJAH_VEC Halves pair(const uint16_t* p) { return {Vec(_cvtsh_ss(p[0])), Vec(_cvtsh_ss(p[1]))}; }
  friend WAJAH_VEC Halves fma(Halves a, Halves b, Halves c) {
    return {fma(a.low, b.low, c.low), fma(a.high, b.high, c.high)};
  }
  [[nodiscard]] WAJAH_VEC Vec total() const { return low + high; }
};

#endif

}  // namespace wajah::WAJAH_KERNEL_ISA
