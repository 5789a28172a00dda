// What one block of a cluster does for a fused residual block (fused_blocks.cu tells the story): four steps, each a
// product of the map that all have with the block's slice of weights, and between them the exchange of what was made.
#pragma once

#include <wajah/layers/fused_blocks.hpp>

#include "cluster.hpp"
#include "conv2d_tensor.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

__device__ __forceinline__ float2 two_of(HalfProduct, unsigned bits) { return halves(bits); }
__device__ __forceinline__ float2 two_of(BfloatProduct, unsigned bits) {
  return make_float2(__uint_as_float(bits << 16U), __uint_as_float(bits & 0xFFFF'0000U));
}

// Two neighbouring channels of a map in global memory.
template <class Product>
__device__ float2 read_two(const float* at) {
  return vector_at<float2>(at);
}
template <class Product>
__device__ float2 read_two(const uint16_t* at) {
  return two_of(Product{}, vector_at<unsigned>(at));
}
template <class Product>
__device__ void write_two(float* at, float2 two) {
  vector_at<float2>(at) = two;
}
template <class Product>
__device__ void write_two(uint16_t* at, float2 two) {
  vector_at<unsigned>(at) = Product::pair(two.x, two.y);
}

// A warp's weights in the order of their use, a chunk of 512 bytes after another through a ring in shared memory. Every
// lane brings the 16 bytes that it will read, so nobody else waits for them, and the ring goes on filling while the
// block waits for others.
class WeightStream {
 public:
  __device__ WeightStream(const void* weights, Shared<unsigned> ring, int first, int count, int lane)
      : from_(static_cast<const char*>(weights) + static_cast<ptrdiff_t>(first) * bytes + lane * 16),
        ring_(ring + lane * 4),
        count_(count) {
    for (int i = 0; i < slots - 1; ++i) begin(i);
  }

  __device__ uint4 next() {
    wait_for_copies<slots - 2>();
    const uint4 words = vector_at<uint4>(ring_ + at_ % slots * FusedPlan::chunk_words);
    begin(at_ + slots - 1);  // where the chunk before lay, which has been multiplied
    ++at_;
    return words;
  }

 private:
  static constexpr int slots = FusedPlan::ring, bytes = FusedPlan::chunk_words * 4;

  __device__ void begin(int chunk) {
    if (chunk < count_) {
      copy_async16(ring_ + chunk % slots * FusedPlan::chunk_words, from_ + static_cast<ptrdiff_t>(chunk) * bytes, 16);
    }
    commit_copies();
  }

  const char* from_;
  Shared<unsigned> ring_;
  int count_, at_ = 0;
};

template <class Product, class Plan, class Args>
class FusedBlock {
 public:
  __device__ FusedBlock(const Args& args, Shared<unsigned> words)
      : args_(args),
        x_(words),
        map_(words + plan.x_words()),
        partials_(shared_cast<float>(words + (plan.x_words() + plan.map_words()))),
        thread_(static_cast<int>(threadIdx.x)),
        lane_(thread_ % 32),
        warp_(thread_ / 32),
        slice_(static_cast<int>(cluster_rank()) % plan.across),
        part_(static_cast<int>(cluster_rank()) / plan.across),
        first_(part_ * plan.rows()),
        count_(min(plan.rows(), plan.pixels() - first_)),
        image_(static_cast<int>(blockIdx.x) / plan.cluster()),
        weights_(args.weights, words + (plan.shared_words() - plan.ring_words() + warp_ * plan.ring * plan.chunk_words),
                 (slice_ * plan.warps + warp_) * plan.most_chunks() * args.repeats, chunks_of_warp() * args.repeats,
                 lane_) {}

  __device__ void run() {
    for (int i = thread_; i < plan.pitch(); i += plan.threads) map_[plan.pixels() * plan.pitch() + i] = 0;
    read_input();
    for (int i = 0; i < args_.repeats; ++i) {
      biases_ = args_.biases + i * plan.biases();
      exchange<0>();
      step<0>();
      exchange<1>();
      step<1>();
      exchange<2>();
      step<2>();
      exchange<3>();
      step<3>();
    }
    write_output();
    cluster_barrier();  // nobody reads this block's memory any more
  }

 private:
  static constexpr FusedPlan plan = Plan::plan;
  static constexpr int m_tiles = plan.m_tiles(), last = FusedPlan::steps_count - 1;

  static __device__ int chunks_of_warp() {
    const int warp = static_cast<int>(threadIdx.x) / 32;
    return chunks_of<0>(warp) + chunks_of<1>(warp) + chunks_of<2>(warp) + chunks_of<3>(warp);
  }
  template <int S>
  static __device__ int chunks_of(int warp) {
    constexpr int chunks = plan.units_each(S) * plan.tiles_each(S), busy = plan.busy_warps(S);
    return warp < busy ? chunks : 0;
  }

  // Where output `channel` of a step goes in the branches' map.
  template <int S>
  static __device__ int target(int channel) {
    constexpr FusedStep s = plan.steps[S];
    constexpr int group = s.group, first = s.target[0], second = s.target[1], third = s.target[2];
    const int of = channel / group;
    return channel % group + (of == 0 ? first : of == 1 ? second : third);
  }
  template <int S>
  __device__ int source() const {
    constexpr FusedStep s = plan.steps[S];
    constexpr int group = s.group, each = plan.outputs_each(S), first = s.source[0], second = s.source[1];
    return slice_ * each / group == 0 ? first : second;
  }

  // After this every block has what step S looks at: the outputs of the step before, of the pixels that it needs.
  template <int S>
  __device__ void exchange() {
    constexpr int from = (S + last) % (last + 1);
    constexpr int tiles = plan.steps[from].outputs / plan.tile, tiles_each = tiles / plan.across;
    constexpr int window_h = plan.steps[S].window.h, window_w = plan.steps[S].window.w;
    constexpr int beyond = window_h / 2 * plan.width + window_w / 2, at_once = 4;
    const int begin = max(0, first_ - beyond), end = min(plan.pixels(), first_ + count_ + beyond);
    cluster_barrier();
    for (int i = thread_; i < (end - begin) * tiles; i += at_once * plan.threads) {
      uint4 words[at_once];
      int to[at_once];
#pragma unroll
      for (int k = 0; k < at_once; ++k) {
        const int item = i + k * plan.threads;
        const int pixel = begin + item / tiles, tile = item % tiles;
        const int slice = tile / tiles_each, part = pixel / plan.rows();
        to[k] = pixel >= end || (slice == slice_ && part == part_) ? -1
                : S == 0 ? (pixel - first_) * plan.x_pitch() + tile * (plan.tile / 2)
                         : pixel * plan.pitch() + target<from>(tile * plan.tile) / 2;
        const auto rank = static_cast<unsigned>(part * plan.across + slice);
        if (to[k] >= 0) words[k] = neighbour_at<uint4>((S == 0 ? x_ : map_) + to[k], rank);
      }
#pragma unroll
      for (int k = 0; k < at_once; ++k) {
        if (to[k] >= 0) vector_at<uint4>((S == 0 ? x_ : map_) + to[k]) = words[k];
      }
    }
    __syncthreads();
  }

  // The row of 32 channels that this lane names to ldmatrix: of product m's pixel lane % 16, under the window's tap.
  template <int S>
  __device__ Shared<unsigned> row(int m, int unit) const {
    constexpr FusedStep s = plan.steps[S];
    constexpr int units = s.inner / plan.unit, window_h = s.window.h, window_w = s.window.w;
    const int own = min(m * 16 + lane_ % 16, count_ - 1);  // those beyond the last are computed and thrown away
    const int column = unit % units * (plan.unit / 2) + lane_ / 16 * 4;
    if constexpr (S == 0) return x_ + (own * plan.x_pitch() + column);
    int pixel = first_ + own;
    if constexpr (window_h * window_w > 1) {
      const int y = pixel / plan.width + unit / units / window_w - window_h / 2;
      const int x = pixel % plan.width + unit / units % window_w - window_w / 2;
      const bool inside = y >= 0 && y < plan.height && x >= 0 && x < plan.width;
      pixel = inside ? y * plan.width + x : plan.pixels();
    }
    return map_ + (pixel * plan.pitch() + source<S>() / 2 + column);
  }

  template <int S>
  __device__ void step() {
    constexpr int across = plan.steps[S].warps_across, along = plan.steps[S].warps_along, tiles = plan.tiles_each(S);
    const int column = warp_ % across, depth = warp_ / across;
    const bool busy = depth < along;
    const int channel = slice_ * plan.outputs_each(S) + column * tiles * plan.tile + lane_ % 4 * 2;
    float sums[m_tiles][tiles][4] = {};
    float2 biases[tiles] = {};  // on their way while the sums are made
    if (busy) {
#pragma unroll
      for (int n = 0; n < tiles; ++n) {
        biases[n] = vector_at<float2>(biases_ + plan.first_bias(S) + channel + n * plan.tile);
      }
      multiply<S>(sums, depth);
    }
    share<S>(sums, column, depth);
    if (!busy) return;
#pragma unroll
    for (int m = 0; m < m_tiles; ++m) {
#pragma unroll
      for (int n = 0; n < tiles; ++n) {
        if ((m * tiles + n) % along != depth) continue;
        finish<S>(m, n, channel + n * plan.tile, sums[m][n], biases[n]);
      }
    }
  }

  // The sums of this warp's tiles over its share of the inner dimension.
  template <int S, int Tiles>
  __device__ void multiply(float (&sums)[m_tiles][Tiles][4], int depth) {
    constexpr int units = plan.units(S), units_each = plan.units_each(S);
#pragma unroll 1  // units differ in nothing, and block35 has no registers to spare
    for (int i = 0; i < units_each; ++i) {
      const int unit = min(depth * units_each + i, units - 1);  // those beyond the last have weights of zero
      unsigned rows[m_tiles][2][4];
#pragma unroll
      for (int m = 0; m < m_tiles; ++m) {
        const Shared<unsigned> at = row<S>(m, unit);
        load_matrices(rows[m][0], at);
        load_matrices(rows[m][1], at + 8);
      }
#pragma unroll
      for (int n = 0; n < Tiles; ++n) {
        const uint4 columns = weights_.next();
#pragma unroll
        for (int m = 0; m < m_tiles; ++m) Product::multiply(sums[m][n], rows[m][0], columns.x, columns.y);
#pragma unroll
        for (int m = 0; m < m_tiles; ++m) Product::multiply(sums[m][n], rows[m][1], columns.z, columns.w);
      }
    }
  }

  // Warps that share sums add them, always in the same order: of `along` of them each ends every along-th tile.
  template <int S, int Tiles>
  __device__ void share(float (&sums)[m_tiles][Tiles][4], int column, int depth) const {
    constexpr int along = plan.steps[S].warps_along;
    if constexpr (along > 1) {
      const auto place = [&](int tile, int slot) {
        return partials_ + (((column * m_tiles * Tiles + tile) * (along - 1) + slot) * 32 + lane_) * 4;
      };
#pragma unroll
      for (int tile = 0; tile < m_tiles * Tiles; ++tile) {
        const int to = tile % along;
        if (depth >= along || depth == to) continue;
        const float(&s)[4] = sums[tile / Tiles][tile % Tiles];
        vector_at<float4>(place(tile, depth < to ? depth : depth - 1)) = make_float4(s[0], s[1], s[2], s[3]);
      }
      __syncthreads();
#pragma unroll
      for (int tile = 0; tile < m_tiles * Tiles; ++tile) {
        if (depth != tile % along) continue;
        float(&s)[4] = sums[tile / Tiles][tile % Tiles];
#pragma unroll
        for (int slot = 0; slot < along - 1; ++slot) {
          const float4 part = vector_at<float4>(place(tile, slot));
          s[0] += part.x, s[1] += part.y, s[2] += part.z, s[3] += part.w;
        }
      }
    }
  }

  // Ends the sums of one product: two rows of two channels a lane.
  template <int S>
  __device__ void finish(int m, int n, int channel, const float (&sums)[4], float2 bias) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float low = sums[half * 2] + bias.x, high = sums[half * 2 + 1] + bias.y;
      const int own = m * 16 + lane_ / 4 + half * 8;
      if constexpr (S == last) {
        float2& kept = kept_[m][n][half];
        low = kept.x + args_.scale * low;
        high = kept.y + args_.scale * high;
        kept = make_float2(args_.relu ? fmaxf(low, 0.0F) : low, args_.relu ? fmaxf(high, 0.0F) : high);
        if (own < count_) x_[own * plan.x_pitch() + channel / 2] = Product::pair(kept.x, kept.y);
      } else if (own < count_) {
        map_[(first_ + own) * plan.pitch() + target<S>(channel) / 2] =
            Product::pair(fmaxf(low, 0.0F), fmaxf(high, 0.0F));
      }
    }
  }

  // Calls visit(m, n, half, row of this block, channel) for all that the thread keeps of x: what the last step makes.
  template <class Visit>
  __device__ void each_kept(Visit visit) {
    if (warp_ >= plan.busy_warps(last)) return;
    constexpr int tiles = plan.tiles_each(last);
    const int channel = slice_ * plan.outputs_each(last) + warp_ * tiles * plan.tile + lane_ % 4 * 2;
#pragma unroll
    for (int m = 0; m < m_tiles; ++m) {
#pragma unroll
      for (int n = 0; n < tiles; ++n) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const int own = m * 16 + lane_ / 4 + half * 8;
          if (own < count_) visit(kept_[m][n][half], own, channel + n * plan.tile);
        }
      }
    }
  }
  __device__ ptrdiff_t pixel_of(int own) const { return static_cast<ptrdiff_t>(image_) * plan.pixels() + first_ + own; }

  __device__ void read_input() {
    each_kept([&](float2& kept, int own, int channel) {
      kept = read_two<Product>(args_.x.data + pixel_of(own) * args_.x.stride + channel);
      x_[own * plan.x_pitch() + channel / 2] = Product::pair(kept.x, kept.y);
    });
  }
  __device__ void write_output() {
    each_kept([&](const float2& kept, int own, int channel) {
      write_two<Product>(args_.y.data + pixel_of(own) * args_.y.stride + channel, kept);
    });
  }

  const Args& args_;
  Shared<unsigned> x_;    // of the block's pixels, all channels
  Shared<unsigned> map_;  // of all pixels, what the branches made; then a row of zeros
  Shared<float> partials_;
  int thread_, lane_, warp_;
  int slice_, part_;   // of the outputs, and of the pixels
  int first_, count_;  // the block's pixels
  int image_;
  const float* biases_ = nullptr;
  WeightStream weights_;
  float2 kept_[m_tiles][plan.tiles_each(last)][2] = {};  // the block's share of x, never rounded
};

}  // namespace wajah::WAJAH_KERNEL_ISA
