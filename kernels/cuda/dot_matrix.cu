// dot_matrix: inner products (or squared distances) of every row of a with every row of b: a Gram matrix.
//
// The value is the CPU's to the bit: sixteen partial sums a pair of rows, products rounded before they are added, the
// sums added in one order. That rules out tensor cores and fused multiply-adds, and leaves:
// 1. A thread a pair, both rows from global memory: two loads a product.
// 2. A block 32 x 32 pairs, rows through shared memory 64 numbers at a time: every number is fetched once a block.
// 3. A thread 2 x 2 pairs, whose 64 partial sums stay in registers: two shared loads serve two products each.
#include <wajah/svm/dot_matrix.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int sums = 16, side = 32, depth = 64, threads = 256;
constexpr int pitch = depth + 1;  // neighbouring rows on neighbouring banks

// Rows first to first + side of x, numbers k to k + depth; zeros where there are none.
__device__ __forceinline__ void load_rows(Shared<float> tile, const ConstView<float>& x, int first, int k) {
  for (int i = static_cast<int>(threadIdx.x); i < side * depth; i += threads) {
    const int row = first + i / depth, at = k + i % depth;
    const bool inside = row < x.shape.n && at < x.shape.c;
    tile[i / depth * pitch + i % depth] = inside ? x.data[row * x.stride + at] : 0.0F;
  }
}

// Sums eight apart first, then four, two and one: the order of svm/kernel.cpp.
__device__ __forceinline__ float total(const float (&s)[sums]) {
  float four[4];
#pragma unroll
  for (int l = 0; l < 4; ++l) four[l] = __fadd_rn(__fadd_rn(s[l], s[l + 8]), __fadd_rn(s[l + 4], s[l + 12]));
  return __fadd_rn(__fadd_rn(four[0], four[2]), __fadd_rn(four[1], four[3]));
}

template <bool Distance>
__global__ void __launch_bounds__(threads) dot_matrix_kernel(DotMatrixArgs args) {
  wait_for_earlier();
  WAJAH_SHARED(float, a, side* pitch);
  WAJAH_SHARED(float, b, side* pitch);
  const int first_row = static_cast<int>(blockIdx.y) * side, first_column = static_cast<int>(blockIdx.x) * side;
  const int row = static_cast<int>(threadIdx.x) / 16 * 2, column = static_cast<int>(threadIdx.x) % 16;
  float s[2][2][sums] = {};
  for (int k = 0; k < args.a.shape.c; k += depth) {
    load_rows(a, args.a, first_row, k);
    load_rows(b, args.b, first_column, k);
    __syncthreads();
    for (int step = 0; step < depth; step += sums) {
#pragma unroll
      for (int l = 0; l < sums; ++l) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const float x = a[(row + i) * pitch + step + l];
#pragma unroll
          for (int j = 0; j < 2; ++j) {
            const float y = b[(column + j * 16) * pitch + step + l];
            const float difference = Distance ? __fadd_rn(x, -y) : 0.0F;
            const float term = Distance ? __fmul_rn(difference, difference) : __fmul_rn(x, y);
            s[i][j][l] = __fadd_rn(s[i][j][l], term);
          }
        }
      }
    }
    __syncthreads();
  }
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 2; ++j) {
      const int r = first_row + row + i, c = first_column + column + j * 16;
      if (r < args.a.shape.n && c < args.b.shape.n) args.y[r * args.y_stride + c] = total(s[i][j]);
    }
  }
}

}  // namespace

void dot_matrix(const DotMatrixArgs& args, const Launch& on) {
  launch("dot_matrix", args.distance ? dot_matrix_kernel<true> : dot_matrix_kernel<false>,
         dim3{blocks_of(args.b.shape.n, side), blocks_of(args.a.shape.n, side)}, dim3{threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
