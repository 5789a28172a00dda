// conv2d by Winograd's minimal filtering. Tiles are taken a block at a time, so that everything between input and
// output stays in L2: their inputs are transformed, then, panel of output channels by panel, multiplied point by point
// and transformed back, with bias, residual and activation on the way out.
#include <wajah/layers/conv2d_winograd.hpp>

#include "conv2d_tile.hpp"
#include "winograd_transform.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

// How a map is cut into tiles.
struct Grid {
  Reach rows, columns;
  int down, across;  // tiles of one image

  WAJAH_VEC Grid(const Conv2dArgs& args, WinogradTile tile)
      : rows(reach(args.x.shape.h, args.window.h, args.window.stride, args.pad)),
        columns(reach(args.x.shape.w, args.window.w, args.window.stride, args.pad)),
        down((rows.out + tile.rows - 1) / tile.rows),
        across((columns.out + tile.columns - 1) / tile.columns) {}

  WAJAH_VEC int tiles(int images) const { return images * down * across; }
};

// Which part of the work a thread does: tiles [first, last) and panels [first_panel, last_panel).
struct Region {
  int first, last, first_panel, last_panel;
};

// One point's product of a panel: y (tiles, panel) = x (tiles, depth) * weights (depth, panel).
struct Product {
  const float* x;
  const float* w;
  ptrdiff_t depth;
  Ahead ahead;

  WAJAH_VEC const float* pixel(int, int m) const { return x + m * depth; }
  WAJAH_VEC const float* weights_of(int) const { return w; }
};

template <int Height, int Width>
void product(const Product& source, float* y) {
  Vec sums[Height][Width];
#pragma GCC unroll 16
  for (int m = 0; m < Height; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) sums[m][v] = Vec(0.0F);
  }
  multiply(source, 0, static_cast<int>(source.depth), sums);
#pragma GCC unroll 16
  for (int m = 0; m < Height; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < Width; ++v) sums[m][v].store(y + (m * Width + v) * lanes);
  }
}

using ProductOf = void (*)(const Product&, float*);

template <int Width, int... Heights>
struct Products : Products<Width, tile_height(Width) - static_cast<int>(sizeof...(Heights)), Heights...> {};
template <int Width, int... Heights>
struct Products<Width, 0, Heights...> {
  static constexpr ProductOf of_height[] = {product<Heights, Width>...};
};

WAJAH_VEC ProductOf product_of(int height, int width) {
  if (width == 1) return Products<1>::of_height[height - 1];
  if (width == 2) return Products<2>::of_height[height - 1];
  return Products<3>::of_height[height - 1];
}

// `Rows` and `Columns` are the WinogradLines of the two directions.
template <class Rows, class Columns, int TileRows, int TileColumns>
class Winograd {
 public:
  WAJAH_VEC Winograd(const Conv2dArgs& args, float* scratch)
      : args_(args),
        grid_(args, {TileRows, TileColumns}),
        panels_(args.y.shape.c),
        depth_(args.x.shape.c),
        scratch_(scratch) {}

  WAJAH_VEC void run(Part part) const {
    const Region region = region_of(part);
    // Blocks of about the same size, because each reads all weights.
    constexpr int floats = winograd_scratch / static_cast<int>(sizeof(float));
    const int room = floats / (points * (depth_ + panels_.widest() * lanes));
    const int blocks = (region.last - region.first + room - 1) / room;
    for (int b = 0; b < blocks; ++b) {
      const Part block{b, blocks};
      const int first = region.first + static_cast<int>(block.begin(region.last - region.first));
      const int count = region.first + static_cast<int>(block.end(region.last - region.first)) - first;
      transform_inputs(first, count);
      for (int p = region.first_panel; p < region.last_panel; ++p) {
        multiply_points(panels_[p], count);
        transform_sums(panels_[p], first, count);
      }
    }
  }

 private:
  static constexpr Rows down{};
  static constexpr Columns across{};
  static constexpr int points = Rows::points * Columns::points;

