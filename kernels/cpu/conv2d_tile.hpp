// The one loop where convolutions spend their time: a tile of Height pixels by Width vectors of output channels, kept
// in registers while input channels go by. A step loads Width vectors of weights and one number a pixel, and multiplies
// all of them; with 11x2, 9x3 (AVX-512) or 6x2, 4x3 (AVX2) that is at most 0.7 loads for each multiplication.
#pragma once

#include <wajah/layers/conv2d.hpp>

#include "activation.hpp"
#include "conv2d_source.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

// What is done with the sums of one panel.
struct Finish {
  const float* biases;  // these four begin with the panel's first channel
  const float* slopes;
  float* y;
  const float* add;  // null: no residual
  float scale, ceiling;
  Lanes last;  // channels of the panel's last vector that exist
  ptrdiff_t y_stride, add_stride;
};

namespace {

constexpr int cache_line = static_cast<int>(alignment / sizeof(float));

// Floats of weights. Far enough ahead for L2 at the pace of the smallest tiles, near enough to be in L1 still.
constexpr int prefetch_ahead = 40 * cache_line;

template <int Height, int Width, class Source>
WAJAH_VEC void multiply(const Source& source, int tap, int depth, Vec (&sums)[Height][Width]) {
  // Counting up to zero from the ends leaves one register more for pointers.
  const float* pixels[Height];
#pragma GCC unroll 16
  for (int m = 0; m < Height; ++m) pixels[m] = source.pixel(tap, m) + depth;
  const float* weights = source.weights_of(tap);
  const char* ahead = source.ahead.at(static_cast<ptrdiff_t>(tap) * depth);
  for (ptrdiff_t k = -depth; k != 0; ++k, weights += Width * lanes) {
    Vec w[Width];
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) w[v] = Vec::load(weights + v * lanes);
    if constexpr (Width > 1) {  // a layer of one vector of channels keeps its weights in L1
#pragma GCC unroll 4
      for (int v = 0; v < Width * lanes; v += cache_line) __builtin_prefetch(weights + v + prefetch_ahead);
      __builtin_prefetch(ahead, 0, 2);
      ahead += source.ahead.step;
    }
#pragma GCC unroll 16
    for (int m = 0; m < Height; ++m) {
      const Vec x(pixels[m][k]);
#pragma GCC unroll 4
      for (int v = 0; v < Width; ++v) sums[m][v] = fma(x, w[v], sums[m][v]);
    }
  }
}

template <bool Add, int Height, int Width, class Source>
WAJAH_VEC void store(const Source& source, const Finish& finish, const Vec (&sums)[Height][Width]) {
  const Vec ceiling(finish.ceiling);
  const Vec scale(finish.scale);
#pragma GCC unroll 4
  for (int v = 0; v < Width; ++v) {
    const Vec slope = Vec::load(finish.slopes + v * lanes);
    const auto channels = v + 1 == Width ? finish.last : Lanes(lanes);
#pragma GCC unroll 16
    for (int m = 0; m < Height; ++m) {
      const ptrdiff_t pixel = source.index(m);
      Vec sum = sums[m][v];
      if constexpr (Add) {
        sum = fma(sum, scale, Vec::load(finish.add + pixel * finish.add_stride + v * lanes, channels));
      }
      activate(sum, slope, ceiling).store(finish.y + pixel * finish.y_stride + v * lanes, channels);
    }
  }
}

template <int Height, int Width, class Source>
void compute(const Source& source, int taps, int depth, const Finish& finish) {
  Vec sums[Height][Width];
#pragma GCC unroll 16
  for (int m = 0; m < Height; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) sums[m][v] = Vec::load(finish.biases + v * lanes);
  }
  for (int tap = 0; tap < taps; ++tap) multiply(source, tap, depth, sums);
  if (finish.add == nullptr) {
    store<false>(source, finish, sums);
  } else {
    store<true>(source, finish, sums);
  }
}

template <class Source>
using Compute = void (*)(const Source&, int taps, int depth, const Finish&);

// compute<1, Width> to compute<tile_height(Width), Width>: tiles of every height, so that no pixel is computed in vain.
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
