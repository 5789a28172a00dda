// Bytes: unsigned activations times signed weights, four at a time, summed in int32. VNNI's vpdpbusd adds the four
// products without rounding or saturation. Without it vpmaddubsw adds two of them in 16 bits, which saturate unless
// weights give up a bit, and vpmaddwd the two sums: three instructions for one. Where activations give up a bit as
// well, four products fit 16 bits, and vpmaddwd is needed for every other quad only. So weights and activations go up
// to 127 and 255 with VNNI and in plain C++, to 64 and 127 here (layers/byte_steps.hpp), and every instruction set
// gives the same sums of bytes that it takes. Widening the bytes instead kept all 8 bits and was no faster than
// float32.
#pragma once

#include "vec.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

constexpr int quad = 4;  // input channels that one 32-bit sum takes at a step

// Whether two quads are summed up together, for activations up to 127: else nothing is won by it.
#if (defined(__AVX512F__) && !defined(__AVX512VNNI__)) || (defined(__AVX2__) && !defined(__AVXVNNI__))
#define WAJAH_QUAD_PAIRS
#endif

// Of one type all the way: g++ 12 keeps arrays of vectors that are cast on the way, as __m512i is, in memory.
struct Sums {
  Ints v;

  WAJAH_VEC Sums() = default;
  WAJAH_VEC explicit Sums(Ints x) : v(x) {}
  WAJAH_VEC static Sums zero() { return Sums(Ints{}); }
  [[nodiscard]] WAJAH_VEC Vec floats() const { return Vec(__builtin_convertvector(v, Floats)); }
};

#ifdef __AVX512F__

WAJAH_VEC __m512i broadcast_quad(const uint8_t* p) {
  int bits;
  __builtin_memcpy(&bits, p, sizeof bits);
  return _mm512_set1_epi32(bits);
}

struct Activations {
  __m512i v;
  WAJAH_VEC static Activations load(const uint8_t* p) { return {broadcast_quad(p)}; }
};
struct SignedBytes {
  __m512i v;
  WAJAH_VEC static SignedBytes load(const int8_t* p) { return {_mm512_loadu_si512(p)}; }
  WAJAH_VEC static SignedBytes all(int four) { return {_mm512_set1_epi32(four)}; }
};
WAJAH_VEC Sums dot(Activations x, SignedBytes w, Sums sums) {
#ifdef __AVX512VNNI__
  return Sums(reinterpret_cast<Ints>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sums.v), x.v, w.v)));
#else
  const __m512i pairs = _mm512_maddubs_epi16(x.v, w.v);
  return Sums(sums.v + reinterpret_cast<Ints>(_mm512_madd_epi16(pairs, _mm512_set1_epi16(1))));
#endif
}

#ifdef WAJAH_QUAD_PAIRS
WAJAH_VEC Sums dot_pair(Activations x, SignedBytes w, Activations x2, SignedBytes w2, Sums sums) {
  const __m512i pairs = _mm512_add_epi16(_mm512_maddubs_epi16(x.v, w.v), _mm512_maddubs_epi16(x2.v, w2.v));
  return Sums(sums.v + reinterpret_cast<Ints>(_mm512_madd_epi16(pairs, _mm512_set1_epi16(1))));
}
#endif

// x from 0 to 255, rounded to the nearest integer, of two to the even one.
WAJAH_VEC void store_bytes(uint8_t* p, Lanes some, Vec x) {
  const __m512i numbers = _mm512_maskz_cvtps_epi32(all_lanes, x.v);
  _mm_mask_storeu_epi8(p, some.mask, _mm512_maskz_cvtepi32_epi8(all_lanes, numbers));
}

// The numbers that bytes are.
WAJAH_VEC Vec load_bytes(const uint8_t* p, Lanes some) {
  const __m512i numbers = _mm512_maskz_cvtepu8_epi32(all_lanes, _mm_maskz_loadu_epi8(some.mask, p));
  return Vec(_mm512_maskz_cvtepi32_ps(all_lanes, numbers));
}

#elif defined(__AVX2__)

