// What the searches share: a warp a stored row, whose lanes take neighbouring numbers, so that a warp reads whole
// lines.
#pragma once

#include <wajah/search/score_rows.hpp>

#include "warp.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

constexpr int scoring_threads = 256;

__device__ __forceinline__ int scored_row() {
  return static_cast<int>(blockIdx.x) * (scoring_threads / 32) + static_cast<int>(threadIdx.x) / 32;
}
__device__ __forceinline__ int scoring_lane() { return static_cast<int>(threadIdx.x) % 32; }

inline dim3 scoring_grid(int rows) { return dim3{blocks_of(rows, scoring_threads / 32)}; }

}  // namespace wajah::WAJAH_KERNEL_ISA
