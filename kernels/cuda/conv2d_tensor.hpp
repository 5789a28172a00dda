// conv2d on the tensor cores: mma.sync over tiles in shared memory, three of them on the way at once. What is
// multiplied is TF32, half or bfloat16, rounded to nearest, and sums are float32. Maps in global memory are float32, or
// words of the product's 16 bits.
//
// Weights come by cp.async in the product's format (pack_conv2d wrote it). Inputs come the same way where they are in
// that format, TF32 as floats that are rounded in registers. Floats that become 16 bits, and words that do not lie on
// 16 bytes, pass through registers on their way to shared memory, two steps ahead of their use.
#pragma once

#include "conv2d_gemm.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

struct HalfProduct {
  using Word = unsigned;  // two elements
  static constexpr bool converts = true;
  static __device__ unsigned pair(float low, float high) { return half_bits(low, high); }
  static __device__ void multiply(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    multiply_f16(d, a, b0, b1);
  }
};
struct BfloatProduct : HalfProduct {
  static __device__ unsigned pair(float low, float high) { return bfloat_bits(low, high); }
  static __device__ void multiply(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    multiply_bf16(d, a, b0, b1);
  }
};
struct Tf32Product {
  static constexpr bool converts = false;
  static __device__ void multiply(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    multiply_tf32(d, a, b0, b1);
  }
};

// Rows x Columns outputs a block, by WarpsDown x WarpsAcross warps. Shared memory is counted in words of four bytes.
template <class Product, int Rows, int Columns, int WarpsDown, int WarpsAcross>
struct TensorTile {
  using product = Product;
  static constexpr int rows = Rows, columns = Columns, stages = 3;
  static constexpr int warps_across = WarpsAcross, threads = 32 * WarpsDown * WarpsAcross;
  static constexpr int warp_rows = Rows / WarpsDown, warp_columns = Columns / WarpsAcross;
  static constexpr int m_tiles = warp_rows / 16, n_tiles = warp_columns / 8;
  static constexpr int per_word = Product::converts ? 2 : 1;  // elements
  static constexpr int depth = 16 * per_word;                 // of the inner dimension: 64 bytes of each row
  static constexpr int k_of_product = Product::converts ? 16 : 8;
  // Pitches that put the 8 rows of a matrix, and the 4 of a column of B, on different banks.
  static constexpr int a_pitch = depth / per_word + 4;
  static constexpr int b_pitch = Columns / per_word + (Product::converts ? 4 : 8);
  static constexpr int a_words = Rows * a_pitch, b_words = depth * b_pitch;
  static constexpr int shared_words = stages * (a_words + b_words);
  // Groups of 16 bytes of the product's format that a thread brings.
  static constexpr int group = 4 * per_word;  // elements
  static constexpr int a_groups_deep = depth / group, b_groups_across = Columns / group;
  static constexpr int a_loads = Rows * a_groups_deep / threads;
  static constexpr int b_loads = (depth * b_groups_across + threads - 1) / threads;
  static_assert(a_loads * threads == Rows * a_groups_deep && n_tiles % 2 == 0);
};

// Gathers: words of x do not lie so that 16 bytes of a pixel's channels can be copied.
template <class Words, class Tile, bool Gathers, class Args>
class TensorLoader {
  static constexpr bool rounds = Tile::product::converts && sizeof(typename Words::Word) == sizeof(float);
  static constexpr bool through_registers = rounds || Gathers;

 public:
  __device__ TensorLoader(const Args& args, const Gemm& gemm, int first_row, int first_column, int first_k, int last_k)
      : args_(args),
        gemm_(gemm),
        column_(first_column),
        k_(first_k),
        last_k_(last_k),
        inner_(args, first_k + group() * Tile::group) {
#pragma unroll
    for (int i = 0; i < Tile::a_loads; ++i) windows_[i] = Window(args, gemm, first_row + row(i));
  }

  // Sets out for the next tile; finish() puts down what came through registers.
  __device__ void begin(Shared<unsigned> a, Shared<unsigned> b) {
#pragma unroll
    for (int i = 0; i < Tile::a_loads; ++i) {
      const int k = k_ + group() * Tile::group;
      if constexpr (Gathers) {
        fetched_[i] = gather(windows_[i], k);
        continue;
      }
      const auto* const pixel = k < last_k_ ? windows_[i].pixel(args_, inner_.v, inner_.u) : nullptr;
      if constexpr (rounds) {
        fetched_[i] = round(pixel);
      } else {
        copy_async16(a + (row(i) * Tile::a_pitch + group() * 4), pixel == nullptr ? args_.x.data : pixel + inner_.c,
                     pixel == nullptr ? 0 : 16);
      }
    }
    inner_.advance(args_, Tile::depth);
#pragma unroll
    for (int i = 0; i < Tile::b_loads; ++i) copy_weights(b, thread() + i * Tile::threads);
    k_ += Tile::depth;
  }

