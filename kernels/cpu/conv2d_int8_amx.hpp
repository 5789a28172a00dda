// conv2d_int8 in matrix tiles. The output is cut into groups of 32 pixels times panels of 32 channels: four tiles of
// sums, two of pixels, two of weights, so that each loaded tile is multiplied twice. All taps and channels of a pixel
// are one long row, 64 bytes a step. A 1x1 convolution has these rows in its map; others are gathered into L1 or L2
// first, once for all panels. Multiplying by padding is cheaper here than leaving it out.
#pragma once

#include "amx.hpp"
#include "conv2d_int8_finish.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

constexpr int group_pixels = 2 * tile_rows;
constexpr int panel_vectors = 2;
constexpr int steps_at_once = 36;  // of gathered rows; an odd number of cache lines keeps rows apart in L1
constexpr ptrdiff_t gathered_pitch = (steps_at_once + 1) * tile_row_bytes;

namespace {

WAJAH_VEC __mmask64 first_bytes(ptrdiff_t count) { return (~__mmask64{0}) >> (tile_row_bytes - count); }

WAJAH_VEC void copy_bytes(uint8_t* to, const uint8_t* from, ptrdiff_t count) {
  for (; count >= tile_row_bytes; count -= tile_row_bytes, from += tile_row_bytes, to += tile_row_bytes) {
    _mm512_storeu_si512(to, _mm512_loadu_si512(from));
  }
  if (count > 0) _mm512_mask_storeu_epi8(to, first_bytes(count), _mm512_maskz_loadu_epi8(first_bytes(count), from));
}

WAJAH_VEC void fill_bytes(uint8_t* to, uint8_t value, ptrdiff_t count) {
  const __m512i bytes = _mm512_set1_epi8(static_cast<char>(value));
  for (; count >= tile_row_bytes; count -= tile_row_bytes, to += tile_row_bytes) _mm512_storeu_si512(to, bytes);
  if (count > 0) _mm512_mask_storeu_epi8(to, first_bytes(count), bytes);
}

// The sums of a group of Tiles times 16 pixels and Width times 16 channels over some steps.
template <int Tiles, int Width>
WAJAH_VEC void multiply_tiles(const uint8_t* x, ptrdiff_t stride, const int8_t* weights, int steps) {
  for (int s = 0; s < steps; ++s, x += tile_row_bytes, weights += Width * tile_bytes) {
    load_tile<4>(x, stride);
    load_tile<6>(weights, tile_row_bytes);
    dot_tiles<0, 4, 6>();
    if constexpr (Width == 2) {
      load_tile<7>(weights + tile_bytes, tile_row_bytes);
      dot_tiles<1, 4, 7>();
    }
    if constexpr (Tiles == 2) {
      load_tile<5>(x + tile_rows * stride, stride);
      dot_tiles<2, 5, 6>();
      if constexpr (Width == 2) dot_tiles<3, 5, 7>();
    }
  }
}

// Of one tile.
template <Ending E>
WAJAH_VEC void finish_tile(const Finisher<E>& finisher, const int* sums, int first, int pixels, int v, Lanes channels) {
  const Scales scales(finisher.finish, v);
  for (int m = 0; m < pixels; ++m, sums += tile_rows) {
    Ints row;
    __builtin_memcpy(&row, sums, sizeof row);
    finisher.store(Sums(row).floats(), scales, first + m, v, channels);
  }
}

// What of a convolution does not depend on the group.
class TilePlan {
 public:
  WAJAH_VEC explicit TilePlan(const Conv2dInt8Args& args)
      : args_(args),
        rows_(reach(args.x.shape.h, args.window.h, args.window.stride, args.pad)),
        columns_(reach(args.x.shape.w, args.window.w, args.window.stride, args.pad)),
        pixels_(args.y.shape.n * rows_.out * columns_.out),
        depth_(args.window.h * args.window.w * args.x.shape.c),
        steps_((depth_ + tile_row_bytes - 1) / tile_row_bytes),
        vectors_((args.y.shape.c + lanes - 1) / lanes),
        direct_(args.window.h == 1 && args.window.w == 1 && args.window.stride == 1 && depth_ % tile_row_bytes == 0) {}

