// The one loop where convolutions spend their time: a tile of Height pixels by Width vectors of output channels, kept
// in registers while input channels go by. A step loads Width vectors of weights and one number a pixel, and multiplies
// all of them; with 11x2, 9x3 (AVX-512) or 6x2, 4x3 (AVX2) that is at most 0.7 loads for each multiplication.
#pragma once

#include <wajah/layers/conv2d.hpp>

#include "conv2d_finish.hpp"
#include "conv2d_source.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

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

template <bool Add, int Height, int Width, class Source, class Word>
WAJAH_VEC void store(const Source& source, const FinishAs<Word>& finish, const Vec (&sums)[Height][Width]) {
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
        sum = fma(sum, scale, load_words(finish.add + pixel * finish.add_stride + v * lanes, channels));
      }
      store_words(finish.y + pixel * finish.y_stride + v * lanes, channels, activate(sum, slope, ceiling));
    }
  }
}

template <int Height, int Width, class Source, class Word>
void compute(const Source& source, int taps, int depth, const FinishAs<Word>& finish) {
  Vec sums[Height][Width];
#pragma GCC unroll 16
  for (int m = 0; m < Height; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) sums[m][v] = Vec::load(finish.biases + v * lanes);
  }
  // What is stored at the end is in L1 by then.
#pragma GCC unroll 16
  for (int m = 0; m < Height; ++m) __builtin_prefetch(finish.y + source.index(m) * finish.y_stride, 1);
  for (int tap = 0; tap < taps; ++tap) multiply(source, tap, depth, sums);
  if (finish.add == nullptr) {
    store<false>(source, finish, sums);
  } else {
    store<true>(source, finish, sums);
  }
}

template <class Source, class Word>
using Compute = void (*)(const Source&, int taps, int depth, const FinishAs<Word>&);

// compute<1, Width> to compute<tile_height(Width), Width>: tiles of every height, so that no pixel is computed in vain.
template <class Source, class Word, int Width, int... Heights>
struct Table : Table<Source, Word, Width, tile_height(Width) - static_cast<int>(sizeof...(Heights)), Heights...> {};
template <class Source, class Word, int Width, int... Heights>
struct Table<Source, Word, Width, 0, Heights...> {
  static constexpr Compute<Source, Word> of_height[] = {compute<Heights, Width, Source, Word>...};
};

template <class Source, class Word>
WAJAH_VEC Compute<Source, Word> compute_for(int height, int width) {
  if (width == 1) return Table<Source, Word, 1>::of_height[height - 1];
  if (width == 2) return Table<Source, Word, 2>::of_height[height - 1];
  return Table<Source, Word, 3>::of_height[height - 1];
}

// The Kind (conv2d_driver.hpp) of convolutions of floats, into a map of Args's words.
template <class GivenArgs, class Word>
struct FloatConv2d {
  using Args = GivenArgs;
  using Element = float;
  using Weight = float;
  using Finish = FinishAs<Word>;

  static constexpr int tile_height(int width) { return wajah::WAJAH_KERNEL_ISA::tile_height(width); }
  static WAJAH_VEC const float* zeros(const Args& args, ptrdiff_t packed) { return args.weights + packed; }
  static constexpr bool padding_counts(const Args&) { return false; }
  static WAJAH_VEC Finish finish_of(const Args& args, Panel panel) {
    return wajah::WAJAH_KERNEL_ISA::finish_of<Word>(args, panel);
  }
  template <class Source>
  static WAJAH_VEC Compute<Source, Word> compute_for(int height, int width) {
    return wajah::WAJAH_KERNEL_ISA::compute_for<Source, Word>(height, width);
  }
};

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