  __device__ void finish(Shared<unsigned> a) const {
    if constexpr (through_registers) {
#pragma unroll
      for (int i = 0; i < Tile::a_loads; ++i) {
        vector_at<uint4>(a + (row(i) * Tile::a_pitch + group() * 4)) = fetched_[i];
      }
    }
  }

 private:
  using Window = WindowAt<typename Words::Word>;

  static __device__ int thread() { return static_cast<int>(threadIdx.x); }
  static __device__ int group() { return thread() % Tile::a_groups_deep; }
  static __device__ int row(int i) { return (thread() + i * Tile::threads) / Tile::a_groups_deep; }

  __device__ uint4 round(const float* pixel) const {
    if (pixel == nullptr) return make_uint4(0, 0, 0, 0);
    const float* const x = pixel + inner_.c;
    float v[8];
    if (gemm_.x_vectors) {
      const float4 low = vector_at<float4>(x), high = vector_at<float4>(x + 4);
      v[0] = low.x, v[1] = low.y, v[2] = low.z, v[3] = low.w;
      v[4] = high.x, v[5] = high.y, v[6] = high.z, v[7] = high.w;
    } else {
#pragma unroll
      for (int i = 0; i < 8; ++i) v[i] = x[i];
    }
    return make_uint4(Tile::product::pair(v[0], v[1]), Tile::product::pair(v[2], v[3]), Tile::product::pair(v[4], v[5]),
                      Tile::product::pair(v[6], v[7]));
  }

  // Eight words from k on, each with a tap and a channel of its own.
  __device__ uint4 gather(const Window& window, int k) const {
    unsigned words[8];
    InnerAt at = inner_;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const auto* const pixel = k + i < last_k_ ? window.pixel(args_, at.v, at.u) : nullptr;
      words[i] = pixel == nullptr ? 0 : pixel[at.c];
      at.advance(args_, 1);
    }
    return make_uint4(words[0] | words[1] << 16, words[2] | words[3] << 16, words[4] | words[5] << 16,
                      words[6] | words[7] << 16);
  }

  __device__ void copy_weights(Shared<unsigned> b, int group_of_b) const {
    if (group_of_b >= Tile::depth * Tile::b_groups_across) return;
    const int k = group_of_b / Tile::b_groups_across, across = group_of_b % Tile::b_groups_across;
    const int column = column_ + across * Tile::group;
    const bool inside = k_ + k < last_k_ && column < gemm_.columns;
    const auto element = inside ? static_cast<ptrdiff_t>(k_ + k) * gemm_.columns + column : 0;
    copy_async16(b + (k * Tile::b_pitch + across * 4),
                 reinterpret_cast<const unsigned*>(args_.weights) + element / Tile::per_word, inside ? 16 : 0);
  }

  const Args& args_;
  const Gemm& gemm_;
  int column_, k_, last_k_;
  InnerAt inner_;
  Window windows_[Tile::a_loads];
  uint4 fetched_[through_registers ? Tile::a_loads : 1];
};

// One warp's share of a block's tile.
template <class Tile>
class WarpTile {
 public:
  __device__ WarpTile()
      : lane_(static_cast<int>(threadIdx.x) % 32),
        row_(static_cast<int>(threadIdx.x) / 32 / Tile::warps_across * Tile::warp_rows),
        column_(static_cast<int>(threadIdx.x) / 32 % Tile::warps_across * Tile::warp_columns) {}

  __device__ void multiply(Shared<unsigned> a, Shared<unsigned> b) {
#pragma unroll
    for (int k = 0; k < Tile::depth; k += Tile::k_of_product) {
      unsigned rows[Tile::m_tiles][4];
#pragma unroll
      for (int m = 0; m < Tile::m_tiles; ++m) load_rows(rows[m], a, m, k);
#pragma unroll
      for (int n = 0; n < Tile::n_tiles; n += 2) {
        unsigned columns[4];
        load_columns(columns, b, n, k);
#pragma unroll
        for (int m = 0; m < Tile::m_tiles; ++m) {
          Tile::product::multiply(sums_[m][n], rows[m], columns[0], columns[1]);
          Tile::product::multiply(sums_[m][n + 1], rows[m], columns[2], columns[3]);
        }
      }
    }
  }

  template <class Words, class Args>
  __device__ void end(const Args& args, const Gemm& gemm, float* partials, int first_row, int first_column) {
    const int row = first_row + row_ + lane_ / 4 + (lane_ % 2 == 1 ? 8 : 0);
    const int column = first_column + column_ + lane_ % 4 / 2 * (vector_of<Words>);
#pragma unroll
    for (int m = 0; m < Tile::m_tiles; ++m) {
#pragma unroll
      for (int n = 0; n < Tile::n_tiles; n += 2) {
        float left[4], right[4];
        trade(left, sums_[m][n]);
        trade(right, sums_[m][n + 1]);
        if constexpr (vector_of<Words> == 4) {
          end_run<Words>(args, gemm, partials, row + m * 16, column + n * 8, left);
          end_run<Words>(args, gemm, partials, row + m * 16, column + n * 8 + 8, right);
        } else {
          float eight[8];
          trade_again(eight, left, right);
          end_run<Words>(args, gemm, partials, row + m * 16, column + n * 8, eight);
        }
      }
    }
  }

