// max_pool2d: vectors run along the channels; each output pixel looks at the part of its window that lies in the map.
#include <wajah/layers/max_pool2d.hpp>

#include "taps.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

// One output pixel. Where it looks at a square of Side known here the loops unroll; 0: at any rectangle.
template <int Side>
WAJAH_VEC void pool(const MaxPool2dArgs& args, const float* corner, Inside down, Inside across, float* y) {
  const ptrdiff_t row = args.x.shape.w * args.x.stride;
  for (int c = 0; c < args.x.shape.c; c += lanes) {
    const Lanes channels(args.x.shape.c - c);
    Vec largest(-__builtin_inff());
    for (int v = Side > 0 ? 0 : down.first; v < (Side > 0 ? Side : down.last); ++v) {
      for (int u = Side > 0 ? 0 : across.first; u < (Side > 0 ? Side : across.last); ++u) {
        largest = max(largest, Vec::load(corner + v * row + u * args.x.stride + c, channels));
      }
    }
    largest.store(y + c, channels);
  }
}

// Whether what lies in the map is the first Side rows and columns of the window.
template <int Side>
WAJAH_VEC bool is_square(Inside down, Inside across) {
  return down.first == 0 && across.first == 0 && down.last == Side && across.last == Side;
}

}  // namespace

void max_pool2d(const MaxPool2dArgs& args, Part part) {
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
      const float* corner = args.x.pixel(row / y.h, top, left);
      float* pixel = args.y.pixel(row / y.h, row % y.h, column);
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

}  // namespace wajah::WAJAH_KERNEL_ISA
