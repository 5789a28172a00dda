// The one loop where convolutions spend their time: a tile of HEIGHT pixels by WIDTH vectors of output channels, kept in
// registers while input channels go by. A step loads WIDTH vectors of weights and one number a pixel, and multiplies
// all of them; with 12x2, 9x3 (AVX-512) or 6x2, 4x3 (AVX2) that is at most 0.7 loads for each multiplication.
//
// Where a pixel's input lies is said by pointers, one a pixel and tap of the window (the indirect convolution algorithm,
// Dukhan 2019), so padding, stride and the ends of rows cost this loop nothing.
#pragma once

#include "activation.hpp"
#include "conv2d_panels.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

// What one pixel of the window, or one row of it, contributes.
struct Tap {
  const float* weights;            // (depth, width * lanes)
  const float* pixels[max_height];  // (depth) each: the input of every pixel of the tile
};

struct Tile {
  const Tap* taps;
  int tap_count, depth;
  const float* biases;  // from here on: of the panel's first channel
  const float* slopes;
  float ceiling;  // of the activation
  Lanes last;     // channels of the panel's last vector that exist
  float* y;
  const float* add;  // null: no residual
  float scale;
  ptrdiff_t y_stride, add_stride;
  int index[max_height];  // of each output pixel
};

namespace {

// Far enough ahead for L2 at the pace of the smallest tiles, near enough that the line is still in L1 when its turn comes.
constexpr int line = static_cast<int>(alignment / sizeof(float));
constexpr int prefetch_ahead = 40 * line;

template <int Height, int Width>
WAJAH_VEC void multiply(const Tap& tap, int depth, Vec (&sums)[Height][Width]) {
  const float* pixels[Height];
#pragma GCC unroll 16
  for (int m = 0; m < Height; ++m) pixels[m] = tap.pixels[m];
  const float* weights = tap.weights;
  for (ptrdiff_t k = 0; k < depth; ++k, weights += Width * lanes) {
    Vec w[Width];
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) w[v] = Vec::load(weights + v * lanes);
#pragma GCC unroll 4
    for (int v = 0; v < Width * lanes; v += line) __builtin_prefetch(weights + v + prefetch_ahead);
#pragma GCC unroll 16
    for (int m = 0; m < Height; ++m) {
      const Vec x(pixels[m][k]);
#pragma GCC unroll 4
      for (int v = 0; v < Width; ++v) sums[m][v] = fma(x, w[v], sums[m][v]);
    }
  }
}

template <bool Add, int Height, int Width>
WAJAH_VEC void finish(const Tile& tile, const Vec (&sums)[Height][Width]) {
  const Vec ceiling(tile.ceiling);
  const Vec scale(tile.scale);
#pragma GCC unroll 4
  for (int v = 0; v < Width; ++v) {
    const Vec slope = Vec::load(tile.slopes + v * lanes);
    const auto channels = v + 1 == Width ? tile.last : Lanes(lanes);
#pragma GCC unroll 16
    for (int m = 0; m < Height; ++m) {
      Vec sum = sums[m][v];
      if constexpr (Add) {
        sum = fma(sum, scale, Vec::load(tile.add + tile.index[m] * tile.add_stride + v * lanes, channels));
      }
      activate(sum, slope, ceiling).store(tile.y + tile.index[m] * tile.y_stride + v * lanes, channels);
    }
  }
}

template <int Height, int Width>
void compute(const Tile& tile) {
  Vec sums[Height][Width];
#pragma GCC unroll 16
  for (int m = 0; m < Height; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) sums[m][v] = Vec::load(tile.biases + v * lanes);
  }
  for (int t = 0; t < tile.tap_count; ++t) multiply(tile.taps[t], tile.depth, sums);
  if (tile.add == nullptr) {
    finish<false>(tile, sums);
  } else {
    finish<true>(tile, sums);
  }
}

using Compute = void (*)(const Tile&);

// compute<1, Width> to compute<tile_height(Width), Width>: tiles of every height, so that no pixel is computed in vain.
template <int Width, int... Heights>
struct Table : Table<Width, tile_height(Width) - static_cast<int>(sizeof...(Heights)), Heights...> {};
template <int Width, int... Heights>
struct Table<Width, 0, Heights...> {
  static constexpr Compute of_height[] = {compute<Heights, Width>...};
};

WAJAH_VEC Compute compute_for(int height, int width) {
  if (width == 1) return Table<1>::of_height[height - 1];
  if (width == 2) return Table<2>::of_height[height - 1];
  return Table<3>::of_height[height - 1];
}

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
