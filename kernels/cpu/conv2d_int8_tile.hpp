// The tile loop of conv2d_int8: as conv2d_tile.hpp, but a step takes four input channels of a pixel, which lie side by
// side in the map as in the packed weights. The sums are exact integers, so their order does not matter; what becomes
// of them, bias, residual, activation and the next layer's bytes, happens once at the end in float32.
#pragma once

#include <wajah/layers/conv2d_int8.hpp>

#include "conv2d_int8_finish.hpp"
#include "conv2d_source.hpp"
#include "vec_int8.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

#ifndef WAJAH_QUAD_PAIRS
WAJAH_INLINE int tile_height_int8(int width) { return tile_height(width); }
#else
// The weights of two quads and what vpmaddubsw gives of both are in registers beside the sums.
WAJAH_INLINE int tile_height_int8(int width) {
  if (registers == 32) return width == 3 ? 7 : width == 2 ? 11 : 12;
  return width == 3 ? 3 : width == 2 ? 6 : 8;
}
#endif

constexpr ptrdiff_t prefetch_bytes = 40 * static_cast<ptrdiff_t>(alignment);

template <int Height, int Width>
struct Tile {
  static constexpr ptrdiff_t step = Width * lanes * quad;  // bytes of weights a quad

  // Quads at `k` of every pixel, and their weights.
  static WAJAH_VEC void add(const uint8_t* const (&pixels)[Height], ptrdiff_t k, const int8_t* weights,
                            Sums (&sums)[Height][Width]) {
    SignedBytes w[Width];
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) w[v] = SignedBytes::load(weights + v * lanes * quad);
    prefetch(weights);
#pragma GCC unroll 16
    for (int m = 0; m < Height; ++m) {
      const Activations x = Activations::load(pixels[m] + k);
#pragma GCC unroll 4
      for (int v = 0; v < Width; ++v) sums[m][v] = dot(x, w[v], sums[m][v]);
    }
  }

#ifdef WAJAH_QUAD_PAIRS
  static WAJAH_VEC void add_pair(const uint8_t* const (&pixels)[Height], ptrdiff_t k, const int8_t* weights,
                                 Sums (&sums)[Height][Width]) {
    SignedBytes w[2][Width];
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) {
      w[0][v] = SignedBytes::load(weights + v * lanes * quad);
      w[1][v] = SignedBytes::load(weights + step + v * lanes * quad);
    }
    prefetch(weights);
    prefetch(weights + step);
#pragma GCC unroll 16
    for (int m = 0; m < Height; ++m) {
      const Activations x = Activations::load(pixels[m] + k), x2 = Activations::load(pixels[m] + k + quad);
#pragma GCC unroll 4
      for (int v = 0; v < Width; ++v) sums[m][v] = dot_pair(x, w[0][v], x2, w[1][v], sums[m][v]);
    }
  }
#endif

  static WAJAH_VEC void prefetch(const int8_t* weights) {
#pragma GCC unroll 4
    for (int v = 0; v < step; v += static_cast<int>(alignment)) __builtin_prefetch(weights + v + prefetch_bytes);
  }
};

template <int Height, int Width, class Source>
WAJAH_VEC void multiply_int8(const Source& source, int tap, int depth, Sums (&sums)[Height][Width]) {
  using Here = Tile<Height, Width>;
  const uint8_t* pixels[Height];
#pragma GCC unroll 16
  for (int m = 0; m < Height; ++m) pixels[m] = source.pixel(tap, m) + depth;
  const int8_t* weights = source.weights_of(tap);
  const char* ahead = source.ahead.at(static_cast<ptrdiff_t>(tap) * depth);
  const ptrdiff_t ahead_step = quad * source.ahead.step;
  ptrdiff_t k = -depth;
#ifdef WAJAH_QUAD_PAIRS
  for (; k < -quad; k += 2 * quad, weights += 2 * Here::step, ahead += 2 * ahead_step) {
    Here::add_pair(pixels, k, weights, sums);
    __builtin_prefetch(ahead, 0, 2);
  }
#endif
  for (; k != 0; k += quad, weights += Here::step, ahead += ahead_step) {
    Here::add(pixels, k, weights, sums);
    __builtin_prefetch(ahead, 0, 2);
  }
}

// The vectors of channels from First on.
template <int First, Ending E, int Height, int Width>
WAJAH_VEC void store_from(const ptrdiff_t (&pixels)[Height], const Finisher<E>& finisher,
                          const Sums (&sums)[Height][Width]) {
  const FinishInt8& finish = finisher.finish;
#pragma GCC unroll 4
  for (int v = First; v < Width; ++v) {
    const auto channels = v + 1 == Width ? finish.last : Lanes(lanes);
    const Scales scales(finish, v);
#pragma GCC unroll 16
    for (int m = 0; m < Height; ++m) finisher.store(sums[m][v].floats(), scales, pixels[m], v, channels);
  }
}

template <Ending E, int Height, int Width>
WAJAH_VEC void store_int8(const ptrdiff_t (&pixels)[Height], const FinishInt8& finish,
                          const Sums (&sums)[Height][Width]) {
  const Finisher<E> finisher(finish);
  if constexpr (E == Ending::bytes && Width > 1) {
    if (Width > 2 || finish.last.whole()) {
      const Scales scales[] = {Scales(finish, 0), Scales(finish, 1)};
#pragma GCC unroll 16
      for (int m = 0; m < Height; ++m) {
        finisher.store_two({sums[m][0].floats(), sums[m][1].floats()}, scales, pixels[m]);
      }
      return store_from<2>(pixels, finisher, sums);
    }
  }
  store_from<0>(pixels, finisher, sums);
}

template <int Height, int Width, class Source>
void compute_int8(const Source& source, int taps, int depth, const FinishInt8& finish) {
  Sums sums[Height][Width];
#pragma GCC unroll 16
  for (int m = 0; m < Height; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) sums[m][v] = Sums::zero();
  }
  for (int tap = 0; tap < taps; ++tap) multiply_int8(source, tap, depth, sums);
  ptrdiff_t pixels[Height];
#pragma GCC unroll 16
  for (int m = 0; m < Height; ++m) pixels[m] = source.index(m);
  if (finish.bytes != nullptr) {
    store_int8<Ending::bytes>(pixels, finish, sums);
  } else if (finish.add == nullptr) {
    store_int8<Ending::floats>(pixels, finish, sums);
  } else if (finish.copy == nullptr) {
    store_int8<Ending::sum>(pixels, finish, sums);
  } else {
    store_int8<Ending::sum_and_copy>(pixels, finish, sums);
  }
}

template <class Source>
using ComputeInt8 = void (*)(const Source&, int taps, int depth, const FinishInt8&);

// compute_int8<1, Width> to compute_int8<tile_height_int8(Width), Width>.
template <class Source, int Width, int... Heights>
struct TableInt8
    : TableInt8<Source, Width, tile_height_int8(Width) - static_cast<int>(sizeof...(Heights)), Heights...> {};
template <class Source, int Width, int... Heights>
struct TableInt8<Source, Width, 0, Heights...> {
  static constexpr ComputeInt8<Source> of_height[] = {compute_int8<Heights, Width, Source>...};
};

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