  // Cuts the grid of tiles and panels into as many rectangles as there are parts, so that the slowest is soonest done.
  // By panels nobody reads the weights of others, but all transform the same inputs.
  WAJAH_VEC Region region_of(Part part) const {
    const int tiles = grid_.tiles(args_.x.shape.n);
    const int panels = panels_.count();
    const int width = panels_.widest();
    int best = 1;
    double least = __builtin_inf();
    for (int by_panels = 1; by_panels <= part.count && by_panels <= panels; ++by_panels) {
      const int by_tiles = part.count / by_panels;
      const double t = (tiles + by_tiles - 1) / by_tiles;
      const double p = (panels + by_panels - 1) / by_panels;
      // In cycles: two multiplications each, some five for a vector of a point transformed, eight bytes of weights.
      const double cycles =
          points * (t * p * width * (0.5 * depth_ + 5) + 5 * t * depth_ / lanes + 0.5 * p * width * lanes * depth_);
      if (cycles < least) {
        least = cycles;
        best = by_panels;
      }
    }
    const int by_tiles = part.count / best;
    if (part.index >= by_tiles * best) return {0, 0, 0, 0};
    const Part tile_part{part.index % by_tiles, by_tiles};
    const Part panel_part{part.index / by_tiles, best};
    return {static_cast<int>(tile_part.begin(tiles)), static_cast<int>(tile_part.end(tiles)),
            static_cast<int>(panel_part.begin(panels)), static_cast<int>(panel_part.end(panels))};
  }

  // Scratch: (points, tiles, depth) of transformed inputs, then (points, tiles, panel) of products.
  WAJAH_VEC float* products(int count) const { return scratch_ + static_cast<ptrdiff_t>(points) * count * depth_; }

  void transform_inputs(int first, int count) const {
    for (int t = 0; t < count; ++t) {
      const int tile = first + t;
      const int top = tile / grid_.across % grid_.down * TileRows - grid_.rows.before;
      const int left = tile % grid_.across * TileColumns - grid_.columns.before;
      const float* corner = args_.x.pixel(tile / grid_.across / grid_.down, top, left);
      float* y = scratch_ + static_cast<ptrdiff_t>(t) * depth_;
      const Shape x = args_.x.shape;
      if (top >= 0 && left >= 0 && top + Rows::points <= x.h && left + Columns::points <= x.w) {
        transform_input<false>(corner, top, left, y, count);
      } else {
        transform_input<true>(corner, top, left, y, count);
      }
    }
  }

  template <bool AtBorder>
  WAJAH_VEC void transform_input(const float* corner, int top, int left, float* y, int count) const {
    const ptrdiff_t row = args_.x.shape.w * args_.x.stride;
    const ptrdiff_t point = static_cast<ptrdiff_t>(count) * depth_;
    for (int c = 0; c < depth_; c += lanes) {
      const Lanes channels(depth_ - c);
      Vec half[Rows::points][Columns::points];
#pragma GCC unroll 16
      for (int u = 0; u < Columns::points; ++u) {
        Vec x[Rows::points], column[Rows::points];
#pragma GCC unroll 16
        for (int v = 0; v < Rows::points; ++v) {
          if constexpr (AtBorder) {
            const bool inside =
                (top + v >= 0) & (top + v < args_.x.shape.h) & (left + u >= 0) & (left + u < args_.x.shape.w);
            x[v] = inside ? Vec::load(corner + v * row + u * args_.x.stride + c, channels) : Vec(0.0F);
          } else {
            x[v] = Vec::load(corner + v * row + u * args_.x.stride + c, channels);
          }
        }
        multiply_rows<down.b>(x, column);
#pragma GCC unroll 16
        for (int i = 0; i < Rows::points; ++i) half[i][u] = column[i];
      }
#pragma GCC unroll 16
      for (int i = 0; i < Rows::points; ++i) {
        Vec whole[Columns::points];
        multiply_rows<across.b>(half[i], whole);
#pragma GCC unroll 16
        for (int j = 0; j < Columns::points; ++j) {
          whole[j].store(y + (i * Columns::points + j) * point + c, channels);
        }
      }
    }
  }

