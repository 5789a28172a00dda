// IEEE half floats.
#pragma once

#include <bit>
#include <cstdint>

namespace wajah {

// The nearest half float, of two equally near the even one; beyond 65,504 infinity. Needs a number that is not NaN.
inline std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16U & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFF'FFFFU;
  if (magnitude >= 0x477F'F000U) return static_cast<std::uint16_t>(sign | 0x7C00U);
  if (magnitude < 0x3880'0000U) {
    // Below 2^-14 halves are multiples of 2^-24: adding 2^-1 leaves that multiple, rounded, in the low bits.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign |
                                      (std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5F)));
  }
  const std::uint32_t odd = magnitude >> 13U & 1U;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x3800'0000U + 0xFFFU + odd) >> 13U));
}

}  // namespace wajah
