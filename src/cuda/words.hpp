// Numbers as the 16-bit words that tensor cores multiply.
#pragma once

#include <wajah/launch.hpp>

#include <bit>
#include <cstdint>

#include "../search/half.hpp"

namespace wajah {

inline std::uint16_t to_bfloat(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
}

// To nearest, in fp16 or bf16.
inline std::uint16_t to_word(Arithmetic format, float x) {
  return format == Arithmetic::bf16 ? to_bfloat(x) : to_half(x);
}

}  // namespace wajah
