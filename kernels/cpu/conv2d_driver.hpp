// How a convolution of any kind of number is done: the output is cut into tiles of pixels times panels of channels,
// each computed whole in registers and stored once, with bias, residual and activation already done.
//
// A Kind says what the numbers are: its Args (x, y, window, pad, weights), its Element of the map, its Finish and
// finish_of(args, panel), tile_height(width), compute_for<Source>(height, width), zeros(args, size of the packed
// weights), and padding_counts(args): whether taps that only meet padding may not be left out.
#pragma once

#include "conv2d_panels.hpp"
#include "conv2d_source.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

struct Place {
  int image, row, column;  // of an output pixel
};

// What of a convolution does not depend on the tile. Tiles lie in lines of output pixels.
template <class Kind>
struct Plan {
  using Args = typename Kind::Args;
  using Element = typename Kind::Element;

  const Args& args;
  Reach rows, columns;
  Panels panels;
  ptrdiff_t panel_step;  // packed weights a vector of output channels
  bool by_columns;       // lines are columns: a wide window is then cut at the border for whole lines
  bool scattered;        // lines of less than half a tile are joined, though the pixels are not evenly spaced then
  int line, lines;       // pixels
  int height;            // pixels of every tile but the last of a line
  int tiles_per_line;

  WAJAH_VEC explicit Plan(const Args& a)
      : args(a),
        rows(reach(a.x.shape.h, a.window.h, a.window.stride, a.pad)),
        columns(reach(a.x.shape.w, a.window.w, a.window.stride, a.pad)),
        panels(a.y.shape.c),
        panel_step(static_cast<ptrdiff_t>(lanes) * a.window.h * a.window.w * a.x.shape.c),
        by_columns(a.window.w > a.window.h) {
    const int pixels = a.y.shape.n * rows.out * columns.out;
    const int side = by_columns ? rows.out : columns.out;
    const int tallest = Kind::tile_height(panels.widest());
    scattered = 2 * side <= tallest;
    line = scattered ? pixels : side;
    lines = pixels / line;
    tiles_per_line = (line + tallest - 1) / tallest;
    height = (line + tiles_per_line - 1) / tiles_per_line;
  }

  WAJAH_VEC int tiles() const { return lines * tiles_per_line; }
  WAJAH_VEC const Element* zeros() const { return Kind::zeros(args, panels.vectors * panel_step); }

  // The first pixel of a line.
  WAJAH_VEC Place start(int number) const {
    if (by_columns) return {number / columns.out, 0, number % columns.out};
    return {number / rows.out, number % rows.out, 0};
  }
  // Pixel `i` of the line that starts there, unless lines are joined.
  WAJAH_VEC Place along(Place start, int i) const {
    if (by_columns) return {start.image, i, start.column};
    return {start.image, start.row, i};
  }
  // Pixel `i` of all, where lines are joined.
  WAJAH_VEC Place joined(int i) const {
    return {i / columns.out / rows.out, i / columns.out % rows.out, i % columns.out};
  }
  // The pixel after `place` in its line.
  WAJAH_VEC Place next(Place place) const {
    if (by_columns && !scattered) return {place.image, place.row + 1, place.column};
    if (++place.column < columns.out || !scattered) return place;
    if (++place.row < rows.out) return {place.image, place.row, 0};
    return {place.image + 1, 0, 0};
  }
  // Where the window of a pixel begins.
  WAJAH_VEC int top(Place place) const { return place.row * args.window.stride - rows.before; }
  WAJAH_VEC int left(Place place) const { return place.column * args.window.stride - columns.before; }
  WAJAH_VEC bool inside(Place place) const {
    return top(place) >= 0 && top(place) + args.window.h <= args.x.shape.h && left(place) >= 0 &&
           left(place) + args.window.w <= args.x.shape.w;
  }
  WAJAH_VEC const Element* corner(Place place) const { return args.x.pixel(place.image, top(place), left(place)); }
  WAJAH_VEC int index(Place place) const { return (place.image * rows.out + place.row) * columns.out + place.column; }
};

