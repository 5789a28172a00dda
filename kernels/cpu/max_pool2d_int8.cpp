// max_pool2d_int8: the loop over channels has no branch, so the compiler makes vectors of bytes of it.
#include <wajah/layers/max_pool2d_int8.hpp>

#include "taps.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

WAJAH_VEC void take_larger(uint8_t* __restrict y, const uint8_t* __restrict x, int channels) {
  for (int c = 0; c < channels; ++c) y[c] = x[c] > y[c] ? x[c] : y[c];
}

}  // namespace

void max_pool2d_int8(const MaxPool2dInt8Args& args, Part part) {
  const Window window = args.window;
  const Shape x = args.x.shape;
  const Shape y = args.y.shape;
  const int above = reach(x.h, window.h, window.stride, args.pad).before;
  const int before = reach(x.w, window.w, window.stride, args.pad).before;
  const int rows = y.n * y.h;
  const auto end = static_cast<int>(part.end(rows));
  for (auto row = static_cast<int>(part.begin(rows)); row < end; ++row) {
    const int top = row % y.h * window.stride - above;
    const Inside down(top, window.h, x.h);
    for (int column = 0; column < y.w; ++column) {
      const int left = column * window.stride - before;
      const Inside across(left, window.w, x.w);
      uint8_t* pixel = args.y.pixel(row / y.h, row % y.h, column);
      for (int c = 0; c < y.c; ++c) pixel[c] = 0;  // the least a byte can be
      for (int v = down.first; v < down.last; ++v) {
        for (int u = across.first; u < across.last; ++u) {
          take_larger(pixel, args.x.pixel(row / y.h, top + v, left + u), y.c);
        }
      }
    }
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
