// R- and O-Net in bytes. Each layer makes a row of sums at a time, in registers over tiles of pixels by channels; the
// row, with bias and PReLU, stays as floats in a ring in L1 until its windows are pooled, and only what is left of a
// map after pooling, a quarter, becomes bytes. The last layer, whose window is its whole map, takes several crops at
// once, as its weights are as large as all others together. WAJAH_HAS_VNNI, WAJAH_HAS_AMX.
//
// Rows of a window are one piece of memory each, and no layer pads, so a tile's pixels are evenly spaced and there is
// no border to look after.
#include <wajah/detect/guess_crops.hpp>

#include "amx.hpp"
#include "guess_cutter.hpp"
#include "vec_int8.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

// The tallest tile in registers beside `width` vectors of channels.
#if defined(__AVX512VNNI__)
constexpr int tallest(int width) { return width == 4 ? 6 : width == 3 ? 9 : 12; }
#else
constexpr int tallest(int width) { return width == 1 ? 8 : 4; }  // weights take two registers or more
#endif

// What the bytes of a map mean: x = scale * (byte - zero).
struct Meaning {
  float scale = 1.0F;
  int zero = 0;
};

// A row of pixels whose windows are evenly spaced.
struct Row {
  const uint8_t* x;
  ptrdiff_t row_bytes, pixel_bytes;  // from one row of a window to the next, from one pixel's window to the next
  int rows, quads;                   // of a window, and of a row of it
  int pixels;
  float* y;  // out floats a pixel
  ptrdiff_t y_pixel;
  Meaning meaning;
};

// Scale, bias and slope of a vector of channels.
struct Ending {
  Vec scale, bias, slope;

  WAJAH_VEC Ending(const GuessLayer& layer, Meaning meaning, int channel)
      : scale(Vec::load(layer.scales + channel) * Vec(meaning.scale)),
        bias(Vec::load(layer.biases + channel)),
        slope(Vec::load(layer.slopes + channel)) {}

  WAJAH_VEC Vec operator()(Sums sums) const {
    const Vec sum = fma(sums.floats(), scale, bias);
    return if_negative(sum, sum * slope);
  }
};

// What the zero point adds to every sum, to begin with.
WAJAH_VEC Ints offset_of(const GuessLayer& layer, Meaning meaning, int channel) {
  Ints offset;
  __builtin_memcpy(&offset, layer.sums + channel, sizeof offset);
  return offset * -meaning.zero;
}

#ifdef __AMX_INT8__

constexpr int group = 2 * tile_rows;  // pixels

// Channels `channel` to channel + 16 * Width of a group of pixels, Groups tiles of them, to sums: 16 a tile row.
template <int Groups, int Width>
WAJAH_VEC void multiply_group(const Row& row, const uint8_t* x, const GuessLayer& layer, int steps, int channel,
                              int* sums) {
  zero_tile<0>();
  zero_tile<1>();
  zero_tile<2>();
  zero_tile<3>();
  const ptrdiff_t each = static_cast<ptrdiff_t>(row.rows) * steps * tile_bytes;
  const int8_t* weights = layer.tiles + channel / lanes * each;
  for (int r = 0; r < row.rows; ++r, x += row.row_bytes) {
    for (int s = 0; s < steps; ++s, weights += tile_bytes) {
      load_tile<4>(x + s * tile_row_bytes, row.pixel_bytes);
      load_tile<6>(weights, tile_row_bytes);
      dot_tiles<0, 4, 6>();
      if constexpr (Width == 2) {
        load_tile<7>(weights + each, tile_row_bytes);
        dot_tiles<1, 4, 7>();
      }
      if constexpr (Groups == 2) {
        load_tile<5>(x + tile_rows * row.pixel_bytes + s * tile_row_bytes, row.pixel_bytes);
        dot_tiles<2, 5, 6>();
        if constexpr (Width == 2) dot_tiles<3, 5, 7>();
      }
    }
  }
  constexpr int tile = tile_rows * lanes;
  store_tile<0>(sums, tile_row_bytes);
  if constexpr (Width == 2) store_tile<1>(sums + tile, tile_row_bytes);
  if constexpr (Groups == 2) {
    store_tile<2>(sums + 2 * tile, tile_row_bytes);
    if constexpr (Width == 2) store_tile<3>(sums + 3 * tile, tile_row_bytes);
  }
}