  WAJAH_VEC int groups() const { return (pixels_ + group_pixels - 1) / group_pixels; }
  WAJAH_VEC int panels() const { return (vectors_ + panel_vectors - 1) / panel_vectors; }
  WAJAH_VEC int steps() const { return steps_; }

  // In cycles: of a group and panel, and of gathering a group.
  WAJAH_VEC double product_cycles() const { return 64.0 * steps_ + 256; }
  WAJAH_VEC double gather_cycles() const { return direct_ ? 0 : 48.0 * steps_; }
  // Of reading a panel's weights, which come from memory where one picture is computed.
  WAJAH_VEC double weights_cycles() const { return 256.0 * steps_; }

  // Panels first to last of one group.
  void compute(int group, int first, int last) const {
    const int pixel = group * group_pixels;
    const int pixels = pixels_ - pixel < group_pixels ? pixels_ - pixel : group_pixels;
    const bool in_place = direct_ && pixels % tile_rows == 0;
    alignas(tile_row_bytes) uint8_t gathered[group_pixels * gathered_pitch];
    const int chunk = in_place || steps_ < steps_at_once ? steps_ : steps_at_once;
    if (!in_place && chunk == steps_) gather(gathered, pixel, pixels, 0, depth_);
    for (int panel = first; panel < last; ++panel) {
      zero_tile<0>();
      zero_tile<1>();
      zero_tile<2>();
      zero_tile<3>();
      const int width = panel_width(panel);
      const int8_t* weights = args_.weights + static_cast<ptrdiff_t>(panel) * panel_vectors * steps_ * tile_bytes;
      for (int step = 0; step < steps_; step += chunk, weights += static_cast<ptrdiff_t>(chunk) * width * tile_bytes) {
        const int some = steps_ - step < chunk ? steps_ - step : chunk;
        if (in_place) {
          multiply(args_.x.data + pixel * args_.x.stride, args_.x.stride, pixels, weights, width, some);
        } else {
          const int end = (step + some) * tile_row_bytes;
          if (chunk < steps_) gather(gathered, pixel, pixels, step * tile_row_bytes, end < depth_ ? end : depth_);
          multiply(gathered, gathered_pitch, pixels, weights, width, some);
        }
      }
      finish(panel, pixel, pixels);
    }
  }

 private:
  WAJAH_VEC int panel_width(int panel) const {
    return vectors_ - panel * panel_vectors < panel_vectors ? vectors_ - panel * panel_vectors : panel_vectors;
  }

  static WAJAH_VEC void multiply(const uint8_t* x, ptrdiff_t stride, int pixels, const int8_t* weights, int width,
                                 int steps) {
    if (pixels > tile_rows) {
      if (width == 2) return multiply_tiles<2, 2>(x, stride, weights, steps);
      return multiply_tiles<2, 1>(x, stride, weights, steps);
    }
    if (width == 2) return multiply_tiles<1, 2>(x, stride, weights, steps);
    multiply_tiles<1, 1>(x, stride, weights, steps);
  }

  // Bytes begin to end of the long rows of some pixels.
  void gather(uint8_t* to, int pixel, int pixels, int begin, int end) const {
    int column = pixel % columns_.out;
    int row = pixel / columns_.out % rows_.out;
    int image = pixel / columns_.out / rows_.out;
    for (int m = 0; m < pixels; ++m, to += gathered_pitch) {
      gather_pixel(to, image, row * args_.window.stride - rows_.before, column * args_.window.stride - columns_.before,
                   begin, end);
      if (++column < columns_.out) continue;
      column = 0;
      if (++row < rows_.out) continue;
      row = 0;
      ++image;
    }
  }

