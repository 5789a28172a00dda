// Depthwise convolutions: channels are independent, so vectors run along them. Windows of any size: where the whole
// width of the window lies in the map, four neighbouring pixels share each load of weights. 3x3: depthwise_3x3.hpp.
#pragma once

#include "depthwise_3x3.hpp"
#include "taps.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

constexpr int group = 4;

// One row of output pixels.
template <class Args>
struct Row {
  const Args& args;
  ptrdiff_t weight_step;
  Reach columns;
  int image, y, top;
  Inside taps;

  WAJAH_VEC Row(const Args& a, int row)
      : args(a),
        weight_step(depthwise_weight_step(a)),
        columns(reach(a.x.shape.w, a.window.w, a.window.stride, a.pad)),
        image(row / a.y.shape.h),
        y(row % a.y.shape.h),
        top(y * a.window.stride - reach(a.x.shape.h, a.window.h, a.window.stride, a.pad).before),
        taps(top, a.window.h, a.x.shape.h) {}

  WAJAH_VEC int left(int column) const { return column * args.window.stride - columns.before; }
  WAJAH_VEC Inside taps_at(int column) const { return {left(column), args.window.w, args.x.shape.w}; }
};

// One vector of channels of the output pixels column to column + Count, of whose windows the columns `across` lie in
// the map.
template <class Maps, int Count, class Args>
WAJAH_VEC void compute(const Row<Args>& row, int column, Inside across, int c, Lanes channels) {
  const Args& args = row.args;
  const ptrdiff_t step = args.window.stride * args.x.stride;
  const Maps maps(args, c);
  Vec sums[Count];
  for (int i = 0; i < Count; ++i) sums[i] = Vec::load(args.biases + c);
  for (int v = row.taps.first; v < row.taps.last; ++v) {
    const auto* x = args.x.pixel(row.image, row.top + v, row.left(column) + across.first) + c;
    const float* weights = args.weights + (v * args.window.w + across.first) * row.weight_step + c;
    for (int u = across.first; u < across.last; ++u, x += args.x.stride, weights += row.weight_step) {
      const Vec w = Vec::load(weights);
      for (int i = 0; i < Count; ++i) sums[i] = fma(maps.load(x + i * step, channels), w, sums[i]);
    }
  }
  auto* y = args.y.pixel(row.image, row.y, column) + c;
  for (int i = 0; i < Count; ++i) maps.store(y + i * args.y.stride, channels, sums[i]);
}

// The same of all channels; whole vectors of them by loads and stores that need not ask.
template <class Maps, int Count, class Args>
WAJAH_VEC void compute(const Row<Args>& row, int column, Inside across) {
  const int channels = row.args.x.shape.c;
  int c = 0;
  for (; c + lanes <= channels; c += lanes) compute<Maps, Count>(row, column, across, c, Lanes(lanes));
  if (c < channels) compute<Maps, Count>(row, column, across, c, Lanes(channels - c));
}

template <class Maps, class Args>
void compute_row(const Row<Args>& row) {
  const int width = row.args.window.w;
  for (int column = 0; column < row.columns.out;) {
    const Inside here = row.taps_at(column);
    const int end = column + group;
    if (end <= row.columns.out && here.first == 0 && row.taps_at(end - 1).last == width) {
      compute<Maps, group>(row, column, here);
      column = end;
    } else {
      compute<Maps, 1>(row, column++, here);
    }
  }
}

// Maps: how the numbers of args.x and args.y are read and written (depthwise_maps.hpp).
template <class Maps, class Args>
WAJAH_VEC void depthwise(const Args& args, Part part) {
  if (args.window.h == 3 && args.window.w == 3 && args.window.stride == 1) return depthwise_3x3<Maps, 1>(args, part);
  if (args.window.h == 3 && args.window.w == 3 && args.window.stride == 2) return depthwise_3x3<Maps, 2>(args, part);
  const int rows = args.y.shape.n * args.y.shape.h;
  const auto end = static_cast<int>(part.end(rows));
  for (auto row = static_cast<int>(part.begin(rows)); row < end; ++row) compute_row<Maps>(Row<Args>(args, row));
}

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
