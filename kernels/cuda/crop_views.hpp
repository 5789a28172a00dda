// What a network sees of a crop's bytes: its centre, and beside it the mirror image of that where both views are asked
// for.
#pragma once

#include "device.hpp"

namespace wajah {

// value(byte, channel) of every number of image n, by threads `first`, `first` + 1 .. of `step`.
template <class Args, class Value>
__device__ __forceinline__ void write_views(const Args& args, int n, int first, int step, const Value& value) {
  const Shape &from = args.x.shape, &to = args.y.shape;
  const int top = (from.h - to.h) / 2, left = (from.w - to.w) / 2;
  for (int i = first; i < to.h * to.w; i += step) {
    const int row = i / to.w, column = i % to.w;
    const uint8_t* const x = args.x.pixel(n, row + top, column + left);
    float* const y = args.y.pixel(n * args.views, row, column);
    float* const mirrored = args.y.pixel(n * args.views + 1, row, to.w - 1 - column);
    for (int c = 0; c < to.c; ++c) {
      const float number = value(x[c], c);
      y[c] = number;
      if (args.views == 2) mirrored[c] = number;
    }
  }
}

}  // namespace wajah