// The tiles of one panel.
template <class Kind>
class PanelTiles {
 public:
  using Args = typename Kind::Args;
  using Element = typename Kind::Element;
  using Even = Straight<Element, typename Kind::Weight>;
  using Any = Scattered<Element, typename Kind::Weight>;

  WAJAH_VEC PanelTiles(const Plan<Kind>& plan, Panel panel)
      : plan_(plan),
        panel_(panel),
        weights_(plan.args.weights + panel.first * plan.panel_step),
        size_(panel.width * plan.panel_step * static_cast<ptrdiff_t>(sizeof(typename Kind::Weight))),
        finish_(Kind::finish_of(plan.args, panel)) {
    // A row of the window in a dense map is one piece of memory, so it is one long tap.
    const Args& args = plan.args;
    const int taps_per_row = args.x.dense() ? 1 : args.window.w;
    depth_ = args.x.shape.c * args.window.w / taps_per_row;
    for (int row = 0; row < args.window.h; ++row) {
      for (int column = 0; column < taps_per_row; ++column) {
        offsets_[taps_++] = (static_cast<ptrdiff_t>(row) * args.x.shape.w + column) * args.x.stride;
      }
    }
  }

  // No division a tile: in the small layers they would take a tenth of the time.
  WAJAH_VEC void compute(int first, int count) const {
    const Args& args = plan_.args;
    Even straight{.offsets = offsets_,
                  .weights = weights_,
                  .weight_step = static_cast<ptrdiff_t>(depth_) * panel_.width * lanes,
                  .x_step = args.window.stride * args.x.stride * (plan_.by_columns ? args.x.shape.w : 1),
                  .y_step = plan_.by_columns ? plan_.columns.out : 1};
    int line = first / plan_.tiles_per_line;
    int begin = first % plan_.tiles_per_line * plan_.height;
    Place start = plan_.start(line);
    Ahead ahead(weights_, size_, static_cast<ptrdiff_t>(taps_) * depth_, count);
    for (int t = 0; t < count; ++t) {
      const int left = plan_.line - begin;
      const int pixels = left < plan_.height ? left : plan_.height;
      const Place place = plan_.along(start, begin);
      if (!plan_.scattered && plan_.inside(place) && plan_.inside(plan_.along(start, begin + pixels - 1))) {
        straight.corner = plan_.corner(place);
        straight.first = plan_.index(place);
        straight.ahead = ahead;
        Kind::template compute_for<Even>(pixels, panel_.width)(straight, taps_, depth_, finish_);
      } else {
        scatter(plan_.scattered ? plan_.joined(begin) : place, pixels, ahead);
      }
      ahead.next_tile();
      begin += pixels;
      if (begin == plan_.line) {
        begin = 0;
        start = plan_.start(++line);
      }
    }
  }

 private:
  void scatter(Place place, int pixels, const Ahead& ahead) const {
    const Args& args = plan_.args;
    const ConstView<Element> x = args.x;
    Any source;
    source.ahead = ahead;
    int top[max_height], left[max_height];
    const Element* corner[max_height];
    for (int m = 0; m < pixels; ++m) {
      source.indices[m] = plan_.index(place);
      top[m] = plan_.top(place);
      left[m] = plan_.left(place);
      corner[m] = plan_.corner(place);
      place = plan_.next(place);
    }
    int taps = 0;
    const typename Kind::Weight* weights = weights_;
    for (int row = 0; row < args.window.h; ++row) {
      for (int column = 0; column < args.window.w; ++column, weights += x.shape.c * panel_.width * lanes) {
        const ptrdiff_t offset = (static_cast<ptrdiff_t>(row) * x.shape.w + column) * x.stride;
        const Element* const zeros = plan_.zeros();
        bool any = false;
        source.taps[taps].weights = weights;
        for (int m = 0; m < pixels; ++m) {
          // What lies before the map wraps to a large number.
          const bool inside = (static_cast<unsigned>(top[m] + row) < static_cast<unsigned>(x.shape.h)) &
                              (static_cast<unsigned>(left[m] + column) < static_cast<unsigned>(x.shape.w));
          source.taps[taps].pixels[m] = inside ? corner[m] + offset : zeros;
          any |= inside;
        }
        if (any || Kind::padding_counts(args)) ++taps;
      }
    }
    Kind::template compute_for<Any>(pixels, panel_.width)(source, taps, x.shape.c, finish_);
  }

