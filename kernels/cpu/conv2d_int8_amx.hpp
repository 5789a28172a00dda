// conv2d_int8 in matrix tiles. The output is cut into groups of 32 pixels times panels of 32 channels: four tiles of
// sums, two of pixels, two of weights, so that each loaded tile is multiplied twice. All taps and channels of a pixel
// are one long row, 64 bytes a step. A 1x1 convolution has these rows in its map; others are gathered into L1 or L2
// first, once for all panels. Multiplying by padding is cheaper here than leaving it out.
//
// Tiles multiply while vectors do other things: between the steps of one panel the sums of the panel before become
// outputs, a few pixels a step, and the weights of the next one are fetched.
#pragma once

#include "amx.hpp"
#include "conv2d_int8_finish.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

constexpr int group_pixels = 2 * tile_rows;
constexpr int panel_vectors = 2;
constexpr int steps_at_once = 36;  // of gathered rows; an odd number of cache lines keeps rows apart in L1
constexpr ptrdiff_t gathered_pitch = (steps_at_once + 1) * tile_row_bytes;
constexpr ptrdiff_t fetched_ahead = 8 * tile_bytes;

namespace {

// Writes whole vectors, so up to 63 bytes more.
WAJAH_VEC void copy_bytes(uint8_t* to, const uint8_t* from, ptrdiff_t count) {
  for (; count >= tile_row_bytes; count -= tile_row_bytes, from += tile_row_bytes, to += tile_row_bytes) {
    _mm512_storeu_si512(to, _mm512_loadu_si512(from));
  }
  if (count > 0) {
    const __mmask64 rest = (~__mmask64{0}) >> (tile_row_bytes - count);
    _mm512_storeu_si512(to, _mm512_maskz_loadu_epi8(rest, from));
  }
}

WAJAH_VEC void fill_bytes(uint8_t* to, __m512i value, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i += tile_row_bytes) _mm512_storeu_si512(to + i, value);
}

// Writes the long rows of a convolution's output pixels side by side.
class Gatherer {
 public:
  WAJAH_VEC explicit Gatherer(const Conv2dInt8Args& args)
      : x_(args.x),
        window_(args.window),
        rows_(reach(args.x.shape.h, args.window.h, args.window.stride, args.pad)),
        columns_(reach(args.x.shape.w, args.window.w, args.window.stride, args.pad)),
        row_step_(args.x.shape.w * args.x.stride),
        row_bytes_(args.window.w * args.x.shape.c),
        depth_(args.window.h * row_bytes_),
        dense_(args.x.dense()),
        padding_(_mm512_set1_epi8(static_cast<char>(args.zero_point))) {}

  WAJAH_VEC int pixels(int images) const { return images * rows_.out * columns_.out; }
  WAJAH_VEC int depth() const { return depth_; }

  // Bytes begin to end of the rows of some pixels, gathered_pitch apart.
  void gather(uint8_t* to, int pixel, int pixels, int begin, int end) const {
    int column = pixel % columns_.out;
    int row = pixel / columns_.out % rows_.out;
    int image = pixel / columns_.out / rows_.out;
    const bool pieces = dense_ && begin == 0 && end == depth_;
    for (int m = 0; m < pixels;) {
      const int top = row * window_.stride - rows_.before;
      const int left = column * window_.stride - columns_.before;
      // How many windows from here on lie in the map side by side.
      int run = 0;
      if (pieces && left >= 0 && top >= 0 && top + window_.h <= x_.shape.h) {
        run = (x_.shape.w - window_.w - left + window_.stride) / window_.stride;
        if (run > columns_.out - column) run = columns_.out - column;
        if (run > pixels - m) run = pixels - m;
      }
      if (run > 0) {
        gather_run(to, x_.pixel(image, top, left), run);
      } else {
        run = 1;
        gather_any(to, image, top, left, begin, end);
      }
      m += run;
      to += run * gathered_pitch;
      column += run;
      if (column < columns_.out) continue;
      column = 0;
      if (++row < rows_.out) continue;
      row = 0;
      ++image;
    }
  }

