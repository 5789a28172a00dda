// Floats as the bytes that a map is quantised to: by quantise.cu, and by who has the numbers in registers anyway.
#pragma once

#include <wajah/layers/quantise.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

// Clamped as a float first: a number far outside would not fit an int. Divided, not multiplied by 1 / scale, so that
// halves of a step are halves and go to the even one.
__device__ __forceinline__ uint8_t byte_of(float x, const Quantisation& is) {
  const int byte = __float2int_rn(fminf(fmaxf(x / is.scale, -512.0F), 512.0F)) + is.zero_point;
  return static_cast<uint8_t>(min(max(byte, 0), is.largest));
}

}  // namespace wajah::WAJAH_KERNEL_ISA
