// How many steps the weights and the activations of a convolution of bytes have. Dot products of bytes take all of 8
// bits; vectors without them add up four products in 16 bits first, which hold 4 * 127 * 64 and no more.
#pragma once

#include <wajah/cpu.hpp>

namespace wajah {

// Whether vectors sum up products of bytes in 32 bits at once.
[[nodiscard]] constexpr bool has_byte_products(Isa isa) { return isa >= Isa::avx512_vnni || isa == Isa::avx2_vnni; }

// Whether sums pass through 16 bits on their way: plain C++ has no vectors.
[[nodiscard]] constexpr bool sums_in_16_bits(Isa isa) { return isa != Isa::scalar && !has_byte_products(isa); }

// The largest weight that kernels on bytes take: packed weights lie from its negative to it, or sums are wrong.
[[nodiscard]] constexpr int largest_byte_weight(Isa isa) { return sums_in_16_bits(isa) ? 64 : 127; }

// The largest byte of a map that conv2d_int8 takes on a device: sums of others are wrong.
[[nodiscard]] constexpr int largest_byte(Isa isa) { return sums_in_16_bits(isa) ? 127 : 255; }
[[nodiscard]] constexpr int largest_byte(const auto& device) {
  if constexpr (requires { device.isa(); }) {
    return largest_byte(device.isa());
  } else {
    return 255;
  }
}

}  // namespace wajah