// All channels of `count` pixels of a row, at most a group, from pixel `first` on; place(m): where the channels of
// pixel first + m go, null: nowhere.
template <class Place>
WAJAH_VEC void compute_group(const Row& row, const GuessLayer& layer, int first, int count, const Place& place) {
  alignas(tile_row_bytes) int sums[4 * tile_rows * lanes];
  const int steps = (row.quads * quad + tile_row_bytes - 1) / tile_row_bytes;
  const uint8_t* x = row.x + first * row.pixel_bytes;
  for (int channel = 0; channel < layer.out; channel += 2 * lanes) {
    const int width = layer.out - channel > lanes ? 2 : 1;
    if (count > tile_rows) {
      if (width == 2) multiply_group<2, 2>(row, x, layer, steps, channel, sums);
      if (width == 1) multiply_group<2, 1>(row, x, layer, steps, channel, sums);
    } else {
      if (width == 2) multiply_group<1, 2>(row, x, layer, steps, channel, sums);
      if (width == 1) multiply_group<1, 1>(row, x, layer, steps, channel, sums);
    }
    for (int v = 0; v < width; ++v) {
      const int c = channel + v * lanes;
      const Ending ending(layer, row.meaning, c);
      const Ints offset = offset_of(layer, row.meaning, c);
      for (int m = 0; m < count; ++m) {
        float* y = place(m);
        if (y == nullptr) continue;
        Ints sum;
        __builtin_memcpy(&sum, sums + ((m / tile_rows * 2 + v) * tile_rows + m % tile_rows) * lanes, sizeof sum);
        ending(Sums(sum + offset)).store(y + c);
      }
    }
  }
}

#else

