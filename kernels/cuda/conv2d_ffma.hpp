// conv2d on the CUDA cores: float32 products, exact to rounding. A block makes a tile of Rows x Columns outputs, a
// thread RowsEach x ColumnsEach of them in registers.
#pragma once

#include "conv2d_gemm.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

template <int Rows, int Columns, int RowsEach, int ColumnsEach, int Depth = 16>
struct FfmaTile {
  static constexpr int rows = Rows, columns = Columns;
  static constexpr int depth = Depth;  // of the inner dimension, at once in shared memory
  static constexpr int threads = Rows / RowsEach * (Columns / ColumnsEach);
  static constexpr int row_quads = RowsEach / 4, column_quads = ColumnsEach / 4;
  static constexpr int a_pitch = Rows + 4;  // shifts the columns of a warp's stores to different banks
  static constexpr int a_loads = Rows * depth / 4 / threads;
  static constexpr int b_quads = depth * Columns / 4;  // of the tile of weights
  static constexpr int b_loads = (b_quads + threads - 1) / threads;
  static_assert(a_loads * threads * 4 == Rows * depth);
};

// One thread's share of bringing tiles from global to shared memory, by way of registers: the loads of the next tile
// are on their way while this one is multiplied.
template <class Tile, bool Vectors, class Args>
class FfmaLoader {
 public:
  __device__ FfmaLoader(const Args& args, const Gemm& gemm, int first_row, int first_column, int first_k, int last_k)
      : args_(args),
        gemm_(gemm),
        column_(first_column),
        k_(first_k),
        last_k_(last_k),
        inner_(args, first_k + quad() * 4) {
#pragma unroll
    for (int i = 0; i < Tile::a_loads; ++i) windows_[i] = WindowAt<float>(args, gemm, first_row + row(i));
  }

  __device__ void load() {
#pragma unroll
    for (int i = 0; i < Tile::a_loads; ++i) a_[i] = load_pixels(windows_[i]);
    inner_.advance(args_, Tile::depth);
#pragma unroll
    for (int i = 0; i < Tile::b_loads; ++i) b_[i] = load_weights(i);
    k_ += Tile::depth;
  }

  // A lies transposed, inner dimension first, so that a thread reads four rows at once.
  __device__ void store(Shared<float> a, Shared<float> b) const {
#pragma unroll
    for (int i = 0; i < Tile::a_loads; ++i) {
      const Shared<float> at = a + (quad() * 4 * Tile::a_pitch + row(i));
      at[0] = a_[i].x;
      at[Tile::a_pitch] = a_[i].y;
      at[2 * Tile::a_pitch] = a_[i].z;
      at[3 * Tile::a_pitch] = a_[i].w;
    }
#pragma unroll
    for (int i = 0; i < Tile::b_loads; ++i) {
      const int quad_of_b = thread() + i * Tile::threads;
      if (quad_of_b < Tile::b_quads) vector_at<float4>(b + quad_of_b * 4) = b_[i];
    }
  }

 private:
  static __device__ int thread() { return static_cast<int>(threadIdx.x); }
  static __device__ int quad() { return thread() % (Tile::depth / 4); }
  static __device__ int row(int i) { return thread() / (Tile::depth / 4) + i * (Tile::threads / (Tile::depth / 4)); }

  __device__ float4 load_pixels(const WindowAt<float>& window) const {
    const int k = k_ + quad() * 4;
    if constexpr (Vectors) {
      const float* const pixel = k < last_k_ ? window.pixel(args_, inner_.v, inner_.u) : nullptr;
      return pixel == nullptr ? make_float4(0, 0, 0, 0) : vector_at<float4>(pixel + inner_.c);
    } else {
      float four[4];
      InnerAt at = inner_;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const float* const pixel = k + i < last_k_ ? window.pixel(args_, at.v, at.u) : nullptr;
        four[i] = pixel == nullptr ? 0.0F : pixel[at.c];
        at.advance(args_, 1);
      }
      return make_float4(four[0], four[1], four[2], four[3]);
    }
  }

  __device__ float4 load_weights(int i) const {
    const int quad_of_b = thread() + i * Tile::threads;
    const int k = k_ + quad_of_b / (Tile::columns / 4);
    const int column = column_ + quad_of_b % (Tile::columns / 4) * 4;
    if (quad_of_b >= Tile::b_quads || k >= last_k_ || column >= gemm_.columns) return make_float4(0, 0, 0, 0);
    return vector_at<float4>(args_.weights + static_cast<ptrdiff_t>(k) * gemm_.columns + column);
  }

  const Args& args_;
  const Gemm& gemm_;
  int column_, k_, last_k_;
  InnerAt inner_;
  WindowAt<float> windows_[Tile::a_loads];
  float4 a_[Tile::a_loads], b_[Tile::b_loads];
};

