// conv2d_int8: y = activation(multiplier * sum of bytes * weights + offset), as floats or as the next layer's bytes.
//
// 1. The matrix product of conv2d_gemm.hpp with dp4a on the CUDA cores would be four products an instruction.
// 2. Tensor cores: a warp multiplies 16 x 8 x 32 bytes at once (mma.sync u8 x s8). Sums are exact in int32, so what
//    several blocks share is the same bits whichever way it is split. Weights lie column by column, the inner dimension
//    innermost, because that is how ldmatrix wants bytes of B.
// 3. Three tiles on the way at once by cp.async, 16 bytes of a pixel's channels where they lie so, else 4. Padding is
//    the zero point, which a copy cannot fill in: the thread stores it.
// 4. The sum of a residual goes out twice, as floats and as the next block's bytes: no launch that reads it only to
//    quantise it, of which there would be 17 in Inception-ResNet-v1 and 9 in MobileFaceNet.
#include <wajah/layers/conv2d_int8.hpp>
#include <wajah/layers/cuda_format.hpp>

#include "bytes.hpp"
#include "conv2d_gemm.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

// How the bytes of x can be fetched: 16 or 4 neighbouring channels at aligned addresses, or 4 wherever they are.
enum class Fetch { sixteen, four, any };

struct Int8Tile {
  static constexpr int rows = 64, columns = 64, depth = 64, stages = 3;
  static constexpr int threads = 128;          // 2 x 2 warps of 32 x 32
  static constexpr int pitch = depth / 4 + 4;  // words: eight rows of 16 bytes on different banks
  static constexpr int words = 64 * pitch;     // of A, and of B
  static constexpr int shared_words = stages * 2 * words;
  static constexpr int b_loads = columns * depth / 16 / threads;
};

template <Fetch How>
class Int8Loader {
 public:
  static constexpr int group = How == Fetch::sixteen ? 16 : 4;  // bytes
  static constexpr int groups_deep = Int8Tile::depth / group;
  static constexpr int loads = Int8Tile::rows * groups_deep / Int8Tile::threads;

