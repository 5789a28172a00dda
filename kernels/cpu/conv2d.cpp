// conv2d: the output is cut into tiles of pixels times panels of channels, each computed whole in registers
// (conv2d_tile.hpp) and stored once, with bias, residual and activation already done.
#include <wajah/layers/conv2d.hpp>

#include "conv2d_tile.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

// What of a convolution does not depend on the tile.
struct Plan {
  const Conv2dArgs& args;
  Reach rows, columns;
  Panels panels;
  ptrdiff_t panel_step;  // floats of packed weights a vector of output channels
  bool by_columns;       // tiles run down columns: a wide window is then cut at the border for whole tiles
  int height;            // of a full tile
  int run, runs;         // tiles do not cross from one run of pixels to the next
  int tiles_per_run;

  WAJAH_VEC explicit Plan(const Conv2dArgs& a)
      : args(a),
        rows(reach(a.x.shape.h, a.window.h, a.window.stride, a.pad)),
        columns(reach(a.x.shape.w, a.window.w, a.window.stride, a.pad)),
        panels(a.y.shape.c),
        panel_step(static_cast<ptrdiff_t>(lanes) * a.window.h * a.window.w * a.x.shape.c),
        by_columns(a.window.w > a.window.h),
        height(tile_height(panels.widest())) {
    const int side = by_columns ? rows.out : columns.out;
    const int pixels = a.y.shape.n * rows.out * columns.out;
    // Only padding makes neighbours in a run alike; and rows of half a tile waste more than padding does.
    run = padded() && 2 * side > height ? side : pixels;
    runs = run == 0 ? 0 : pixels / run;
    tiles_per_run = (run + height - 1) / height;
  }

  WAJAH_VEC int tiles() const { return runs * tiles_per_run; }
  WAJAH_VEC const float* zeros() const { return args.weights + panels.vectors * panel_step; }

 private:
  WAJAH_VEC bool padded() const {
    const Shape x = args.x.shape;
    const Window w = args.window;
    return rows.before > 0 || columns.before > 0 || (rows.out - 1) * w.stride + w.h > x.h ||
           (columns.out - 1) * w.stride + w.w > x.w;
  }
};

// The pixels of one tile: where their windows begin in x (maybe outside of it), and where they go in y.
struct Pixels {
  int count = 0;
  bool inside_rows = true, inside_columns = true;  // no window leaves the map
  int top[max_height], left[max_height];
  const float* origin[max_height];

  WAJAH_VEC Pixels(const Plan& plan, int tile, int (&index)[max_height]) {
    const Shape x = plan.args.x.shape;
    const Window window = plan.args.window;
    const int minor_size = plan.by_columns ? plan.rows.out : plan.columns.out;
    const int major_size = plan.by_columns ? plan.columns.out : plan.rows.out;
    const Part part{tile % plan.tiles_per_run, plan.tiles_per_run};
    const int first = tile / plan.tiles_per_run * plan.run + static_cast<int>(part.begin(plan.run));
    count = static_cast<int>(part.end(plan.run) - part.begin(plan.run));

    int minor = first % minor_size;
    int major = first / minor_size % major_size;
    int image = first / minor_size / major_size;
    for (int m = 0; m < count; ++m) {
      const int row = plan.by_columns ? minor : major;
      const int column = plan.by_columns ? major : minor;
      top[m] = row * window.stride - plan.rows.before;
      left[m] = column * window.stride - plan.columns.before;
      inside_rows = inside_rows && top[m] >= 0 && top[m] + window.h <= x.h;
      inside_columns = inside_columns && left[m] >= 0 && left[m] + window.w <= x.w;
      origin[m] = plan.args.x.pixel(image, top[m], left[m]);
      index[m] = (image * plan.rows.out + row) * plan.columns.out + column;
      if (++minor == minor_size) {
        minor = 0;
        if (++major == major_size) {
          major = 0;
          ++image;
        }
      }
    }
  }
};

// The taps of a tile. A row of the window that lies in the map and in one piece of memory is one long tap; taps that
// only meet padding are left out.
struct Taps {
  Tap list[max_window_pixels];
  int count = 0, depth = 0;