template <class Tile>
__device__ __forceinline__ void multiply_tiles(Shared<const float> a, Shared<const float> b, int thread_row,
                                               int thread_column,
                                               float (&sums)[Tile::row_quads * 4][Tile::column_quads * 4]) {
#pragma unroll
  for (int k = 0; k < Tile::depth; ++k) {
    float4 rows[Tile::row_quads], columns[Tile::column_quads];
#pragma unroll
    for (int q = 0; q < Tile::row_quads; ++q) {
      rows[q] = vector_at<float4>(a + (k * Tile::a_pitch + q * (Tile::rows / Tile::row_quads) + thread_row * 4));
    }
#pragma unroll
    for (int q = 0; q < Tile::column_quads; ++q) {
      columns[q] =
          vector_at<float4>(b + (k * Tile::columns + q * (Tile::columns / Tile::column_quads) + thread_column * 4));
    }
#pragma unroll
    for (int q = 0; q < Tile::row_quads; ++q) {
      const float row[4] = {rows[q].x, rows[q].y, rows[q].z, rows[q].w};
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int p = 0; p < Tile::column_quads; ++p) {
          float* const sum = &sums[q * 4 + i][p * 4];
          sum[0] += row[i] * columns[p].x;
          sum[1] += row[i] * columns[p].y;
          sum[2] += row[i] * columns[p].z;
          sum[3] += row[i] * columns[p].w;
        }
      }
    }
  }
}

// x consists of floats, y of Words. Grid: tiles of rows, tiles of columns, splits of the inner dimension.
template <class Words, class Tile, bool Vectors, class Args>
__global__ void __launch_bounds__(Tile::threads) conv2d_ffma(Args args, Gemm gemm, float* partials) {
  wait_for_earlier();
  WAJAH_SHARED(float, a, 2 * Tile::depth * Tile::a_pitch);
  WAJAH_SHARED(float, b, 2 * Tile::depth * Tile::columns);
  constexpr int a_size = Tile::depth * Tile::a_pitch, b_size = Tile::depth * Tile::columns;
  const int first_row = static_cast<int>(blockIdx.x) * Tile::rows;
  const int first_column = static_cast<int>(blockIdx.y) * Tile::columns;
  const int first_k = static_cast<int>(blockIdx.z) * gemm.per_split;
  const int last_k = min(first_k + gemm.per_split, gemm.inner);
  const int thread_row = static_cast<int>(threadIdx.x) / (Tile::columns / (Tile::column_quads * 4));
  const int thread_column = static_cast<int>(threadIdx.x) % (Tile::columns / (Tile::column_quads * 4));

  FfmaLoader<Tile, Vectors, Args> loader(args, gemm, first_row, first_column, first_k, last_k);
  float sums[Tile::row_quads * 4][Tile::column_quads * 4] = {};
  loader.load();
  loader.store(a, b);
  __syncthreads();
  int now = 0;
  for (int k = first_k; k < last_k; k += Tile::depth) {
    const bool more = k + Tile::depth < last_k;
    if (more) loader.load();
    multiply_tiles<Tile>(a + now * a_size, b + now * b_size, thread_row, thread_column, sums);
    now ^= 1;
    if (more) loader.store(a + now * a_size, b + now * b_size);
    __syncthreads();
  }
#pragma unroll
  for (int r = 0; r < Tile::row_quads * 4; ++r) {
    const int row = first_row + r / 4 * (Tile::rows / Tile::row_quads) + thread_row * 4 + r % 4;
#pragma unroll
    for (int q = 0; q < Tile::column_quads; ++q) {
      const int column = first_column + q * (Tile::columns / Tile::column_quads) + thread_column * 4;
      const float four[4] = {sums[r][q * 4], sums[r][q * 4 + 1], sums[r][q * 4 + 2], sums[r][q * 4 + 3]};
      end_run<Words>(args, gemm, partials, row, column, four);
    }
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