  // A row of the window that lies inside a dense map is one piece of memory.
  WAJAH_VEC void gather_pixel(uint8_t* to, int image, int top, int left, int begin, int end) const {
    const Shape x = args_.x.shape;
    const bool whole = args_.x.dense() && left >= 0 && left + args_.window.w <= x.w;
    const int pieces = whole ? 1 : args_.window.w;
    const int size = args_.window.w * x.c / pieces;
    int from = 0;  // of the piece in the long row
    for (int v = 0; v < args_.window.h && from < end; ++v) {
      const bool inside = top + v >= 0 && top + v < x.h;
      for (int u = 0; u < pieces; ++u, from += size) {
        const int first = from > begin ? from : begin;
        const int last = from + size < end ? from + size : end;
        if (first >= last) continue;
        uint8_t* const target = to + first - begin;
        if (inside && left + u >= 0 && left + u < x.w) {
          copy_bytes(target, args_.x.pixel(image, top + v, left + u) + first - from, last - first);
        } else {
          fill_bytes(target, static_cast<uint8_t>(args_.zero_point), last - first);
        }
      }
    }
  }

  WAJAH_VEC void finish(int panel, int pixel, int pixels) const {
    const int width = panel_width(panel);
    const FinishInt8 finish = finish_of(args_, panel * panel_vectors * lanes, width);
    alignas(tile_row_bytes) int sums[2][panel_vectors][tile_rows * tile_rows];
    store_tile<0>(sums[0][0], tile_row_bytes);
    if (width == 2) store_tile<1>(sums[0][1], tile_row_bytes);
    if (pixels > tile_rows) {
      store_tile<2>(sums[1][0], tile_row_bytes);
      if (width == 2) store_tile<3>(sums[1][1], tile_row_bytes);
    }
    if (finish.bytes != nullptr) {
      finish_all<Ending::bytes>(finish, sums, pixel, pixels, width);
    } else if (finish.add != nullptr) {
      finish_all<Ending::sum>(finish, sums, pixel, pixels, width);
    } else {
      finish_all<Ending::floats>(finish, sums, pixel, pixels, width);
    }
  }

  template <Ending E>
  static WAJAH_VEC void finish_all(const FinishInt8& finish, const int (&sums)[2][panel_vectors][tile_rows * tile_rows],
                                   int pixel, int pixels, int width) {
    const Finisher<E> finisher(finish);
    for (int v = 0; v < width; ++v) {
      const Lanes channels = v + 1 == width ? finish.last : Lanes(lanes);
      for (int m = 0; m < pixels; m += tile_rows) {
        const int some = pixels - m < tile_rows ? pixels - m : tile_rows;
        finish_tile(finisher, sums[m / tile_rows][v], pixel + m, some, v, channels);
      }
    }
  }

  const Conv2dInt8Args& args_;
  Reach rows_, columns_;
  int pixels_, depth_, steps_, vectors_;
  bool direct_;
};

// The groups and panels that one thread computes: the rectangle of the grid that takes least, since few weights and
// many pixels are better cut by groups, many weights and few pixels by panels.
struct TileShare {
  Part groups, panels;
};

WAJAH_VEC TileShare share_of(const TilePlan& plan, Part part) {
  int best = 1;
  double least = __builtin_inf();
  for (int by_panels = 1; by_panels <= part.count && by_panels <= plan.panels(); ++by_panels) {
    const int by_groups = part.count / by_panels;
    const int groups = (plan.groups() + by_groups - 1) / by_groups;
    const int panels = (plan.panels() + by_panels - 1) / by_panels;
    const double cycles =
        groups * (panels * plan.product_cycles() + plan.gather_cycles()) + panels * plan.weights_cycles();
    if (cycles < least) {
      least = cycles;
      best = by_panels;
    }
  }
  const int by_groups = part.count / best;
  if (part.index >= by_groups * best) return {{0, 0}, {0, 0}};
  return {{part.index % by_groups, by_groups}, {part.index / by_groups, best}};
}

void convolve_in_tiles(const Conv2dInt8Args& args, Part part) {
  if (args.y.shape.size() == 0) return;
  const TilePlan plan(args);
  const TileShare share = share_of(plan, part);
  if (share.groups.count == 0) return;
  const auto last_group = static_cast<int>(share.groups.end(plan.groups()));
  const auto first_panel = static_cast<int>(share.panels.begin(plan.panels()));
  const auto last_panel = static_cast<int>(share.panels.end(plan.panels()));
  if (first_panel == last_panel) return;
  const Tiles tiles;
  for (auto group = static_cast<int>(share.groups.begin(plan.groups())); group < last_group; ++group) {
    plan.compute(group, first_panel, last_panel);
  }
}

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
