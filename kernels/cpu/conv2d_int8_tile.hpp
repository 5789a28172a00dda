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

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
WAJAH_INLINE int tile_height_int8(int width) { return tile_height(width); }
#else
// One register more is in use, for what vpmaddubsw gives.
WAJAH_INLINE int tile_height_int8(int width) {
  if (registers == 32) return width == 3 ? 8 : width == 2 ? 11 : 12;
  return width == 3 ? 3 : width == 2 ? 6 : 8;
}
#endif

constexpr ptrdiff_t prefetch_bytes = 40 * static_cast<ptrdiff_t>(alignment);

template <int Height, int Width, class Source>
WAJAH_VEC void multiply_int8(const Source& source, int tap, int depth, Sums (&sums)[Height][Width]) {
  const uint8_t* pixels[Height];
#pragma GCC unroll 16
  for (int m = 0; m < Height; ++m) pixels[m] = source.pixel(tap, m) + depth;
  const int8_t* weights = source.weights_of(tap);
  for (ptrdiff_t k = -depth; k != 0; k += quad, weights += Width * lanes * quad) {
    SignedBytes w[Width];
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) w[v] = SignedBytes::load(weights + v * lanes * quad);
#pragma GCC unroll 4
    for (int v = 0; v < Width * lanes * quad; v += static_cast<int>(alignment)) {
      __builtin_prefetch(weights + v + prefetch_bytes);
    }
#pragma GCC unroll 16
    for (int m = 0; m < Height; ++m) {
      const Activations x = Activations::load(pixels[m] + k);
#pragma GCC unroll 4
      for (int v = 0; v < Width; ++v) sums[m][v] = dot(x, w[v], sums[m][v]);
    }
  }
}

template <Ending E, int Height, int Width, class Source>
WAJAH_VEC void store_int8(const Source& source, const FinishInt8& finish, const Sums (&sums)[Height][Width]) {
  const Finisher<E> finisher(finish);
#pragma GCC unroll 4
  for (int v = 0; v < Width; ++v) {
    const auto channels = v + 1 == Width ? finish.last : Lanes(lanes);
    const Scales scales(finish, v);
#pragma GCC unroll 16
    for (int m = 0; m < Height; ++m) finisher.store(sums[m][v].floats(), scales, source.index(m), v, channels);
  }
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
  if (finish.bytes != nullptr) {
    store_int8<Ending::bytes>(source, finish, sums);
  } else if (finish.add == nullptr) {
    store_int8<Ending::floats>(source, finish, sums);
  } else if (finish.copy == nullptr) {
    store_int8<Ending::sum>(source, finish, sums);
  } else {
    store_int8<Ending::sum_and_copy>(source, finish, sums);
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
