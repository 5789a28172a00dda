// Inner products of one query with many rows of half floats: half the bytes of floats, which is what counts, widened
// eight or sixteen at a time on the way into the multiplication.
#include <wajah/search/score_rows.hpp>

#include <score_rows.hpp>

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

#if defined(__AVX512F__)
WAJAH_VEC Vec widen(const uint16_t* p, Lanes some) {
  return Vec(_mm512_maskz_cvtph_ps(all_lanes, _mm256_maskz_loadu_epi16(some.mask, p)));
}
#elif defined(__AVX2__)
WAJAH_VEC Vec widen(const uint16_t* p, Lanes some) {
  if (some.all) return Vec(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  uint16_t values[lanes] = {};
  for (int l = 0; l < some.count; ++l) values[l] = p[l];
  __m128i half;
  __builtin_memcpy(&half, values, sizeof half);
  return Vec(_mm256_cvtph_ps(half));
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
WAJAH_VEC Vec widen(const uint16_t* p, Lanes some) {
  float values[lanes] = {};
  for (int l = 0; l < some.count; ++l) values[l] = widen(p[l]);
  return Vec::load(values);
}
#endif

}  // namespace

void score_half_rows(const ScoreHalfRowsArgs& args, Part part) {
  score_all(
      args, part, [](const uint16_t* p, Lanes some) __attribute__((always_inline)) { return widen(p, some); });
}

}  // namespace wajah::WAJAH_KERNEL_ISA
