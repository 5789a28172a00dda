// Depthwise convolution with a 3x3 window, a vector of channels at a time, along a line of pixels. The nine weights
// stay in registers. Every pixel is loaded once for a block of output rows: it is the last column of one output's
// window, the middle of the next one's and the first of the one after, whose sums move on by one register a step. Two
// or three rows of outputs at once share their input rows, and give the adders enough sums that do not wait for one
// another.
#pragma once

#include <wajah/layers/depthwise_conv2d.hpp>

#include "depthwise_maps.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

constexpr int side_3x3 = 3;

// Floats from one tap's weights to the next.
template <class Args>
WAJAH_VEC ptrdiff_t depthwise_weight_step(const Args& args) {
  return static_cast<ptrdiff_t>(align_up(static_cast<size_t>(args.x.shape.c) * sizeof(float)) / sizeof(float));
}

// The rows of the map that Rows rows of outputs read; padding is a row of one pixel that goes nowhere.
template <class Word, int Rows, int Stride>
struct InputRows {
  static constexpr int count = (Rows - 1) * Stride + side_3x3;
  const Word* rows[count];
  ptrdiff_t steps[count];

  WAJAH_VEC InputRows(const View<const Word>& x, int image, int top, int channel, const Word* padding) {
    for (int r = 0; r < count; ++r) {
      const bool inside = top + r >= 0 && top + r < x.shape.h;
      rows[r] = inside ? x.pixel(image, top + r, 0) + channel : padding;
      steps[r] = inside ? x.stride : 0;
    }
  }
  WAJAH_VEC const Word* at(int r, int column) const { return rows[r] + column * steps[r]; }
};

// Outputs of Rows rows and one vector of channels. Whole: that all of its channels exist, so that loads and stores need
// not ask.
template <class Maps, int Rows, int Stride, bool Whole>
class Line3x3 {
 public:
  using Input = InputRows<typename Maps::X, Rows, Stride>;

  template <class Args>
  WAJAH_VEC Line3x3(const Args& args, int image, int row, int top, int channel)
      : maps_(args, channel),
        input_(args.x, image, top, channel, maps_.padding()),
        width_(args.x.shape.w),
        channels_(args.x.shape.c - channel),
        y_(args.y.pixel(image, row, 0) + channel),
        y_row_(args.y.shape.w * args.y.stride),
        y_stride_(args.y.stride),
        bias_(Vec::load(args.biases + channel)) {
    for (int t = 0; t < side_3x3 * side_3x3; ++t) {
      weights_[t] = Vec::load(args.weights + t * depthwise_weight_step(args) + channel);
    }
  }

  // `before`: columns of padding before the first.
  WAJAH_VEC void compute(int outputs, int before) const {
    if constexpr (Stride == 1) {
      Vec first[Rows], second[Rows], third[Rows];
      reset(first);
      reset(second);
      reset(third);
      for (int i = 0; i < outputs + side_3x3 - 1; ++i) {  // i - 2, i - 1, i: the outputs whose sums these are
        if (i >= before && i - before < width_) {
#pragma GCC unroll 5
          for (int r = 0; r < Input::count; ++r) {
            const Vec x = load(r, i - before);
            add<2>(first, r, x);
            add<1>(second, r, x);
            add<0>(third, r, x);
          }
        }
        if (i >= side_3x3 - 1) store(first, i - (side_3x3 - 1));
        move(first, second);
        move(second, third);
        reset(third);
      }
    } else {
      Vec sums[Rows], next[Rows];
      reset(next);
      add_column<0>(next, -before);
      for (int i = 0; i < outputs; ++i) {
        move(sums, next);
        reset(next);
        const int column = i * Stride - before + 1;
        add_column<1>(sums, column);
        if (column + 1 < width_) {
#pragma GCC unroll 5
          for (int r = 0; r < Input::count; ++r) {
            const Vec x = load(r, column + 1);
            add<2>(sums, r, x);
            add<0>(next, r, x);
          }
        }
        store(sums, i);
      }
    }
  }

 private:
  WAJAH_VEC void reset(Vec (&sums)[Rows]) const {
#pragma GCC unroll 3
    for (int o = 0; o < Rows; ++o) sums[o] = bias_;
  }
  static WAJAH_VEC void move(Vec (&to)[Rows], const Vec (&from)[Rows]) {
#pragma GCC unroll 3
    for (int o = 0; o < Rows; ++o) to[o] = from[o];
  }
  // A number of input row r, in column Column of the window.
  template <int Column>
  WAJAH_VEC void add(Vec (&sums)[Rows], int r, Vec x) const {
#pragma GCC unroll 3
    for (int o = 0; o < Rows; ++o) {
      const int v = r - o * Stride;
      if (v >= 0 && v < side_3x3) sums[o] = fma(x, weights_[v * side_3x3 + Column], sums[o]);
    }
  }
  template <int Column>
  WAJAH_VEC void add_column(Vec (&sums)[Rows], int column) const {
    if (column < 0 || column >= width_) return;
#pragma GCC unroll 5
    for (int r = 0; r < Input::count; ++r) add<Column>(sums, r, load(r, column));
  }
  WAJAH_VEC Lanes channels() const { return Whole ? Lanes(lanes) : channels_; }
  WAJAH_VEC Vec load(int r, int column) const { return maps_.load(input_.at(r, column), channels()); }
  WAJAH_VEC void store(const Vec (&sums)[Rows], int column) const {
#pragma GCC unroll 3
    for (int o = 0; o < Rows; ++o) {
      maps_.store(y_ + o * y_row_ + column * y_stride_, channels(), sums[o]);
    }
  }

  Maps maps_;
  Input input_;
  int width_;
  Lanes channels_;
  typename Maps::Y* y_;
  ptrdiff_t y_row_, y_stride_;
  Vec bias_;
  Vec weights_[side_3x3 * side_3x3];
};

template <class Maps, int Rows, int Stride, class Args>
void lines_3x3(const Args& args, int image, int row) {
  const Reach down = reach(args.x.shape.h, side_3x3, Stride, args.pad);
  const Reach across = reach(args.x.shape.w, side_3x3, Stride, args.pad);
  const int top = row * Stride - down.before;
  int channel = 0;
  for (; channel + lanes <= args.x.shape.c; channel += lanes) {
    Line3x3<Maps, Rows, Stride, true>(args, image, row, top, channel).compute(across.out, across.before);
  }
  if (channel == args.x.shape.c) return;
  Line3x3<Maps, Rows, Stride, false>(args, image, row, top, channel).compute(across.out, across.before);
}

template <class Maps, int Stride, class Args>
WAJAH_VEC void depthwise_3x3(const Args& args, Part part) {
  constexpr int rows_at_once = registers == 32 && Stride == 1 ? 3 : 2;
  const int height = args.y.shape.h;
  const int rows = args.y.shape.n * height;
  const auto end = static_cast<int>(part.end(rows));
  for (auto row = static_cast<int>(part.begin(rows)); row < end;) {
    const int image = row / height;
    const int left = (image + 1) * height < end ? (image + 1) * height - row : end - row;
    if (left >= rows_at_once) {
      lines_3x3<Maps, rows_at_once, Stride>(args, image, row % height);
      row += rows_at_once;
    } else {
      lines_3x3<Maps, 1, Stride>(args, image, row % height);
      ++row;
    }
  }
}

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
