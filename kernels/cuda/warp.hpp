// What the lanes of a warp make together.
#pragma once

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

// All 32 lanes call it, and each gets the sum of their values, added in the same order.
template <class T>
__device__ __forceinline__ T sum_of_warp(T value) {
#pragma unroll
  for (int bit = 16; bit > 0; bit /= 2) value += __shfl_xor_sync(whole_warp, value, bit);
  return value;
}

}  // namespace wajah::WAJAH_KERNEL_ISA
