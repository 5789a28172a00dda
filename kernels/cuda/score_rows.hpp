// What the searches share: a warp a stored row, whose lanes take neighbouring numbers, so that a warp reads whole
// lines.
#pragma once

#include <wajah/search/score_rows.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

constexpr int scoring_threads = 256;

__device__ __forceinline__ int scored_row() {
  return static_cast<int>(blockIdx.x) * (scoring_threads / 32) + static_cast<int>(threadIdx.x) / 32;
}
__device__ __forceinline__ int scoring_lane() { return static_cast<int>(threadIdx.x) % 32; }

template <class T>
__device__ __forceinline__ T sum_of_warp(T value) {
#pragma unroll
  for (int bit = 16; bit > 0; bit /= 2) value += __shfl_xor_sync(whole_warp, value, bit);
  return value;
}

inline dim3 scoring_grid(int rows) { return dim3{blocks_of(rows, scoring_threads / 32)}; }

}  // namespace wajah::WAJAH_KERNEL_ISA
