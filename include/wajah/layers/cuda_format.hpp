// In which format a Cuda keeps the weights of a convolution: what pack_conv2d writes and the kernel reads.
#pragma once

#include <wajah/launch.hpp>
#include <wajah/shape.hpp>

namespace wajah {

inline constexpr int packed_channels = 8;  // packed rows are a multiple of so many channels: vectors of 16 or 32 bytes

// The format for a layer of `in` and `out` channels. Tensor cores want 16 bytes of one tap's channels at once, and few
// output channels would leave most of a product unused: such layers stay in float32, whatever was asked for, and so do
// those that a network on bytes keeps in floats, which are few and are kept for their precision.
[[nodiscard]] WAJAH_INLINE Arithmetic weight_format(Arithmetic wanted, int in, int out) {
  if (wanted == Arithmetic::fp32 || wanted == Arithmetic::int8 || out < 16) return Arithmetic::fp32;
  return in % (wanted == Arithmetic::tf32 ? 4 : 8) == 0 ? wanted : Arithmetic::fp32;
}

// Bytes of int8 weights lie column by column: an output channel's inner dimension is padded with zeros to this.
[[nodiscard]] WAJAH_INLINE int int8_pitch(int inner) { return (inner + 15) / 16 * 16; }

}  // namespace wajah
