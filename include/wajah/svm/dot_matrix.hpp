// The kernel behind a Gram matrix: inner products, or squared distances, of every row of a with every row of b.
#pragma once

#include <wajah/cpu.hpp>

namespace wajah {

// y[i * y_stride + j] = a_i . b_j, or |a_i - b_j|^2. Rows of a: (m, 1, 1, d), of b: (n, 1, 1, d). Sums run in float
// over 16 lanes, so a pair of rows has one value whatever its place, the same on AVX2 and AVX-512; only the scalar
// build rounds products.
struct DotMatrixArgs {
  ConstView<float> a, b;
  float* y;
  ptrdiff_t y_stride;
  bool distance;
};
WAJAH_KERNEL(dot_matrix, DotMatrixArgs)

}  // namespace wajah
