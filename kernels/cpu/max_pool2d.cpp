// max_pool2d: vectors run along the channels; each output pixel looks at the part of its window that lies in the map.
#include <wajah/layers/max_pool2d.hpp>

#include "taps.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

WAJAH_VEC void pool(const MaxPool2dArgs& args, const float* corner, Inside down, Inside across, float* y) {
  const ptrdiff_t row = args.x.shape.w * args.x.stride;
  for (int c = 0; c < args.x.shape.c; c += lanes) {
    const Lanes channels(args.x.shape.c - c);
    Vec largest(-__builtin_inff());
    for (int v = down.first; v < down.last; ++v) {
      for (int u = across.first; u < across.last; ++u) {
        largest = max(largest, Vec::load(corner + v * row + u * args.x.stride + c, channels));
      }
    }
    largest.store(y + c, channels);
  }
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
      pool(args, args.x.pixel(row / y.h, top, left), Inside(top, window.h, x.h), Inside(left, window.w, x.w),
           args.y.pixel(row / y.h, row % y.h, column));
    }
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
