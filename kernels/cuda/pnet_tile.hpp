// The whole of P-Net (networks/mtcnn.hpp) on a tile of places, by one block: what pnet_levels.cu and pnet_opposites.cu
// share. The ladder stands in pnet_levels.cu.
//
// Maps lie in shared memory as planes of one channel. Tiles reach beyond the picture: there all is made from black
// pixels, no place of the map ever asks for it, and pooling alone has to look where the map ends.
#pragma once

#include <wajah/cuda_kernels.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

// Outputs side by side that a thread makes at once, in rows by columns: of the pooled conv1, of conv2 and of conv3.
struct PNetUnit {
  int across, down;
};

// Plan: columns, rows: places; threads; unit1, unit2, unit3.
template <class Plan>
struct PNetMaps {
  static constexpr int pooled_columns = Plan::columns + 4, pooled_rows = Plan::rows + 4;
  static constexpr int inner_columns = Plan::columns + 2, inner_rows = Plan::rows + 2;  // of conv2
  static constexpr int pixel_columns = 2 * pooled_columns + 2, pixel_rows = 2 * pooled_rows + 2;

  static constexpr int in_vectors(int columns) { return (columns + 3) / 4 * 4; }
  static constexpr int pixel_pitch = in_vectors(pixel_columns), pixel_plane = pixel_pitch * pixel_rows;
  static constexpr int pooled_pitch = in_vectors(pooled_columns);
  static constexpr int pooled_plane = pooled_pitch * pooled_rows + 4;  // neighbouring planes in different banks
  static constexpr int inner_pitch = in_vectors(inner_columns), inner_plane = inner_pitch * inner_rows;

  static constexpr int weights = sizeof(PNetCardWeights) / sizeof(float), pooled = 10 * pooled_plane;
  static constexpr int pixels = 3 * pixel_plane, inner = 16 * inner_plane;
  // The map of conv2 comes where the pixels were.
  static constexpr int floats = weights + pooled + (pixels > inner ? pixels : inner);
};

#define WAJAH_WEIGHTS_AT(tensor) (offsetof(PNetCardWeights, tensor) / sizeof(float))
struct PNetLayer1 {
  static constexpr int in = 3, weights = WAJAH_WEIGHTS_AT(conv1);
  static constexpr int bias = WAJAH_WEIGHTS_AT(bias1), slope = WAJAH_WEIGHTS_AT(slope1);
  static constexpr ChannelGroups out = pnet_groups1;
};
struct PNetLayer2 {
  static constexpr int in = 10, weights = WAJAH_WEIGHTS_AT(conv2);
  static constexpr int bias = WAJAH_WEIGHTS_AT(bias2), slope = WAJAH_WEIGHTS_AT(slope2);
  static constexpr ChannelGroups out = pnet_groups2;
};
struct PNetLayer3 {
  static constexpr int in = 16, weights = WAJAH_WEIGHTS_AT(conv3);
  static constexpr int bias = WAJAH_WEIGHTS_AT(bias3), slope = WAJAH_WEIGHTS_AT(slope3);
  static constexpr ChannelGroups out = pnet_groups3;
};

// Numbers in the widest vectors that `Step`, a common divisor of all their places, allows.
template <int Step, int Count>
struct RowVectors {
  static constexpr int quads = Step % 4 == 0 ? Count / 4 : 0;
  static constexpr int pairs = Step % 2 == 0 ? (Count - 4 * quads) / 2 : 0;
  static constexpr int done = 4 * quads + 2 * pairs;

  static __device__ __forceinline__ void load(Shared<const float> from, float (&to)[Count]) {
#pragma unroll
    for (int i = 0; i < quads; ++i) {
      const float4 four = vector_at<float4>(from + 4 * i);
      to[4 * i] = four.x, to[4 * i + 1] = four.y, to[4 * i + 2] = four.z, to[4 * i + 3] = four.w;
    }
#pragma unroll
    for (int i = 0; i < pairs; ++i) {
      const float2 two = vector_at<float2>(from + (4 * quads + 2 * i));
      to[4 * quads + 2 * i] = two.x, to[4 * quads + 2 * i + 1] = two.y;
    }
#pragma unroll
    for (int i = done; i < Count; ++i) to[i] = from[i];
  }

  static __device__ __forceinline__ void store(Shared<float> to, const float (&from)[Count]) {
#pragma unroll
    for (int i = 0; i < quads; ++i) {
      vector_at<float4>(to + 4 * i) = make_float4(from[4 * i], from[4 * i + 1], from[4 * i + 2], from[4 * i + 3]);
    }
#pragma unroll
    for (int i = 0; i < pairs; ++i) {
      vector_at<float2>(to + (4 * quads + 2 * i)) = make_float2(from[4 * quads + 2 * i], from[4 * quads + 2 * i + 1]);
    }
#pragma unroll
    for (int i = done; i < Count; ++i) to[i] = from[i];
  }
};

