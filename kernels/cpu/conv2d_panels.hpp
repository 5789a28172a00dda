// How output channels are cut into panels of one to three vectors: what pack_conv2d writes and conv2d reads.
// A panel's weights are one ascending stream, window pixel by window pixel, input channel by input channel, each step
// `width` vectors; panels follow one another in the order they are used, and after the last come the zeros that padding
// points to.
#pragma once

#include "vec.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

constexpr int max_width = 3;

// The tallest tile of pixels beside a panel: tile * width accumulators, the panel's vectors and one pixel must fit the
// registers, and one pointer a pixel, two to weights and a counter the 15 general ones.
WAJAH_INLINE int tile_height(int width) {
  if (registers == 32) return width == 3 ? 9 : width == 2 ? 11 : 12;
  return width == 3 ? 4 : width == 2 ? 6 : 8;
}
constexpr int max_height = 12;

struct Panel {
  int first, width;  // in vectors
};

// Threes if they come out even, else twos, with one three in front if the number is odd.
struct Panels {
  int vectors;

  WAJAH_VEC explicit Panels(int channels) : vectors((channels + lanes - 1) / lanes) {}
  WAJAH_VEC int count() const { return vectors == 1 ? 1 : vectors % 3 == 0 ? vectors / 3 : vectors / 2; }
  WAJAH_VEC int widest() const { return vectors == 1 ? 1 : vectors % 3 == 0 || vectors % 2 == 1 ? 3 : 2; }
  WAJAH_VEC Panel operator[](int i) const {
    if (vectors == 1) return {0, 1};
    if (vectors % 3 == 0) return {3 * i, 3};
    const int odd = vectors % 2;
    return i == 0 && odd == 1 ? Panel{0, 3} : Panel{2 * i + odd, 2};
  }
};

}  // namespace wajah::WAJAH_KERNEL_ISA