  WAJAH_VEC Taps(const Plan& plan, const Pixels& pixels, Panel panel) {
    const ConstView<float> x = plan.args.x;
    const Window window = plan.args.window;
    const bool whole_rows = pixels.inside_columns && x.dense();
    const int taps_per_row = whole_rows ? 1 : window.w;
    depth = whole_rows ? window.w * x.shape.c : x.shape.c;
    const float* weights = plan.args.weights + panel.first * plan.panel_step;
    for (int row = 0; row < window.h; ++row) {
      for (int column = 0; column < taps_per_row; ++column, weights += depth * panel.width * lanes) {
        Tap& tap = list[count];
        tap.weights = weights;
        const ptrdiff_t offset = (static_cast<ptrdiff_t>(row) * x.shape.w + column) * x.stride;
        if (pixels.inside_rows && pixels.inside_columns) {
          for (int m = 0; m < pixels.count; ++m) tap.pixels[m] = pixels.origin[m] + offset;
          ++count;
        } else if (point(tap, plan, pixels, row, whole_rows ? -1 : column, offset)) {
          ++count;
        }
      }
    }
  }

 private:
  // Points pixels that the window reaches outside the map to zeros; says whether any lies inside. column -1: all do.
  WAJAH_VEC static bool point(Tap& tap, const Plan& plan, const Pixels& pixels, int row, int column, ptrdiff_t offset) {
    const Shape x = plan.args.x.shape;
    bool any = false;
    for (int m = 0; m < pixels.count; ++m) {
      const int y = pixels.top[m] + row;
      const int c = column < 0 ? 0 : pixels.left[m] + column;
      const bool inside = y >= 0 && y < x.h && c >= 0 && c < x.w;
      tap.pixels[m] = inside ? pixels.origin[m] + offset : plan.zeros();
      any = any || inside;
    }
    return any;
  }
};

void compute_tile(const Plan& plan, int number, Panel panel) {
  const Conv2dArgs& args = plan.args;
  const int channel = panel.first * lanes;
  Tile tile{.taps = nullptr,
            .tap_count = 0,
            .depth = 0,
            .biases = args.biases + channel,
            .slopes = args.activation.slope + channel,
            .ceiling = ceiling_of(args.activation),
            .last = Lanes(args.y.shape.c - channel - (panel.width - 1) * lanes),
            .y = args.y.data + channel,
            .add = args.epilogue.add.data == nullptr ? nullptr : args.epilogue.add.data + channel,
            .scale = args.epilogue.scale,
            .y_stride = args.y.stride,
            .add_stride = args.epilogue.add.stride,
            .index = {}};
  const Pixels pixels(plan, number, tile.index);
  const Taps taps(plan, pixels, panel);
  tile.taps = taps.list;
  tile.tap_count = taps.count;
  tile.depth = taps.depth;
  compute_for(pixels.count, panel.width)(tile);
}

// The tiles and panels that one thread computes.
struct Share {
  Part tiles, panels;
};

// Cuts the grid of tiles and panels into count rectangles so that the largest is small, and of equals those whose
// threads read least: many pixels and few weights are cut by tiles, few pixels and many weights by panels.
WAJAH_VEC Share share_of(const Plan& plan, Part part) {
  const Shape x = plan.args.x.shape;
  // In cycles: one tile and panel, reading x once, reading the weights once.
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
WAJAH_VEC int tiles_per_block(const Plan& plan) {
  constexpr int bytes = 256 * 1024;
  const int stride = plan.args.window.stride;
  const int tile = plan.height * stride * stride * plan.args.x.shape.c * static_cast<int>(sizeof(float));
  return tile < bytes ? bytes / tile : 1;
}

}  // namespace

void conv2d(const Conv2dArgs& args, Part part) {
  const Plan plan(args);
  const Share share = share_of(plan, part);
  if (share.tiles.count == 0) return;
  const auto last_tile = static_cast<int>(share.tiles.end(plan.tiles()));
  const auto first_panel = static_cast<int>(share.panels.begin(plan.panels.count()));
  const auto last_panel = static_cast<int>(share.panels.end(plan.panels.count()));
  const int block = tiles_per_block(plan);
  for (auto first = static_cast<int>(share.tiles.begin(plan.tiles())); first < last_tile; first += block) {
    for (int p = first_panel; p < last_panel; ++p) {
      for (int t = first; t < first + block && t < last_tile; ++t) compute_tile(plan, t, plan.panels[p]);
    }
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