 private:
  // Neighbouring lanes hold two channels each of rows r and r + 8: they trade, so that each has four of one row.
  __device__ void trade(float (&four)[4], const float (&own)[4]) const {
    const bool odd = lane_ % 2 == 1;
    const float low = __shfl_xor_sync(whole_warp, odd ? own[0] : own[2], 1);
    const float high = __shfl_xor_sync(whole_warp, odd ? own[1] : own[3], 1);
    four[0] = odd ? low : own[0];
    four[1] = odd ? high : own[1];
    four[2] = odd ? own[2] : low;
    four[3] = odd ? own[3] : high;
  }
  // The lanes two apart have then the other four channels of the same rows, left and right: another trade gives one the
  // eight on the left and the other those on the right, 16 bytes of words.
  __device__ void trade_again(float (&eight)[8], const float (&left)[4], const float (&right)[4]) const {
    const bool second = lane_ % 4 >= 2;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float other = __shfl_xor_sync(whole_warp, second ? left[i] : right[i], 2);
      eight[i] = second ? other : left[i];
      eight[i + 4] = second ? right[i] : other;
    }
  }

  // 16 rows x k_of_product of A. A matrix of ldmatrix is 8 rows of 16 bytes: 8 halves, or 4 TF32.
  __device__ void load_rows(unsigned (&r)[4], Shared<unsigned> a, int m, int k) const {
    load_matrices(r, a + ((row_ + m * 16 + lane_ % 16) * Tile::a_pitch + k / Tile::per_word + lane_ / 16 * 4));
    if constexpr (!Tile::product::converts) {
#pragma unroll
      for (unsigned& word : r) word = tf32(__uint_as_float(word));
    }
  }
  // k_of_product x 16 of B: registers 0 and 1 for the left eight columns, 2 and 3 for the right.
  __device__ void load_columns(unsigned (&r)[4], Shared<unsigned> b, int n, int k) const {
    if constexpr (Tile::product::converts) {
      load_matrices_transposed(r, b + ((k + lane_ % 16) * Tile::b_pitch + (column_ + n * 8) / 2 + lane_ / 16 * 4));
    } else {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        r[i] = b[(k + lane_ % 4 + i % 2 * 4) * Tile::b_pitch + column_ + (n + i / 2) * 8 + lane_ / 4];
      }
    }
  }

  int lane_, row_, column_;
  float sums_[Tile::m_tiles][Tile::n_tiles][4] = {};
};

// Grid: tiles of rows, tiles of columns, splits of the inner dimension.
template <class Words, class Tile, bool Gathers, class Args>
__global__ void __launch_bounds__(Tile::threads) conv2d_tensor(Args args, Gemm gemm, float* partials) {
  wait_for_earlier();
  WAJAH_DYNAMIC_SHARED(unsigned, tiles, Tile::shared_words);
  const int first_row = static_cast<int>(blockIdx.x) * Tile::rows;
  const int first_column = static_cast<int>(blockIdx.y) * Tile::columns;
  const int first_k = static_cast<int>(blockIdx.z) * gemm.per_split;
  const int last_k = min(first_k + gemm.per_split, gemm.inner);
  const int steps = (last_k - first_k + Tile::depth - 1) / Tile::depth;
  const auto a_of = [&](int stage) { return tiles + stage * Tile::a_words; };
  const auto b_of = [&](int stage) { return tiles + (Tile::stages * Tile::a_words + stage * Tile::b_words); };

  TensorLoader<Words, Tile, Gathers, Args> loader(args, gemm, first_row, first_column, first_k, last_k);
  WarpTile<Tile> warp;
  for (int step = 0; step < Tile::stages - 1; ++step) {
    if (step < steps) {
      loader.begin(a_of(step), b_of(step));
      loader.finish(a_of(step));
    }
    commit_copies();
  }
  for (int step = 0; step < steps; ++step) {
    wait_for_copies<Tile::stages - 2>();
    __syncthreads();  // this step's tile is there for all, and all are done with the one before
    const int ahead = step + Tile::stages - 1;
    if (ahead < steps) loader.begin(a_of(ahead % Tile::stages), b_of(ahead % Tile::stages));
    commit_copies();
    warp.multiply(a_of(step % Tile::stages), b_of(step % Tile::stages));
    if (ahead < steps) loader.finish(a_of(ahead % Tile::stages));
  }
  wait_for_copies<0>();
  warp.template end<Words>(args, gemm, partials, first_row, first_column);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