 private:
  // A row of a window is one piece of memory.
  WAJAH_VEC void gather_run(uint8_t* to, const uint8_t* from, int run) const {
    const ptrdiff_t step = window_.stride * x_.stride;
    const ptrdiff_t whole = row_bytes_ / tile_row_bytes * tile_row_bytes;
    const ptrdiff_t rest = row_bytes_ - whole;
    const __mmask64 some = (__mmask64{1} << rest) - 1;
    for (int m = 0; m < run; ++m, from += step, to += gathered_pitch) {
      const uint8_t* piece = from;
      uint8_t* target = to;
      for (int v = 0; v < window_.h; ++v, piece += row_step_, target += row_bytes_) {
        for (ptrdiff_t i = 0; i < whole; i += tile_row_bytes) {
          _mm512_storeu_si512(target + i, _mm512_loadu_si512(piece + i));
        }
        if (rest > 0) _mm512_storeu_si512(target + whole, _mm512_maskz_loadu_epi8(some, piece + whole));
      }
    }
  }

  WAJAH_VEC void gather_any(uint8_t* to, int image, int top, int left, int begin, int end) const {
    int from = 0;  // of the tap in the long row
    for (int v = 0; v < window_.h && from < end; ++v) {
      const bool inside = top + v >= 0 && top + v < x_.shape.h;
      for (int u = 0; u < window_.w; ++u, from += x_.shape.c) {
        const int first = from > begin ? from : begin;
        const int last = from + x_.shape.c < end ? from + x_.shape.c : end;
        if (first >= last) continue;
        uint8_t* const target = to + first - begin;
        if (inside && left + u >= 0 && left + u < x_.shape.w) {
          copy_bytes(target, x_.pixel(image, top + v, left + u) + first - from, last - first);
        } else {
          fill_bytes(target, padding_, last - first);
        }
      }
    }
  }

  ConstView<uint8_t> x_;
  Window window_;
  Reach rows_, columns_;
  ptrdiff_t row_step_;
  int row_bytes_, depth_;
  bool dense_;
  __m512i padding_;
};

// The sums of a group and panel that are not outputs yet.
struct Unfinished {
  FinishInt8 finish;
  const int* sums = nullptr;  // tiles: 16 pixels of the panel's first 16
                              // channels, of its others, the next 16 pixels
  int pixel = 0, pixels = 0, width = 0, done = 0;

  // The next `count` pixels, an even number.
  template <Ending E>
  WAJAH_VEC void advance(int count) {
    const int end = done + count < pixels ? done + count : pixels;
    const Finisher<E> finisher(finish);
    const Scales first(finish, 0), second(finish, width - 1);
    const Lanes whole(lanes);
    if constexpr (E == Ending::bytes) {
      if (width == panel_vectors && finish.last.mask == all_lanes && finish.floor <= 0) {
        for (; done + 1 < end; done += 2) store_two_pixels(finisher, first, second);
      }
    }
    for (; done < end; ++done) {
      const int* const row = row_of(done);
      finisher.store(floats_of(row), first, pixel + done, 0, width == 1 ? finish.last : whole);
      if (width == 2) finisher.store(floats_of(row + tile_numbers), second, pixel + done, 1, finish.last);
    }
  }

 private:
  static constexpr int tile_numbers = tile_rows * tile_rows;

  [[nodiscard]] WAJAH_VEC const int* row_of(int m) const {
    return sums + m / tile_rows * panel_vectors * tile_numbers + m % tile_rows * tile_rows;
  }
  static WAJAH_VEC Vec floats_of(const int* row) {
    Ints numbers;
    __builtin_memcpy(&numbers, row, sizeof numbers);
    return Sums(numbers).floats();
  }