struct Activations {
  __m256i v;
  WAJAH_VEC static Activations load(const uint8_t* p) {
    int bits;
    __builtin_memcpy(&bits, p, sizeof bits);
    return {_mm256_set1_epi32(bits)};
  }
};
struct SignedBytes {
  __m256i v;
  WAJAH_VEC static SignedBytes load(const int8_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
  }
  WAJAH_VEC static SignedBytes all(int four) { return {_mm256_set1_epi32(four)}; }
};
WAJAH_VEC Sums dot(Activations x, SignedBytes w, Sums sums) {
#ifdef __AVXVNNI__
  return Sums(reinterpret_cast<Ints>(_mm256_dpbusd_avx_epi32(reinterpret_cast<__m256i>(sums.v), x.v, w.v)));
#else
  const __m256i pairs = _mm256_maddubs_epi16(x.v, w.v);
  return Sums(sums.v + reinterpret_cast<Ints>(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1))));
#endif
}

#ifdef WAJAH_QUAD_PAIRS
WAJAH_VEC Sums dot_pair(Activations x, SignedBytes w, Activations x2, SignedBytes w2, Sums sums) {
  const __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(x.v, w.v), _mm256_maddubs_epi16(x2.v, w2.v));
  return Sums(sums.v + reinterpret_cast<Ints>(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1))));
}
#endif

WAJAH_VEC void store_bytes(uint8_t* p, Lanes some, Vec x) {
  const __m256i numbers = _mm256_cvtps_epi32(x.v);
  const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(numbers), _mm256_extracti128_si256(numbers, 1));
  const __m128i bytes = _mm_packus_epi16(words, words);
  uint8_t eight[lanes];
  _mm_storel_epi64(reinterpret_cast<__m128i*>(some.all ? p : eight), bytes);
  for (int i = 0; !some.all && i < some.count; ++i) p[i] = eight[i];
}

WAJAH_VEC Vec load_bytes(const uint8_t* p, Lanes some) {
  uint8_t eight[lanes] = {};
  for (int i = 0; !some.all && i < some.count; ++i) eight[i] = p[i];
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(some.all ? p : eight));
  return Vec(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)));
}

#else

struct Activations {
  int bytes[quad];
  WAJAH_VEC static Activations load(const uint8_t* p) { return {{p[0], p[1], p[2], p[3]}}; }
};
struct SignedBytes {
  Ints of[quad];  // of each input channel, all lanes
  WAJAH_VEC static SignedBytes load(const int8_t* p) {
    SignedBytes w;
    for (int i = 0; i < quad; ++i) w.of[i] = Ints{p[i], p[quad + i], p[2 * quad + i], p[3 * quad + i]};
    return w;
  }
};
WAJAH_VEC Sums dot(Activations x, SignedBytes w, Sums sums) {
  for (int i = 0; i < quad; ++i) sums.v += w.of[i] * x.bytes[i];
  return sums;
}

WAJAH_VEC void store_bytes(uint8_t* p, Lanes some, Vec x) {
  constexpr float to_integer = 12582912.0F;  // 1.5 * 2^23: adding it rounds and leaves the integer in the low bits
  const auto bits = reinterpret_cast<Ints>((x + Vec(to_integer)).v);
  for (int i = 0; i < some.count; ++i) p[i] = static_cast<uint8_t>(bits[i]);
}

WAJAH_VEC Vec load_bytes(const uint8_t* p, Lanes some) {
  Floats numbers{};
  for (int i = 0; i < some.count; ++i) numbers[i] = p[i];
  return Vec(numbers);
}

#endif

// The same of two whole vectors side by side.
WAJAH_VEC void store_bytes(uint8_t* p, Vec x, Vec y) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  const __m256i words = _mm256_packus_epi32(_mm256_cvtps_epi32(x.v), _mm256_cvtps_epi32(y.v));
  const __m256i bytes = _mm256_packus_epi16(words, words);  // of each half of x and of y
  const __m256i in_order = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(in_order));
#else
  store_bytes(p, Lanes(lanes), x);
  store_bytes(p + lanes, Lanes(lanes), y);
#endif
}

}  // namespace wajah::WAJAH_KERNEL_ISA
