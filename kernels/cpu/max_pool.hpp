// Largest values of windows: vectors run along the channels; each output pixel looks at the part of its window that
// lies in the map.
#pragma once

#include "taps.hpp"
#include "words.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

// One output pixel. Where it looks at a square of Side known here the loops unroll; 0: at any rectangle.
template <int Side, class Args, class Word>
WAJAH_VEC void pool(const Args& args, const Word* corner, Inside down, Inside across, Word* y) {
  const ptrdiff_t row = args.x.shape.w * args.x.stride;
  for (int c = 0; c < args.x.shape.c; c += lanes) {
    const Lanes channels(args.x.shape.c - c);
    Vec largest(-__builtin_inff());
    for (int v = Side > 0 ? 0 : down.first; v < (Side > 0 ? Side : down.last); ++v) {
      for (int u = Side > 0 ? 0 : across.first; u < (Side > 0 ? Side : across.last); ++u) {
        largest = max(largest, load_words(corner + v * row + u * args.x.stride + c, channels));
      }
    }
    store_words(y + c, channels, largest);
  }
}

// Whether what lies in the map is the first Side rows and columns of the window.
template <int Side>
WAJAH_VEC bool is_square(Inside down, Inside across) {
  return down.first == 0 && across.first == 0 && down.last == Side && across.last == Side;
}

template <class Args>
WAJAH_VEC void max_pool(const Args& args, Part part) {
  const Window window = args.window;
  const Shape x = args.x.shape;
  const Shape y = args.y.shape;
  const int above = reach(x.h, window.h, window.stride, args.pad).before;
  const int before = reach(x.w, window.w, window.stride, args.pad).before;
  const int rows = y.n * y.h;
  const auto end = static_cast<int>(part.end(rows));
  for (auto row = static_cast<int>(part.begin(rows)); row < end; ++row) {
    const int top = row % y.h * window.stride - above;
    for (int column = 0; column < y.w; ++column) {
      const int left = column * window.stride - before;
      const Inside down(top, window.h, x.h);
      const Inside across(left, window.w, x.w);
      const auto* corner = args.x.pixel(row / y.h, top, left);
      auto* pixel = args.y.pixel(row / y.h, row % y.h, column);
      if (is_square<2>(down, across)) {
        pool<2>(args, corner, down, across, pixel);
      } else if (is_square<3>(down, across)) {
        pool<3>(args, corner, down, across, pixel);
      } else {
        pool<0>(args, corner, down, across, pixel);
      }
    }
  }
}

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
