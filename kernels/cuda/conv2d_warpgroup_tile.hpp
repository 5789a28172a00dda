// What a block of conv2d_warpgroup.cu does with its tile of 128 output pixels: one warp brings, eight multiply and end.
#pragma once

#include <wajah/layers/conv2d_half.hpp>

#include "conv2d_gemm.hpp"
#include "hopper.hpp"
#include "warpgroup.hpp"

namespace wajah::WAJAH_KERNEL_ISA::by_warpgroups {

template <class Words>
constexpr bool is_bfloat = false;
template <>
inline constexpr bool is_bfloat<BfloatWords> = true;

template <class Words, int Columns, int Stages, int BlocksEach>
struct WarpgroupTile {
  using words = Words;
  static constexpr int rows = 128, columns = Columns, stages = Stages;
  static constexpr int blocks_each = BlocksEach;  // that a multiprocessor has room for
  static constexpr int depth = warpgroup::row_words;
  static constexpr int multiplying_warps = rows / warpgroup::rows * 4, threads = 32 * (multiplying_warps + 1);
  static constexpr int block_columns = warpgroup::row_words, block_bytes = depth * warpgroup::row_bytes;
  static constexpr int x_bytes = rows * warpgroup::row_bytes, weight_bytes = Columns / block_columns * block_bytes;
  static constexpr int stage_bytes = x_bytes + weight_bytes;
  static constexpr int shared_bytes = stages * stage_bytes + warpgroup::pattern_bytes;  // the last to begin a pattern
  static_assert(x_bytes % warpgroup::pattern_bytes == 0 && block_bytes % warpgroup::pattern_bytes == 0);
  static_assert((shared_bytes + 2 * stages * 8 + 1024) * BlocksEach <= 228 * 1024);
};

struct Windows {
  int rows = 0;  // output pixels
  int before_y = 0, before_x = 0;
};

// What the two kinds of warps share: places in a ring of stages.
template <class Tile>
class Ring {
 public:
  __device__ Ring(Shared<unsigned char> tiles, Shared<Barrier> arrived, Shared<Barrier> free)
      : tiles_(tiles), arrived_(arrived), free_(free) {}

  __device__ Shared<unsigned char> x() const { return tiles_ + stage_ * Tile::stage_bytes; }
  __device__ Shared<unsigned char> weights() const { return tiles_ + (stage_ * Tile::stage_bytes + Tile::x_bytes); }
  __device__ Shared<Barrier> arrived() const { return arrived_ + stage_; }
  __device__ Shared<Barrier> free() const { return free_ + stage_; }
  __device__ unsigned parity() const { return parity_; }
  __device__ bool first_round() const { return first_; }
  __device__ void next() {
    if (++stage_ < Tile::stages) return;
    stage_ = 0;
    parity_ ^= 1U;
    first_ = false;
  }