  __device__ Int8Loader(const Conv2dInt8Args& args, const Gemm& gemm, int first_row, int first_column, int first_k,
                        int last_k)
      : args_(args),
        gemm_(gemm),
        column_(first_column),
        k_(first_k),
        last_k_(last_k),
        padding_(static_cast<unsigned>(args.zero_point) * 0x0101'0101U),
        inner_(args, first_k + thread() % groups_deep * group) {
#pragma unroll
    for (int i = 0; i < loads; ++i) windows_[i] = WindowAt<uint8_t>(args, gemm, first_row + row(i));
  }

  __device__ void load(Shared<unsigned> a, Shared<unsigned> b) {
    const int k = k_ + thread() % groups_deep * group;
#pragma unroll
    for (int i = 0; i < loads; ++i) {
      const uint8_t* const pixel = k < last_k_ ? windows_[i].pixel(args_, inner_.v, inner_.u) : nullptr;
      put(a + (row(i) * Int8Tile::pitch + thread() % groups_deep * (group / 4)),
          pixel == nullptr ? nullptr : pixel + inner_.c);
    }
    inner_.advance(args_, Int8Tile::depth);
    constexpr int across = Int8Tile::depth / 16;
    const int pitch = int8_pitch(gemm_.inner);
#pragma unroll
    for (int i = 0; i < Int8Tile::b_loads; ++i) {
      const int quad = thread() + i * Int8Tile::threads;
      const int column = column_ + quad / across, at = k_ + quad % across * 16;
      const bool inside = column < gemm_.columns && at < last_k_;
      copy_async16(b + (quad / across * Int8Tile::pitch + quad % across * 4),
                   args_.weights + (inside ? static_cast<ptrdiff_t>(column) * pitch + at : 0), inside ? 16 : 0);
    }
    k_ += Int8Tile::depth;
  }

 private:
  static __device__ int thread() { return static_cast<int>(threadIdx.x); }
  static __device__ int row(int i) { return (thread() + i * Int8Tile::threads) / groups_deep; }

  __device__ void put(Shared<unsigned> to, const uint8_t* from) const {
    if constexpr (How == Fetch::sixteen) {
      if (from != nullptr) return copy_async16(to, from, 16);
      vector_at<uint4>(to) = make_uint4(padding_, padding_, padding_, padding_);
    } else if constexpr (How == Fetch::four) {
      if (from != nullptr) return copy_async4(to, from, 4);
      *to = padding_;
    } else {
      *to = from == nullptr ? padding_
                            : static_cast<unsigned>(from[0]) | static_cast<unsigned>(from[1]) << 8 |
                                  static_cast<unsigned>(from[2]) << 16 | static_cast<unsigned>(from[3]) << 24;
    }
  }

  const Conv2dInt8Args& args_;
  const Gemm& gemm_;
  int column_, k_, last_k_;
  unsigned padding_;
  InnerAt inner_;
  WindowAt<uint8_t> windows_[loads];
};

__device__ __forceinline__ void finish_number(const Conv2dInt8Args& args, int row, int column, int sum) {
  float value = args.multipliers[column] * static_cast<float>(sum) + args.offsets[column];
  if (args.epilogue.add.data != nullptr) {
    value = args.epilogue.add.data[row * args.epilogue.add.stride + column] + args.epilogue.scale * value;
  }
  value = fminf(fmaxf(value, args.floor), args.ceiling);
  const ptrdiff_t at = row * args.y.stride + column;
  if (args.bytes != nullptr) {
    args.bytes[at] = static_cast<uint8_t>(__float2int_rn(value));
  } else {
    args.y.data[at] = value;
  }
  if (args.copy.data != nullptr) args.copy.data[row * args.copy.stride + column] = byte_of(value, args.copy.is);
}

// Two neighbouring channels of a row: ended, or put where the other splits' sums are.
__device__ __forceinline__ void end_two(const Conv2dInt8Args& args, const Gemm& gemm, int* partials, int row,
                                        int column, int first, int second) {
  if (row >= gemm.rows || column >= gemm.columns) return;
  if (partials != nullptr) {
    int* const at = partials + (static_cast<ptrdiff_t>(blockIdx.z) * gemm.rows + row) * gemm.columns + column;
    at[0] = first;
    at[1] = second;
    return;
  }
  if (column < args.y.shape.c) finish_number(args, row, column, first);
  if (column + 1 < args.y.shape.c) finish_number(args, row, column + 1, second);
}

// Registers for six blocks on a multiprocessor, which the quotients of byte_of would make five. Four bytes at a time
// take more.
constexpr int blocks_at_once(Fetch how) { return how == Fetch::sixteen ? 6 : 4; }

template <Fetch How>
__global__ void __launch_bounds__(Int8Tile::threads, blocks_at_once(How))
    conv2d_int8_tensor(Conv2dInt8Args args, Gemm gemm, int* partials) {
  wait_for_earlier();
  WAJAH_DYNAMIC_SHARED(unsigned, tiles, Int8Tile::shared_words);
  const int first_row = static_cast<int>(blockIdx.x) * Int8Tile::rows;
  const int first_column = static_cast<int>(blockIdx.y) * Int8Tile::columns;
  const int first_k = static_cast<int>(blockIdx.z) * gemm.per_split;
  const int last_k = min(first_k + gemm.per_split, gemm.inner);
  const int steps = (last_k - first_k + Int8Tile::depth - 1) / Int8Tile::depth;
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int warp_row = warp / 2 * 32, warp_column = warp % 2 * 32;
  const auto a_of = [&](int stage) { return tiles + stage * Int8Tile::words; };
  const auto b_of = [&](int stage) { return tiles + (Int8Tile::stages + stage) * Int8Tile::words; };

  Int8Loader<How> loader(args, gemm, first_row, first_column, first_k, last_k);
  int sums[2][4][4] = {};
  for (int step = 0; step < Int8Tile::stages - 1; ++step) {
    if (step < steps) loader.load(a_of(step), b_of(step));
    commit_copies();
  }
  for (int step = 0; step < steps; ++step) {
    wait_for_copies<Int8Tile::stages - 2>();
    __syncthreads();
    const int ahead = step + Int8Tile::stages - 1;
    if (ahead < steps) loader.load(a_of(ahead % Int8Tile::stages), b_of(ahead % Int8Tile::stages));
    commit_copies();
    const auto a = a_of(step % Int8Tile::stages), b = b_of(step % Int8Tile::stages);
#pragma unroll
    for (int k = 0; k < Int8Tile::depth / 4; k += 8) {  // words: 32 bytes of the inner dimension
      unsigned rows[2][4];
#pragma unroll
      for (int m = 0; m < 2; ++m) {
        load_matrices(rows[m], a + ((warp_row + m * 16 + lane % 16) * Int8Tile::pitch + k + lane / 16 * 4));
      }
#pragma unroll
      for (int n = 0; n < 4; n += 2) {
        // Two groups of eight columns, the first and the second 16 bytes of each.
        unsigned columns[4];
        load_matrices(columns,
                      b + ((warp_column + n * 8 + lane / 16 * 8 + lane % 8) * Int8Tile::pitch + k + lane / 8 % 2 * 4));
#pragma unroll
        for (int m = 0; m < 2; ++m) {
          multiply_bytes(sums[m][n], rows[m], columns[0], columns[1]);
          multiply_bytes(sums[m][n + 1], rows[m], columns[2], columns[3]);
        }
      }
    }
  }
  wait_for_copies<0>();
#pragma unroll
  for (int m = 0; m < 2; ++m) {
#pragma unroll
    for (int n = 0; n < 4; ++n) {
      const int row = first_row + warp_row + m * 16 + lane / 4,
                column = first_column + warp_column + n * 8 + lane % 4 * 2;
      end_two(args, gemm, partials, row, column, sums[m][n][0], sums[m][n][1]);
      end_two(args, gemm, partials, row + 8, column, sums[m][n][2], sums[m][n][3]);
    }
  }
}

constexpr int finish_threads = 256;

__global__ void __launch_bounds__(finish_threads)
    conv2d_int8_finish(Conv2dInt8Args args, Gemm gemm, const int* partials, int splits) {
  wait_for_earlier();
  const int i = static_cast<int>(blockIdx.x) * finish_threads + static_cast<int>(threadIdx.x);
  if (i >= gemm.rows * args.y.shape.c) return;
  const int row = i / args.y.shape.c, column = i % args.y.shape.c;
  int sum = 0;
  for (int s = 0; s < splits; ++s) {
    sum += partials[(static_cast<ptrdiff_t>(s) * gemm.rows + row) * gemm.columns + column];
  }
  finish_number(args, row, column, sum);
}

Fetch fetch_of(const ConstView<uint8_t>& x) {
  const auto aligned = [&](int bytes) {
    return reinterpret_cast<uintptr_t>(x.data) % static_cast<uintptr_t>(bytes) == 0 && x.stride % bytes == 0;
  };
  if (x.shape.c % 16 == 0 && aligned(16)) return Fetch::sixteen;
  return aligned(4) ? Fetch::four : Fetch::any;
}

}  // namespace