  const Plan<Kind>& plan_;
  Panel panel_;
  const typename Kind::Weight* weights_;
  ptrdiff_t size_;  // bytes of them: the next panel's come behind
  typename Kind::Finish finish_;
  int taps_ = 0, depth_ = 0;
  ptrdiff_t offsets_[max_window_pixels];
};

// The tiles and panels that one thread computes.
struct Share {
  Part tiles, panels;
};

// Cuts the grid of tiles and panels into count rectangles so that the largest is small, and of equals those whose
// threads read least: many pixels and few weights are cut by tiles, few pixels and many weights by panels.
template <class Kind>
WAJAH_VEC Share share_of(const Plan<Kind>& plan, Part part) {
  const Shape x = plan.args.x.shape;
  // In cycles of a kind of four bytes: one tile and panel, reading x once, reading the weights once. Smaller numbers
  // are as much faster to multiply as to read.
  const double step = 0.5 * plan.height * plan.panels.widest() * static_cast<double>(plan.panel_step / lanes);
  const double input = 0.1 * static_cast<double>(x.size());
  const double weights = 0.1 * static_cast<double>(plan.panels.vectors * plan.panel_step);
  int best = 1;
  double least = __builtin_inf();
  for (int by_panels = 1; by_panels <= part.count && by_panels <= plan.panels.count(); ++by_panels) {
    const int by_tiles = part.count / by_panels;
    const int tiles = (plan.tiles() + by_tiles - 1) / by_tiles;
    const int panels = (plan.panels.count() + by_panels - 1) / by_panels;
    const double cycles = tiles * panels * step + input / by_tiles + weights / by_panels;
    if (cycles < least) {
      least = cycles;
      best = by_panels;
    }
  }
  const int by_tiles = part.count / best;
  if (part.index >= by_tiles * best) return {{0, 0}, {0, 0}};
  return {{part.index % by_tiles, by_tiles}, {part.index / by_tiles, best}};
}

// Tiles whose input stays in L2 while every panel passes over it.
template <class Kind>
WAJAH_VEC int tiles_per_block(const Plan<Kind>& plan) {
  constexpr int bytes = 256 * 1024;
  const int stride = plan.args.window.stride;
  const int tile =
      plan.height * stride * stride * plan.args.x.shape.c * static_cast<int>(sizeof(typename Kind::Element));
  return tile < bytes ? bytes / tile : 1;
}

// A 1x1 convolution is a matrix product: all pixels are one line.
template <class Args>
WAJAH_VEC Args simplified(Args args) {
  const Window window = args.window;
  if (window.h == 1 && window.w == 1 && window.stride == 1) {
    const auto pixels = static_cast<int>(args.x.shape.pixels());
    args.x.shape = {1, 1, pixels, args.x.shape.c};
    args.y.shape = {1, 1, pixels, args.y.shape.c};
  }
  return args;
}

template <class Kind>
WAJAH_VEC void convolve(const typename Kind::Args& given, Part part) {
  if (given.y.shape.size() == 0) return;
  const typename Kind::Args args = simplified(given);
  const Plan<Kind> plan(args);
  const Share share = share_of(plan, part);
  if (share.tiles.count == 0) return;
  const auto last_tile = static_cast<int>(share.tiles.end(plan.tiles()));
  const auto first_panel = static_cast<int>(share.panels.begin(plan.panels.count()));
  const auto last_panel = static_cast<int>(share.panels.end(plan.panels.count()));
  const int block = tiles_per_block(plan);
  for (auto first = static_cast<int>(share.tiles.begin(plan.tiles())); first < last_tile; first += block) {
    const int count = last_tile - first < block ? last_tile - first : block;
    for (int p = first_panel; p < last_panel; ++p) PanelTiles<Kind>(plan, plan.panels[p]).compute(first, count);
  }
}

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