// A thread's share of a 3x3 convolution with its bias and PReLU: Across x Down outputs of the channels of group g. The
// map begins with the share's first pixel, at a multiple of Step numbers.
template <class Layer, int Across, int Down>
struct PNetShare {
  static constexpr int channels = Layer::out.each;
  float sums[channels][Down][Across];

  template <int Step>
  __device__ __forceinline__ void convolve(Shared<const float> weights, int g, Shared<const float> map, int pitch,
                                           int plane) {
    set(weights + (Layer::bias + g * channels));
    Shared<const float> taps = weights + (Layer::weights + g * channels);
#pragma unroll 1
    for (int c = 0; c < Layer::in; ++c) {
      add_channel<Step>(taps, map, pitch);
      taps += 9 * Layer::out.channels();
      map += plane;
    }
    activate(weights + (Layer::slope + g * channels));
  }

 private:
  __device__ __forceinline__ void set(Shared<const float> bias) {
#pragma unroll
    for (int k = 0; k < channels; ++k) {
      const float start = bias[k];
#pragma unroll
      for (int i = 0; i < Down * Across; ++i) sums[k][i / Across][i % Across] = start;
    }
  }

  // Every row of the map is read once, and is the first, second or last row of one window or more.
  template <int Step>
  __device__ __forceinline__ void add_channel(Shared<const float> taps, Shared<const float> map, int pitch) {
    float tap[3][3][channels];
#pragma unroll
    for (int row = 0; row < Down + 2; ++row) {
      float pixels[Across + 2];
      RowVectors<Step, Across + 2>::load(map + row * pitch, pixels);
      if (row < 3) {
#pragma unroll
        for (int u = 0; u < 3; ++u) {
          RowVectors<channels, channels>::load(taps + (row * 3 + u) * Layer::out.channels(), tap[row][u]);
        }
      }
#pragma unroll
      for (int v = 0; v < 3; ++v) {
        if (row - v < 0 || row - v >= Down) continue;
#pragma unroll
        for (int i = 0; i < 3 * Across * channels; ++i) {
          const int u = i / (Across * channels), k = i / Across % channels, column = i % Across;
          sums[k][row - v][column] += pixels[column + u] * tap[v][u][k];
        }
      }
    }
  }

  __device__ __forceinline__ void activate(Shared<const float> slopes) {
#pragma unroll
    for (int k = 0; k < channels; ++k) {
      const float slope = slopes[k];
#pragma unroll
      for (int i = 0; i < Down * Across; ++i) {
        float& sum = sums[k][i / Across][i % Across];
        sum = sum < 0 ? slope * sum : sum;
      }
    }
  }
};

// Of `Count` numbers of each of eight neighbouring lanes the sums over the lanes: of eight, lane l gets the l-th; of
// one, all get it.
template <int Count>
__device__ __forceinline__ float sum_of_lanes(const float (&numbers)[Count], int lane) {
  static_assert(Count == 8 || Count == 1);
  if constexpr (Count == 1) {
    float sum = numbers[0];
    for (int bit = 4; bit > 0; bit /= 2) sum += __shfl_xor_sync(whole_warp, sum, bit);
    return sum;
  } else {
    float four[4], two[2];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const bool upper = (lane & 4) != 0;
      four[i] =
          (upper ? numbers[i + 4] : numbers[i]) + __shfl_xor_sync(whole_warp, upper ? numbers[i] : numbers[i + 4], 4);
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const bool upper = (lane & 2) != 0;
      two[i] = (upper ? four[i + 2] : four[i]) + __shfl_xor_sync(whole_warp, upper ? four[i] : four[i + 2], 2);
    }
    const bool upper = (lane & 1) != 0;
    return (upper ? two[1] : two[0]) + __shfl_xor_sync(whole_warp, upper ? two[0] : two[1], 1);
  }
}

template <class Plan>
class PNetTile {
  using Maps = PNetMaps<Plan>;

 public:
  // memory: Maps::floats. The tile's first place is (column, row) of the level.
  __device__ PNetTile(Shared<float> memory, const LevelPixels& level, int column, int row)
      : weights_(memory),
        pooled_(memory + Maps::weights),
        pixels_(memory + (Maps::weights + Maps::pooled)),
        level_(level),
        column_(column),
        row_(row),
        rows_(min(Plan::rows, (pnet_outputs(level.height) - row + together - 1) / together * together)) {}