template <int Height, int Width>
WAJAH_VEC void compute(const Row& row, const GuessLayer& layer, const int8_t* weights, int first, int channel) {
  Sums sums[Height][Width];
#pragma GCC unroll 4
  for (int v = 0; v < Width; ++v) {
    const Ints offset = offset_of(layer, row.meaning, channel + v * lanes);
#pragma GCC unroll 12
    for (int m = 0; m < Height; ++m) sums[m][v] = Sums(offset);
  }
  const uint8_t* x = row.x + first * row.pixel_bytes;
  for (int r = 0; r < row.rows; ++r, x += row.row_bytes) {
    for (int k = 0; k < row.quads; ++k, weights += layer.panel * quad) {
      SignedBytes w[Width];
#pragma GCC unroll 4
      for (int v = 0; v < Width; ++v) w[v] = SignedBytes::load(weights + v * lanes * quad);
#pragma GCC unroll 12
      for (int m = 0; m < Height; ++m) {
        const Activations pixel = Activations::load(x + m * row.pixel_bytes + k * quad);
#pragma GCC unroll 4
        for (int v = 0; v < Width; ++v) sums[m][v] = dot(pixel, w[v], sums[m][v]);
      }
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < Width; ++v) {
    const int c = channel + v * lanes;
    const Ending ending(layer, row.meaning, c);
#pragma GCC unroll 12
    for (int m = 0; m < Height; ++m) ending(sums[m][v]).store(row.y + (first + m) * row.y_pixel + c);
  }
}

using Compute = void (*)(const Row&, const GuessLayer&, const int8_t*, int first, int channel);

template <int Height, int Width>
void compute_tile(const Row& row, const GuessLayer& layer, const int8_t* weights, int first, int channel) {
  compute<Height, Width>(row, layer, weights, first, channel);
}

template <int Width, int... Heights>
struct Table : Table<Width, tallest(Width) - static_cast<int>(sizeof...(Heights)), Heights...> {};
template <int Width, int... Heights>
struct Table<Width, 0, Heights...> {
  static constexpr Compute of_height[] = {compute_tile<Heights, Width>...};
};

template <int Width>
void compute_panel(const Row& row, const GuessLayer& layer, const int8_t* weights, int channel) {
  const int tiles = (row.pixels + tallest(Width) - 1) / tallest(Width);
  const int height = (row.pixels + tiles - 1) / tiles;
  for (int first = 0; first < row.pixels; first += height) {
    const int left = row.pixels - first;
    Table<Width>::of_height[(left < height ? left : height) - 1](row, layer, weights, first, channel);
  }
}

void compute_row(const Row& row, const GuessLayer& layer) {
  const ptrdiff_t step = static_cast<ptrdiff_t>(layer.panel) * quad * row.rows * row.quads;
  for (int panel = 0; panel < layer.out / layer.panel; ++panel) {
    const int8_t* weights = layer.weights + panel * step;
    const int channel = panel * layer.panel, vectors = layer.panel / lanes;
#if defined(__AVX512F__)
    if (vectors == 4) compute_panel<4>(row, layer, weights, channel);
    if (vectors == 3) compute_panel<3>(row, layer, weights, channel);
    if (vectors == 2) compute_panel<2>(row, layer, weights, channel);
#else
    for (int v = 0; v < vectors; ++v) {
      compute_panel<1>(row, layer, weights + v * lanes * quad, channel + v * lanes);
    }
#endif
  }
}

#endif

class Guess {
 public:
  WAJAH_VEC Guess(const GuessCropsArgs& args, float* scratch) : args_(args), net_(*args.net), sizes_(net_) {
    ring_ = scratch;
    map_ = ring_ + sizes_.ring;
    bytes_[0] = reinterpret_cast<uint8_t*>(map_ + sizes_.map);
    bytes_[1] = bytes_[0] + 4 * sizes_.bytes;
    vectors_ = map_ + sizes_.map + 2 * sizes_.bytes;
    row_ = vectors_ + sizes_.vectors;
  }

  // Crops first to first + count.
  void run(int first, int count) {
    const GuessLayer& last = net_.layers[net_.count - 1];
    const ptrdiff_t size = static_cast<ptrdiff_t>(last.side) * last.side * last.in;
    for (int i = 0; i < count; ++i) {
      read(first + i);
      for (int layer = 0; layer + 1 < net_.count; ++layer) {
        convolve(net_.layers[layer], bytes_[layer % 2]);
        if (layer + 2 < net_.count) {
          meaning_ =
              to_bytes(map_, square(net_.layers[layer].pooled) * net_.layers[layer].out, bytes_[(layer + 1) % 2]);
        }
      }
      __builtin_memcpy(vectors_ + i * size, map_, static_cast<size_t>(size) * sizeof(float));
    }
    finish(last, size, first, count);
  }

 private:
  static WAJAH_VEC ptrdiff_t square(int side) { return static_cast<ptrdiff_t>(side) * side; }

  // A crop as pixels of four bytes: (x - 127.5) / 128 in steps of 1 / 127.
  WAJAH_VEC void read(int crop) {
    meaning_ = {1.0F / 127.0F, 128};
    Cutter(args_.x, args_.windows[crop], net_.side, row_).cut(bytes_[0]);
  }

  // One layer of bytes to a pooled map of floats.
  void convolve(const GuessLayer& layer, const uint8_t* x) {
    const int side = layer.side - layer.window + 1;
    const ptrdiff_t line = static_cast<ptrdiff_t>(layer.side) * layer.in;
    Row row{x, line, layer.in, layer.window, layer.window * layer.in / quad, side, ring_, layer.out, meaning_};
#ifdef __AMX_INT8__
    // The map as one line of pixels, of which those whose windows would reach into the next row are computed in vain.
    row.pixels = (side - 1) * layer.side + side;
    const auto compute_until = [&](int done, int wanted) {
      const int last = wanted < side ? wanted * layer.side : row.pixels;
      for (; done < last; done += group) {
        float* places[group];
        const int count = row.pixels - done < group ? row.pixels - done : group;
        int y = done / layer.side, column = done % layer.side;
        for (int m = 0; m < count; ++m) {
          places[m] = column < side ? row_of(layer, y) + static_cast<ptrdiff_t>(column) * layer.out : nullptr;
          if (++column == layer.side) column = 0, ++y;
        }
        compute_group(row, layer, done, count, [&](int m) { return places[m]; });
      }
      return done;
    };
#else
    const auto compute_until = [&](int done, int wanted) {
      for (; done < wanted; ++done, row.x += line) {
        row.y = row_of(layer, done);
        compute_row(row, layer);
      }
      return done;
    };
#endif
    int done = 0;
    for (int j = 0; j < layer.pooled; ++j) {
      const int begin = layer.pool == 1 ? j : 2 * j, wanted = begin + layer.pool < side ? begin + layer.pool : side;
      done = compute_until(done, wanted);
      if (layer.pool > 1) pool_row(layer, begin, wanted, map_ + static_cast<ptrdiff_t>(j) * layer.pooled * layer.out);
    }
  }

  // Where a row of a convolution goes: to the ring, or to the map if nothing is pooled.
  WAJAH_VEC float* row_of(const GuessLayer& layer, int row) const {
    const ptrdiff_t step = static_cast<ptrdiff_t>(layer.side - layer.window + 1) * layer.out;
    return layer.pool == 1 ? map_ + row * step : ring_ + row % guess_ring * step;
  }

  void pool_row(const GuessLayer& layer, int begin, int end, float* y) const {
    const int side = layer.side - layer.window + 1;
    const float* rows[3];
    for (int r = 0; r < 3; ++r) rows[r] = row_of(layer, begin + r < end ? begin + r : begin);
    for (int c = 0; c < layer.out; c += lanes) {
      const auto taller = [&](int column) __attribute__((always_inline)) {
        const ptrdiff_t at = static_cast<ptrdiff_t>(column) * layer.out + c;
        return max(max(Vec::load(rows[0] + at), Vec::load(rows[1] + at)), Vec::load(rows[2] + at));
      };
      Vec left = taller(0);
      for (int i = 0; i < layer.pooled; ++i) {
        const int column = 2 * i;
        if (layer.pool == 2) left = taller(column);
        Vec largest = column + 1 < side ? max(left, taller(column + 1)) : left;
        if (layer.pool == 3 && column + 2 < side) largest = max(largest, left = taller(column + 2));
        largest.store(y + static_cast<ptrdiff_t>(i) * layer.out + c);
      }
    }
  }

  // Floats, a multiple of 16 of them, as bytes whose steps just reach from the least to the largest.
  WAJAH_VEC Meaning to_bytes(const float* x, ptrdiff_t count, uint8_t* y) const {
    Vec least(0.0F), largest(0.0F);
    for (ptrdiff_t i = 0; i < count; i += lanes) {
      const Vec v = Vec::load(x + i);
      least = min(least, v);
      largest = max(largest, v);
    }
    float low = 0, high = 0;
    for (int i = 0; i < lanes; ++i) {
      low = least.v[i] < low ? least.v[i] : low;
      high = largest.v[i] > high ? largest.v[i] : high;
    }
    const float scale = high - low > 1e-20F ? (high - low) / 255.0F : 1.0F;
    const int zero = static_cast<int>(-low / scale + 0.5F);
    const Vec inverse(1.0F / scale), shift(static_cast<float>(zero)), most(255.0F);
    for (ptrdiff_t i = 0; i < count; i += lanes) {
      const Vec v = fma(Vec::load(x + i), inverse, shift);
      store_bytes(y + i, Lanes(lanes), min(max(v, Vec(0.0F)), most));
    }
    return {scale, zero};
  }

  // The last layer of all crops of the batch, and the heads.
  void finish(const GuessLayer& last, ptrdiff_t size, int first, int count) {
    auto* bytes = reinterpret_cast<uint8_t*>(vectors_ + crops_per_guess * (size + last.out));
    float* features = vectors_ + crops_per_guess * size;
    const Meaning meaning = to_bytes(vectors_, count * size, bytes);
    const ptrdiff_t line = static_cast<ptrdiff_t>(last.side) * last.in;
    const Row row{bytes, line, size, last.side, static_cast<int>(line / quad), count, features, last.out, meaning};
#ifdef __AMX_INT8__
    compute_group(row, last, 0, count, [&](int m) { return features + static_cast<ptrdiff_t>(m) * last.out; });
#else
    compute_row(row, last);
#endif
    for (int i = 0; i < count; ++i) judge(features + i * last.out, last.out, args_.guesses[first + i]);
  }

  WAJAH_VEC void judge(const float* features, int channels, CropGuess& guess) const {
    constexpr int used = 6, vectors = (used + lanes - 1) / lanes;
    alignas(alignment) float heads[vectors * lanes];
    for (int v = 0; v < vectors; ++v) {
      Vec sum[2] = {Vec::load(net_.head_biases + v * lanes), Vec(0.0F)};
      const float* w = net_.heads + v * lanes;
      for (int c = 0; c < channels; c += 2, w += 2 * guess_head_row) {
        sum[0] = fma(Vec(features[c]), Vec::load(w), sum[0]);
        sum[1] = fma(Vec(features[c + 1]), Vec::load(w + guess_head_row), sum[1]);
      }
      (sum[0] + sum[1]).store(heads + v * lanes);
    }
    guess = {heads[1] - heads[0], {heads[2], heads[3], heads[4], heads[5]}};
  }

  const GuessCropsArgs& args_;
  const GuessNet& net_;
  GuessScratch sizes_;
  Meaning meaning_;
  float *ring_, *map_, *vectors_, *row_;
  uint8_t* bytes_[2];
};

}  // namespace

void guess_crops(const GuessCropsArgs& args, Part part) {
#ifdef __AMX_INT8__
  const Tiles tiles;
#endif
  Guess guess(args, args.scratch + part.index * args.scratch_floats);
  const auto end = static_cast<int>(part.end(args.count));
  for (auto i = static_cast<int>(part.begin(args.count)); i < end; i += crops_per_guess) {
    guess.run(i, end - i < crops_per_guess ? end - i : crops_per_guess);
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
