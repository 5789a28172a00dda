// Where the input of a tile's pixels lies is asked of a Source, once for each tap: Straight pixels are evenly spaced in
// memory, Scattered ones have a pointer each (the indirect convolution algorithm, Dukhan 2019), so that padding and the
// ends of rows cost the loop over channels nothing.
#pragma once

#include <wajah/layers/conv2d.hpp>

#include "conv2d_panels.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

// Weights that come next, fetched into L2 by and by while a tile passes over those of now: `step` bytes further for
// each step of the tile's loop. As many come next as all tiles pass over now, so each has its share of them.
struct Ahead {
  const char* first = nullptr;
  ptrdiff_t step = 0, share = 0;

  Ahead() = default;
  // For the first of `tiles`, which all pass over `size` bytes at `weights` in the given steps.
  WAJAH_VEC Ahead(const void* weights, ptrdiff_t size, ptrdiff_t steps, int tiles)
      : step((size / steps + tiles - 1) / tiles), share(size / tiles) {
    start(weights, size);
  }
  // The same for others, of equal size, steps and tiles.
  WAJAH_VEC void start(const void* weights, ptrdiff_t size) { first = static_cast<const char*>(weights) + size; }
  WAJAH_VEC void next_tile() { first += share; }

  WAJAH_VEC const char* at(ptrdiff_t steps) const { return first + steps * step; }
};

// Pixels in one line of the map whose windows lie inside it. All taps count, in the order of the packed weights.
template <class Element, class Weight>
struct Straight {
  const ptrdiff_t* offsets;  // of each tap from its window's corner
  const Weight* weights;
  ptrdiff_t weight_step;  // from one tap's to the next
  ptrdiff_t x_step, y_step;
  const Element* corner = nullptr;  // of the first pixel's window
  ptrdiff_t first = 0;              // index of the first pixel in y
  Ahead ahead{};

  WAJAH_VEC const Element* pixel(int tap, int m) const { return corner + offsets[tap] + m * x_step; }
  WAJAH_VEC const Weight* weights_of(int tap) const { return weights + tap * weight_step; }
  WAJAH_VEC ptrdiff_t index(int m) const { return first + m * y_step; }
};

// Any pixels. Taps that only meet padding are left out; where some pixels meet it, these point to zeros.
template <class Element, class Weight>
struct Scattered {
  struct Tap {
    const Weight* weights;
    const Element* pixels[max_height];
  };
  Tap taps[max_window_pixels];
  ptrdiff_t indices[max_height];  // of the pixels in y
  Ahead ahead{};

  WAJAH_VEC const Element* pixel(int tap, int m) const { return taps[tap].pixels[m]; }
  WAJAH_VEC const Weight* weights_of(int tap) const { return taps[tap].weights; }
  WAJAH_VEC ptrdiff_t index(int m) const { return indices[m]; }
};

}  // namespace wajah::WAJAH_KERNEL_ISA