  // visit(column, row, score, regression) of each place of the level that lies in the tile, by any thread.
  template <class Visit>
  __device__ __forceinline__ void run(const PNetCardWeights* weights, const Visit& visit) const {
    constexpr int first = WAJAH_WEIGHTS_AT(conv2);
    copy_weights(weights, 0, first);
    copy_weights(weights, first, Maps::weights);
    bring_pixels();
    wait_for_copies<1>();
    __syncthreads();
    make_pooled();
    wait_for_copies<0>();
    __syncthreads();
    make_inner();
    __syncthreads();
    make_places(visit);
  }

 private:
  // Rows of places beyond the level are left out, as many at once as touch in conv2 and conv3.
  static constexpr int together = Plan::unit2.down > Plan::unit3.down ? Plan::unit2.down : Plan::unit3.down;

  static __device__ int thread() { return static_cast<int>(threadIdx.x); }

  __device__ void copy_weights(const PNetCardWeights* weights, int from, int to) const {
    const auto* const all = reinterpret_cast<const float*>(weights);
    for (int i = from + 4 * thread(); i < to; i += 4 * Plan::threads) copy_async16(weights_ + i, all + i, 16);
    commit_copies();
  }

  // A warp brings rows, a lane four bytes of each. All are asked for before the first is waited for.
  __device__ void bring_pixels() const {
    constexpr int warps = Plan::threads / 32, most = (Maps::pixel_rows + warps - 1) / warps;
    constexpr int bytes = 3 * Maps::pixel_columns;
    static_assert(bytes + 3 <= 128 || Plan::columns % 2 == 0);  // then a tile's rows begin with a word
    const int lane = thread() % 32, warp = thread() / 32, pitch = level_.pitch();
    const int at = 6 * column_ / 4 * 4 + 4 * lane;  // of the row
    unsigned words[most];
#pragma unroll
    for (int i = 0; i < most; ++i) {
      const int row = warp + i * warps, level_row = 2 * row_ + row;
      words[i] = 0;
      if (at >= pitch || row >= 2 * rows_ + 10 || level_row >= level_.height) continue;
      words[i] = vector_at<unsigned>(reinterpret_cast<const unsigned*>(level_.row(level_row) + at));
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const int byte = at + k - 6 * column_;
      if (byte < 0 || byte >= bytes) continue;
      const Shared<float> column = pixels_ + (byte % 3 * Maps::pixel_plane + byte / 3);
#pragma unroll
      for (int i = 0; i < most; ++i) {
        const int row = warp + i * warps;
        if (row >= 2 * rows_ + 10) break;
        const auto value = static_cast<float>(words[i] >> (8 * k) & 255U);
        column[row * Maps::pixel_pitch] = (value - 127.5F) * 0.0078125F;
      }
    }
  }

  // Which outputs share number `share` of a map is, that has so many units side by side: the groups are neighbours, so
  // that most of a warp's threads read the same pixels.
  template <class Layer>
  struct Place {
    int group, column, row;

    __device__ Place(int share, PNetUnit unit, int units)
        : group(share % Layer::out.groups),
          column(share / Layer::out.groups % units * unit.across),
          row(share / Layer::out.groups / units * unit.down) {}
  };

  // conv1, and the largest of 2 x 2 of it: at the ends of an odd map of fewer.
  __device__ void make_pooled() const {
    using Layer = PNetLayer1;
    constexpr PNetUnit unit = Plan::unit1;
    constexpr int units = Maps::pooled_columns / unit.across;
    static_assert(Maps::pooled_columns % unit.across == 0 && unit.down == 1);
#pragma unroll 1
    for (int i = thread(); i < Layer::out.groups * units * (rows_ + 4); i += Plan::threads) {
      const Place<Layer> at(i, unit, units);
      PNetShare<Layer, 2 * unit.across, 2> share;
      share.template convolve<2 * unit.across>(weights_, at.group,
                                               pixels_ + (2 * at.row * Maps::pixel_pitch + 2 * at.column),
                                               Maps::pixel_pitch, Maps::pixel_plane);
      const int right = level_.width - 3 - 2 * (column_ + at.column);  // the map's last column, from the share's first
      const bool lower = 2 * (row_ + at.row) + 1 < level_.height - 2;
#pragma unroll
      for (int k = 0; k < Layer::out.each; ++k) {
        float largest[unit.across];
#pragma unroll
        for (int x = 0; x < unit.across; ++x) {
          const float* const upper_row = share.sums[k][0] + 2 * x;
          const float* const lower_row = share.sums[k][1] + 2 * x;
          largest[x] = lower ? fmaxf(upper_row[0], lower_row[0]) : upper_row[0];
          if (2 * x + 1 <= right)
            largest[x] = fmaxf(largest[x], lower ? fmaxf(upper_row[1], lower_row[1]) : upper_row[1]);
        }
        const int plane = at.group + k * Layer::out.groups;
        RowVectors<unit.across, unit.across>::store(
            pooled_ + (plane * Maps::pooled_plane + at.row * Maps::pooled_pitch + at.column), largest);
      }
    }
  }