  // Two vectors of two pixels at once: narrowing saturates at 0 and 255, so nothing need be raised to a floor of 0.
  WAJAH_VEC void store_two_pixels(const Finisher<Ending::bytes>& finisher, const Scales& first,
                                  const Scales& second) const {
    const int* const row = row_of(done);
    const __m512i above =
        _mm512_packs_epi32(whole_numbers(finisher, row, first), whole_numbers(finisher, row + tile_numbers, second));
    const __m512i below = _mm512_packs_epi32(whole_numbers(finisher, row + tile_rows, first),
                                             whole_numbers(finisher, row + tile_rows + tile_numbers, second));
    // The narrowing instructions work within quarters of the registers.
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i bytes = _mm512_maskz_permutexvar_epi32(all_lanes, order, _mm512_packus_epi16(above, below));
    uint8_t* const y = finish.bytes + (pixel + done) * finish.y_stride;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), _mm512_maskz_extracti64x4_epi64(0xF, bytes, 0));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + finish.y_stride),
                        _mm512_maskz_extracti64x4_epi64(0xF, bytes, 1));
  }
  static WAJAH_VEC __m512i whole_numbers(const Finisher<Ending::bytes>& finisher, const int* row,
                                         const Scales& scales) {
    const Vec value = min(fma(floats_of(row), scales.multiplier, scales.offset), finisher.ceiling);
    return _mm512_maskz_cvtps_epi32(all_lanes, value.v);
  }
};

// One group times one panel.
struct Product {
  const uint8_t* x;
  ptrdiff_t stride;
  const int8_t* weights;
  int pixels, width, steps;
  bool fetch;  // whether weights come from far
};

// Multiplies Tiles times 16 pixels by Width times 16 channels, and between the steps finishes what is unfinished.
template <int Tiles, int Width, Ending E>
WAJAH_VEC void multiply(const Product& product, Unfinished& unfinished) {
  const uint8_t* x = product.x;
  const ptrdiff_t stride = product.stride;
  const int8_t* weights = product.weights;
  const int pixels_a_step = ((unfinished.pixels - unfinished.done + product.steps - 1) / product.steps + 1) / 2 * 2;
  for (int s = 0; s < product.steps; ++s, x += tile_row_bytes, weights += Width * tile_bytes) {
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
    if (product.fetch) {
#pragma GCC unroll 32
      for (int i = 0; i < Width * tile_bytes; i += tile_row_bytes) __builtin_prefetch(weights + fetched_ahead + i);
    }
    unfinished.advance<E>(pixels_a_step);
  }
}

template <Ending E>
WAJAH_VEC void multiply(const Product& product, Unfinished& unfinished) {
  if (product.pixels > tile_rows) {
    if (product.width == 2) return multiply<2, 2, E>(product, unfinished);
    return multiply<2, 1, E>(product, unfinished);
  }
  if (product.width == 2) return multiply<1, 2, E>(product, unfinished);
  multiply<1, 1, E>(product, unfinished);
}

WAJAH_VEC void store_sums(int* sums) {
  constexpr int size = tile_rows * tile_rows;
  store_tile<0>(sums, tile_row_bytes);
  store_tile<1>(sums + size, tile_row_bytes);
  store_tile<2>(sums + 2 * size, tile_row_bytes);
  store_tile<3>(sums + 3 * size, tile_row_bytes);
}

// A convolution cut into groups and panels.
class TilePlan {
 public:
  WAJAH_VEC explicit TilePlan(const Conv2dInt8Args& args)
      : args_(args),
        gatherer_(args),
        pixels_(gatherer_.pixels(args.y.shape.n)),
        depth_(gatherer_.depth()),
        steps_((depth_ + tile_row_bytes - 1) / tile_row_bytes),
        vectors_((args.y.shape.c + lanes - 1) / lanes),
        direct_(args.window.h == 1 && args.window.w == 1 && args.window.stride == 1 && depth_ % tile_row_bytes == 0) {}