void conv2d_int8(const Conv2dInt8Args& args, const Launch& on) {
  Gemm gemm = gemm_of(args);
  if (gemm.rows == 0) return;
  const dim3 tiles{blocks_of(gemm.rows, Int8Tile::rows), blocks_of(args.y.shape.c, Int8Tile::columns)};
  const int splits = split(gemm, on, tiles.x * tiles.y, Int8Tile::depth);
  int* const partials = splits > 1 ? reinterpret_cast<int*>(on.partials) : nullptr;
  const Fetch fetch = fetch_of(args.x);
  launch("conv2d_int8",
         fetch == Fetch::sixteen ? conv2d_int8_tensor<Fetch::sixteen>
         : fetch == Fetch::four  ? conv2d_int8_tensor<Fetch::four>
                                 : conv2d_int8_tensor<Fetch::any>,
         dim3{tiles.x, tiles.y, static_cast<unsigned>(splits)}, dim3{Int8Tile::threads},
         Int8Tile::shared_words * sizeof(unsigned), on, args, gemm, partials);
  if (partials == nullptr) return;
  launch("conv2d_int8_finish", conv2d_int8_finish, dim3{blocks_of(gemm.rows * args.y.shape.c, finish_threads)},
         dim3{finish_threads}, 0, on, args, gemm, static_cast<const int*>(partials), splits);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