  __device__ void make_inner() const {
    using Layer = PNetLayer2;
    constexpr PNetUnit unit = Plan::unit2;
    constexpr int units = Maps::inner_columns / unit.across;
    static_assert(Maps::inner_columns % unit.across == 0 && Maps::inner_rows % unit.down == 0);
#pragma unroll 1
    for (int i = thread(); i < Layer::out.groups * units * ((rows_ + 2) / unit.down); i += Plan::threads) {
      const Place<Layer> at(i, unit, units);
      PNetShare<Layer, unit.across, unit.down> share;
      share.template convolve<unit.across>(weights_, at.group, pooled_ + (at.row * Maps::pooled_pitch + at.column),
                                           Maps::pooled_pitch, Maps::pooled_plane);
#pragma unroll
      for (int k = 0; k < Layer::out.each; ++k) {
        const int plane = at.group + k * Layer::out.groups;
#pragma unroll
        for (int row = 0; row < unit.down; ++row) {
          RowVectors<unit.across, unit.across>::store(
              pixels_ + (plane * Maps::inner_plane + (at.row + row) * Maps::inner_pitch + at.column),
              share.sums[k][row]);
        }
      }
    }
  }

  // conv3 and the heads. The threads of a share's eight groups are neighbours; each adds what its channels give to the
  // heads, and ends with all sums of one place a row.
  template <class Visit>
  __device__ __forceinline__ void make_places(const Visit& visit) const {
    using Layer = PNetLayer3;
    constexpr PNetUnit unit = Plan::unit3;
    constexpr int units = Plan::columns / unit.across;
    static_assert(Plan::columns % unit.across == 0 && Plan::rows % unit.down == 0 && Layer::out.groups == 8);
    static_assert(8 * units * (Plan::rows / unit.down) <= Plan::threads);
    const int count = 8 * units * (rows_ / unit.down);
    if (thread() / 32 * 32 >= count) return;
    // Lanes beyond the tile do its last share again, so that the warp stays together.
    const Place<Layer> at(min(thread(), count - 8 + thread() % 8), unit, units);
    PNetShare<Layer, unit.across, unit.down> share;
    share.template convolve<unit.across>(weights_, at.group, pixels_ + (at.row * Maps::inner_pitch + at.column),
                                         Maps::inner_pitch, Maps::inner_plane);
    float sums[unit.down][pnet_heads];
#pragma unroll
    for (int head = 0; head < pnet_heads; ++head) {
      float taps[Layer::out.each];
      RowVectors<4, Layer::out.each>::load(
          weights_ + (WAJAH_WEIGHTS_AT(heads) + head * Layer::out.channels() + at.group * Layer::out.each), taps);
      const float bias = weights_[WAJAH_WEIGHTS_AT(bias4) + head];
#pragma unroll
      for (int row = 0; row < unit.down; ++row) {
        float parts[unit.across];
#pragma unroll
        for (int x = 0; x < unit.across; ++x) {
          parts[x] = 0;
#pragma unroll
          for (int k = 0; k < Layer::out.each; ++k) parts[x] += share.sums[k][row][x] * taps[k];
        }
        sums[row][head] = sum_of_lanes(parts, at.group) + bias;
      }
    }
    const bool mine = thread() < count && (unit.across == 8 || at.group == 0);
    const int column = column_ + at.column + (unit.across == 8 ? at.group : 0);
#pragma unroll
    for (int row = 0; row < unit.down; ++row) {
      if (!mine || column >= pnet_outputs(level_.width)) continue;
      if (row_ + at.row + row >= pnet_outputs(level_.height)) continue;
      const float* const six = sums[row];
      const float largest = fmaxf(six[0], six[1]), no = expf(six[0] - largest), yes = expf(six[1] - largest);
      visit(column, row_ + at.row + row, yes / (no + yes), six + 2);
    }
  }

  Shared<float> weights_, pooled_, pixels_;
  LevelPixels level_;
  int column_, row_, rows_;
};
#undef WAJAH_WEIGHTS_AT

}  // namespace wajah::WAJAH_KERNEL_ISA
