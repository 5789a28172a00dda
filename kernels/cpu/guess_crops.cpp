// R- and O-Net in bytes. Each layer makes a row of sums at a time, in registers over tiles of pixels by channels; the
// row, with bias and PReLU, stays as floats in a ring in L1 until its windows are pooled, and only what is left of a
// map after pooling, a quarter, becomes bytes. The last layer, whose window is its whole map, takes several crops at
// once, as its weights are as large as all others together. WAJAH_HAS_VNNI.
//
// Rows of a window are one piece of memory each, and no layer pads, so a tile's pixels are evenly spaced and there is
// no border to look after.
#include <wajah/detect/guess_crops.hpp>

#include "guess_cutter.hpp"
#include "vec_int8.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

// The tallest tile beside `width` vectors of channels.
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

template <int Height, int Width>
WAJAH_VEC void compute(const Row& row, const GuessLayer& layer, const int8_t* weights, int first, int channel) {
  Sums sums[Height][Width];
#pragma GCC unroll 4
  for (int v = 0; v < Width; ++v) {
    Ints offset;
    __builtin_memcpy(&offset, layer.sums + channel + v * lanes, sizeof offset);
    offset *= -row.meaning.zero;
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
    const Vec scale = Vec::load(layer.scales + c) * Vec(row.meaning.scale);
    const Vec bias = Vec::load(layer.biases + c), slope = Vec::load(layer.slopes + c);
#pragma GCC unroll 12
    for (int m = 0; m < Height; ++m) {
      const Vec sum = fma(sums[m][v].floats(), scale, bias);
      if_negative(sum, sum * slope).store(row.y + (first + m) * row.y_pixel + c);
    }
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
    int done = 0;
    for (int j = 0; j < layer.pooled; ++j) {
      const int begin = layer.pool == 1 ? j : 2 * j, wanted = begin + layer.pool < side ? begin + layer.pool : side;
      for (; done < wanted; ++done, row.x += line) {
        row.y = layer.pool == 1 ? map_ + static_cast<ptrdiff_t>(done) * side * layer.out : ring_row(layer, done);
        compute_row(row, layer);
      }
      if (layer.pool > 1) pool_row(layer, begin, wanted, map_ + static_cast<ptrdiff_t>(j) * layer.pooled * layer.out);
    }
  }

  WAJAH_VEC float* ring_row(const GuessLayer& layer, int row) const {
    return ring_ + static_cast<ptrdiff_t>(row % guess_ring) * (layer.side - layer.window + 1) * layer.out;
  }

  void pool_row(const GuessLayer& layer, int begin, int end, float* y) const {
    const int side = layer.side - layer.window + 1;
    const float* rows[3];
    for (int r = 0; r < 3; ++r) rows[r] = ring_row(layer, begin + r < end ? begin + r : begin);
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
    compute_row({bytes, line, size, last.side, static_cast<int>(line / quad), count, features, last.out, meaning},
                last);
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
  Guess guess(args, args.scratch + part.index * args.scratch_floats);
  const auto end = static_cast<int>(part.end(args.count));
  for (auto i = static_cast<int>(part.begin(args.count)); i < end; i += crops_per_guess) {
    guess.run(i, end - i < crops_per_guess ? end - i : crops_per_guess);
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