 private:
  Shared<unsigned char> tiles_;
  Shared<Barrier> arrived_, free_;
  int stage_ = 0;
  unsigned parity_ = 0;
  bool first_ = true;
};

template <class Tile>
__device__ void bring(const Conv2dHalfArgs& args, const Windows& windows, const TensorMap& x, const TensorMap& weights,
                      Ring<Tile> ring, int first_row, int first_column) {
  const Shape& y = args.y.shape;
  const int w = first_row % y.w * args.window.stride - windows.before_x;
  const int h = first_row / y.w % y.h * args.window.stride - windows.before_y;
  const int n = first_row / y.w / y.h;
  for (int tap = 0; tap < args.window.h * args.window.w; ++tap) {
    for (int c = 0; c < args.x.shape.c; c += Tile::depth) {
      // The first phase of a stage's `free` ends when what its first round brought has been read: one round later.
      if (!ring.first_round()) wait_for_phase(ring.free(), ring.parity() ^ 1U);
      arrive_expecting(ring.arrived(), Tile::stage_bytes);
      fetch_windows(ring.x(), x, ring.arrived(), c, w, h, n, tap % args.window.w, tap / args.window.w);
#pragma unroll
      for (int block = 0; block < Tile::columns / Tile::block_columns; ++block) {
        fetch_tiles(ring.weights() + block * Tile::block_bytes, weights, ring.arrived(),
                    first_column + block * Tile::block_columns, c, tap);
      }
      ring.next();
    }
  }
}

// The first `Steps` times 16 places of what a stage holds, as one group. Nothing else may come between the beginning
// and the products: the compiler would begin anew.
template <class Tile, int Steps>
__device__ __forceinline__ void multiply_steps(Sums<Tile::columns>& sums, uint64_t left, uint64_t right) {
  begin_products();
#pragma unroll
  for (int k = 0; k < Steps; ++k) {
    multiply<is_bfloat<typename Tile::words>>(sums, left + k * warpgroup::left_step, right + k * warpgroup::right_step);
  }
  commit_products();
}

// As many of them as the tap has left.
template <class Tile>
__device__ __forceinline__ void multiply_stage(const Ring<Tile>& ring, int group, int channels_left,
                                               Sums<Tile::columns>& sums) {
  const unsigned x = shared_address(ring.x()) + static_cast<unsigned>(group * warpgroup::rows * warpgroup::row_bytes);
  const uint64_t left = warpgroup::left_descriptor(x);
  const uint64_t right = warpgroup::right_descriptor(shared_address(ring.weights()), Tile::block_bytes);
  if (channels_left > 3 * warpgroup::depth) {
    multiply_steps<Tile, 4>(sums, left, right);
  } else if (channels_left > 2 * warpgroup::depth) {
    multiply_steps<Tile, 3>(sums, left, right);
  } else if (channels_left > warpgroup::depth) {
    multiply_steps<Tile, 2>(sums, left, right);
  } else {
    multiply_steps<Tile, 1>(sums, left, right);
  }
}

template <class Tile>
__device__ void multiply_all(const Conv2dHalfArgs& args, Ring<Tile> ring, int group, bool first_lane,
                             Sums<Tile::columns>& sums) {
  Ring<Tile> before = ring;
  bool any = false;
  for (int tap = 0; tap < args.window.h * args.window.w; ++tap) {
    for (int c = 0; c < args.x.shape.c; c += Tile::depth) {
      wait_for_phase(ring.arrived(), ring.parity());
      multiply_stage<Tile>(ring, group, args.x.shape.c - c, sums);
      wait_for_products<1>(sums);  // those of the step before
      if (any) {
        if (first_lane) arrive(before.free());
        before.next();
      }
      any = true;
      ring.next();
    }
  }
  wait_for_products<0>(sums);
}

// Of four neighbouring lanes, lane l's word j becomes lane j's word l.
__device__ __forceinline__ void transpose(unsigned (&words)[4], int lane) {
#pragma unroll
  for (int bit = 1; bit < 4; bit *= 2) {
    const bool high = (lane & bit) != 0;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if ((j & bit) != 0) continue;
      const unsigned low_word = words[j], high_word = words[j | bit];
      const unsigned got = __shfl_xor_sync(whole_warp, high ? low_word : high_word, bit);
      words[j] = high ? got : low_word;
      words[j | bit] = high ? high_word : got;
    }
  }
}

// Ends a row's sums of 32 columns, which four lanes hold in four pairs each, and stores them.
template <class Words>
__device__ __forceinline__ void end_row(const Conv2dHalfArgs& args, bool there, int row, int column, int lane,
                                        const float (&sums)[4][2]) {
  const int quarter = lane % 4, own = column + quarter * 8;  // the eight channels that this lane reads and stores
  const bool reaches = there && own < args.y.shape.c;
  unsigned words[4] = {};
  if (args.epilogue.add.data != nullptr) {
    if (reaches) {
      const uint4 add = vector_at<uint4>(args.epilogue.add.data + row * args.epilogue.add.stride + own);
      words[0] = add.x, words[1] = add.y, words[2] = add.z, words[3] = add.w;
    }
    transpose(words, lane);
  }
#pragma unroll
  for (int q = 0; q < 4; ++q) {
    const int channel = column + q * 8 + quarter * 2;
    const float2 add = Words::floats(words[q]);
    const bool inside = there && channel < args.y.shape.c;
    const float low = inside ? finished(args, sums[q][0], add.x, channel) : 0.0F;
    const float high = inside ? finished(args, sums[q][1], add.y, channel + 1) : 0.0F;
    words[q] = Words::pair(low, high);
    if (args.floats != nullptr && inside) {
      vector_at<float2>(args.floats + row * args.y.stride + channel) = make_float2(low, high);
    }
  }
  if (args.floats != nullptr) return;
  transpose(words, lane);
  if (reaches) {
    vector_at<uint4>(args.y.data + row * args.y.stride + own) = make_uint4(words[0], words[1], words[2], words[3]);
  }
}

template <class Tile>
__device__ void end(const Conv2dHalfArgs& args, const Windows& windows, int first_row, int first_column, int thread,
                    Sums<Tile::columns>& sums) {
#pragma unroll
  for (int column = 0; column < Tile::columns; column += 32) {
#pragma unroll
    for (int second = 0; second < 2; ++second) {  // of a thread's two rows
      const int row = first_row + warpgroup::sum_position(thread, second * 2).row;
      float of_row[4][2];
#pragma unroll
      for (int q = 0; q < 4; ++q) {
#pragma unroll
        for (int i = 0; i < 2; ++i) of_row[q][i] = sums[(column / 8 + q) * 4 + second * 2 + i];
      }
      end_row<typename Tile::words>(args, row < windows.rows, row, first_column + column, thread % 32, of_row);
    }
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA::by_warpgroups
