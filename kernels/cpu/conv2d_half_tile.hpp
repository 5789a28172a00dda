// The loop of conv2d_half: conv2d_tile.hpp's with two input channels a step. Sums of halves lose a bit for every
// doubling of their length, so after a chain of steps they are added to sums in float and begin again.
#pragma once

#include <wajah/layers/conv2d_half.hpp>

#include "conv2d_finish.hpp"
#include "conv2d_source.hpp"
#include "vec_half.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

// The map becomes halves, or floats where `floats` is not null.
struct HalfFinish : FinishAs<uint16_t> {
  float* floats;
};

namespace {

constexpr int channels_a_step = 2;
// Of 64 sums the error is that of 16 and a sixth; of 128 it is twice as much (fp16 against double, inner dimension
// 896).
constexpr int steps_a_chain = 64;
constexpr int words_a_line = static_cast<int>(alignment / sizeof(uint16_t));
constexpr int half_prefetch_ahead = 40 * words_a_line;

template <int Height, int Width>
struct HalfSums {
  Halves chain[Height][Width];
  Vec total[Height][Width];

  WAJAH_VEC explicit HalfSums(const float* biases) {
#pragma GCC unroll 16
    for (int m = 0; m < Height; ++m) {
#pragma GCC unroll 4
      for (int v = 0; v < Width; ++v) {
        total[m][v] = Vec::load(biases + v * lanes);
        chain[m][v] = Halves::zero();
      }
    }
  }
  WAJAH_VEC void end_chain() {
#pragma GCC unroll 16
    for (int m = 0; m < Height; ++m) {
#pragma GCC unroll 4
      for (int v = 0; v < Width; ++v) {
        total[m][v] = total[m][v] + chain[m][v].total();
        chain[m][v] = Halves::zero();
      }
    }
  }
};

// `steps` steps of one tap, the first of which is number `first`.
template <int Height, int Width, class Source>
WAJAH_VEC void multiply(const Source& source, int tap, int depth, int first, int steps, HalfSums<Height, Width>& sums) {
  const int end = first + steps;
  const uint16_t* pixels[Height];
#pragma GCC unroll 16
  for (int m = 0; m < Height; ++m) pixels[m] = source.pixel(tap, m) + end * channels_a_step;
  const uint16_t* weights = source.weights_of(tap) + static_cast<ptrdiff_t>(first) * Width * lanes * channels_a_step;
  const char* ahead = source.ahead.at(static_cast<ptrdiff_t>(tap) * depth + first * channels_a_step);
  for (ptrdiff_t k = -steps * channels_a_step; k != 0;
       k += channels_a_step, weights += Width * lanes * channels_a_step) {
    Halves w[Width];
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) w[v] = Halves::load(weights + v * lanes * channels_a_step);
    if constexpr (Width > 1) {  // a layer of one vector of channels keeps its weights in L1
#pragma GCC unroll 4
      for (int v = 0; v < Width * lanes * channels_a_step; v += words_a_line) {
        __builtin_prefetch(weights + v + half_prefetch_ahead);
      }
      __builtin_prefetch(ahead, 0, 2);
      ahead += channels_a_step * source.ahead.step;
    }
#pragma GCC unroll 16
    for (int m = 0; m < Height; ++m) {
      const Halves x = Halves::pair(pixels[m] + k);
#pragma GCC unroll 4
      for (int v = 0; v < Width; ++v) sums.chain[m][v] = fma(x, w[v], sums.chain[m][v]);
    }
  }
}

template <int Height, int Width, class Source>
WAJAH_VEC void store(const Source& source, const HalfFinish& finish, const HalfSums<Height, Width>& sums) {
  const Vec ceiling(finish.ceiling);
  const Vec scale(finish.scale);
  for (int v = 0; v < Width; ++v) {
    const Vec slope = Vec::load(finish.slopes + v * lanes);
    const auto channels = v + 1 == Width ? finish.last : Lanes(lanes);
    for (int m = 0; m < Height; ++m) {
      const ptrdiff_t pixel = source.index(m);
      Vec sum = sums.total[m][v];
      if (finish.add != nullptr) {
        sum = fma(sum, scale, load_words(finish.add + pixel * finish.add_stride + v * lanes, channels));
      }
      const Vec y = activate(sum, slope, ceiling);
      if (finish.floats != nullptr) {
        y.store(finish.floats + pixel * finish.y_stride + v * lanes, channels);
      } else {
        store_words(finish.y + pixel * finish.y_stride + v * lanes, channels, y);
      }
    }
  }
}

template <int Height, int Width, class Source>
void compute(const Source& source, int taps, int depth, const HalfFinish& finish) {
  HalfSums<Height, Width> sums(finish.biases);
  const int steps = depth / channels_a_step;
  int left = steps_a_chain;
  for (int tap = 0; tap < taps; ++tap) {
    for (int first = 0; first < steps;) {
      const int some = left < steps - first ? left : steps - first;
      multiply(source, tap, depth, first, some, sums);
      first += some;
      left -= some;
      if (left == 0) {
        sums.end_chain();
        left = steps_a_chain;
      }
    }
  }
  if (left != steps_a_chain) sums.end_chain();
  store(source, finish, sums);
}

template <class Source>
using Compute = void (*)(const Source&, int taps, int depth, const HalfFinish&);

// compute<1, Width> to compute<tile_height(Width), Width>.
template <class Source, int Width, int... Heights>
struct Table : Table<Source, Width, tile_height(Width) - static_cast<int>(sizeof...(Heights)), Heights...> {};
template <class Source, int Width, int... Heights>
struct Table<Source, Width, 0, Heights...> {
  static constexpr Compute<Source> of_height[] = {compute<Heights, Width, Source>...};
};

template <class Source>
WAJAH_VEC Compute<Source> compute_for(int height, int width) {
  if (width == 1) return Table<Source, 1>::of_height[height - 1];
  if (width == 2) return Table<Source, 2>::of_height[height - 1];
  return Table<Source, 3>::of_height[height - 1];
}

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