  void multiply_points(Panel panel, int count) const {
    const int tallest = tile_height(panel.width);
    const int groups = (count + tallest - 1) / tallest;
    const int least = count / groups, taller = count % groups;
    const ptrdiff_t width = panel.width * lanes;
    const float* weights = args_.weights + static_cast<ptrdiff_t>(panel.first) * lanes * points * depth_;
    const ptrdiff_t slice = depth_ * width * static_cast<ptrdiff_t>(sizeof(float));
    float* y = products(count);
    Ahead ahead(weights, slice, depth_, groups);
    for (int point = 0; point < points; ++point, weights += depth_ * width) {
      const float* x = scratch_ + static_cast<ptrdiff_t>(point) * count * depth_;
      ahead.start(weights, slice);
      for (int g = 0; g < groups; ++g) {
        const int height = least + (g < taller ? 1 : 0);
        product_of(height, panel.width)({x, weights, depth_, ahead}, y);
        ahead.next_tile();
        x += height * depth_;
        y += height * width;
      }
    }
  }

  void transform_sums(Panel panel, int first, int count) const {
    for (int t = 0; t < count; ++t) {
      const int tile = first + t;
      const int row = tile / grid_.across % grid_.down * TileRows;
      const int column = tile % grid_.across * TileColumns;
      const int image = tile / grid_.across / grid_.down;
      const ptrdiff_t pixel = (static_cast<ptrdiff_t>(image) * grid_.rows.out + row) * grid_.columns.out + column;
      for (int v = 0; v < panel.width; ++v) transform_sum(panel, v, t, count, row, column, pixel);
    }
  }

  WAJAH_VEC void transform_sum(Panel panel, int v, int t, int count, int row, int column, ptrdiff_t pixel) const {
    const int width = panel.width * lanes;
    const ptrdiff_t point = static_cast<ptrdiff_t>(count) * width;
    const float* x = products(count) + t * width + v * lanes;
    Vec half[TileRows][Columns::points];
#pragma GCC unroll 16
    for (int j = 0; j < Columns::points; ++j) {
      Vec sums[Rows::points], rows[TileRows];
#pragma GCC unroll 16
      for (int i = 0; i < Rows::points; ++i) sums[i] = Vec::load(x + (i * Columns::points + j) * point);
      multiply_columns<down.a>(sums, rows);
#pragma GCC unroll 16
      for (int i = 0; i < TileRows; ++i) half[i][j] = rows[i];
    }
    const int channel = (panel.first + v) * lanes;
    const Lanes channels(args_.y.shape.c - channel);
    const Vec bias = Vec::load(args_.biases + channel);
    const Vec slope = Vec::load(args_.activation.slope + channel);
    const Vec ceiling(ceiling_of(args_.activation));
    const Epilogue& epilogue = args_.epilogue;
    const Vec scale(epilogue.scale);
#pragma GCC unroll 8
    for (int i = 0; i < TileRows; ++i) {
      if (row + i >= grid_.rows.out) break;
      Vec sums[TileColumns];
      multiply_columns<across.a>(half[i], sums);
#pragma GCC unroll 8
      for (int j = 0; j < TileColumns; ++j) {
        if (column + j >= grid_.columns.out) break;
        const ptrdiff_t place = pixel + i * grid_.columns.out + j;
        Vec sum = sums[j] + bias;
        if (epilogue.add.data != nullptr) {
          sum = fma(sum, scale, Vec::load(epilogue.add.data + place * epilogue.add.stride + channel, channels));
        }
        activate(sum, slope, ceiling).store(args_.y.data + place * args_.y.stride + channel, channels);
      }
    }
  }

  const Conv2dArgs& args_;
  Grid grid_;
  Panels panels_;
  int depth_;
  float* scratch_;
};

template <int TileRows, int TileColumns, int WindowRows, int WindowColumns>
void run(const Conv2dArgs& args, Part part) {
  alignas(alignment) float scratch[winograd_scratch / sizeof(float)];
  Winograd<WinogradLine<TileRows, WindowRows>, WinogradLine<TileColumns, WindowColumns>, TileRows, TileColumns>(args,
                                                                                                                scratch)
      .run(part);
}

}  // namespace

void conv2d_winograd(const Conv2dWinogradArgs& args, Part part) {
  const Conv2dArgs& conv = args.conv;
  if (conv.y.shape.size() == 0) return;
  if (conv.window.w == 1) return run<4, 1, 7, 1>(conv, part);
  if (conv.window.h == 1) return run<1, 4, 1, 7>(conv, part);
  if (args.tile.rows == 2) return run<2, 2, 3, 3>(conv, part);
  if (args.tile.rows == 3) return run<3, 3, 3, 3>(conv, part);
  run<4, 4, 3, 3>(conv, part);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