  WAJAH_VEC int groups() const { return (pixels_ + group_pixels - 1) / group_pixels; }
  WAJAH_VEC int panels() const { return (vectors_ + panel_vectors - 1) / panel_vectors; }

  // In cycles: of a group and panel, of gathering a group, and of reading a panel's weights, which come from far where
  // one picture is computed.
  WAJAH_VEC double product_cycles() const { return 64.0 * steps_ + 64; }
  WAJAH_VEC double gather_cycles() const { return direct_ ? 0 : 48.0 * steps_; }
  WAJAH_VEC double weights_cycles() const { return 256.0 * steps_; }

  template <Ending E>
  void compute(Part groups, Part panels) const {
    alignas(tile_row_bytes) uint8_t gathered[group_pixels * gathered_pitch];
    alignas(tile_row_bytes) int sums[2][2 * panel_vectors * tile_rows * tile_rows];
    const auto first = static_cast<int>(panels.begin(this->panels()));
    const auto last = static_cast<int>(panels.end(this->panels()));
    const auto first_group = static_cast<int>(groups.begin(this->groups()));
    const auto last_group = static_cast<int>(groups.end(this->groups()));
    Unfinished unfinished{.finish = finish_of(args_, 0, 1)};
    int turn = 0;
    for (int group = first_group; group < last_group; ++group) {
      const int pixel = group * group_pixels;
      const int pixels = pixels_ - pixel < group_pixels ? pixels_ - pixel : group_pixels;
      const bool in_place = direct_ && pixels % tile_rows == 0;
      const int chunk = in_place || steps_ < steps_at_once ? steps_ : steps_at_once;
      if (!in_place && chunk == steps_) gatherer_.gather(gathered, pixel, pixels, 0, depth_);
      Product product{gathered, gathered_pitch, nullptr, pixels, 0, 0, group == first_group};
      for (int panel = first; panel < last; ++panel, turn = 1 - turn) {
        zero_tile<0>();
        zero_tile<1>();
        zero_tile<2>();
        zero_tile<3>();
        product.width = width_of(panel);
        product.weights = args_.weights + static_cast<ptrdiff_t>(panel) * panel_vectors * steps_ * tile_bytes;
        for (int step = 0; step < steps_; step += chunk) {
          product.steps = steps_ - step < chunk ? steps_ - step : chunk;
          if (in_place) {
            product.x = args_.x.data + pixel * args_.x.stride;
            product.stride = args_.x.stride;
          } else if (chunk < steps_) {
            const int end = (step + product.steps) * tile_row_bytes;
            gatherer_.gather(gathered, pixel, pixels, step * tile_row_bytes, end < depth_ ? end : depth_);
          }
          multiply<E>(product, unfinished);
          product.weights += static_cast<ptrdiff_t>(product.steps) * product.width * tile_bytes;
        }
        store_sums(sums[turn]);
        unfinished = {finish_of(args_, panel * panel_vectors * lanes, product.width),
                      sums[turn],
                      pixel,
                      pixels,
                      product.width,
                      0};
      }
    }
    unfinished.advance<E>(group_pixels);
  }

 private:
  WAJAH_VEC int width_of(int panel) const {
    return vectors_ - panel * panel_vectors < panel_vectors ? vectors_ - panel * panel_vectors : panel_vectors;
  }

  const Conv2dInt8Args& args_;
  Gatherer gatherer_;
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
  const Tiles tiles;
  switch (ending_of(args)) {
    case Ending::floats: return plan.compute<Ending::floats>(share.groups, share.panels);
    case Ending::sum: return plan.compute<Ending::sum>(share.groups, share.panels);
    case Ending::sum_and_copy: return plan.compute<Ending::sum_and_copy>(share.groups, share.panels);
    case Ending::bytes: return plan.compute<Ending::bytes>(share.groups, share.panels);
  }
}

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
