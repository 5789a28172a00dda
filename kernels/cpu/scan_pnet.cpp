// P-Net, all layers in one walk down a strip. Between the layers lie only the few rows that the next one's window
// needs, in rings that stay in L2 whatever the picture; no map is ever stored. Layer by layer a level of 1152 x 648
// pixels writes and reads 80 MB of maps, and pooling, which computes nothing, took a sixth of the time.
//
// conv1 has 10 output channels, which would leave 6 of 16 lanes idle, so its vectors run along the columns: planes of
// one channel in, planes out, and the 2x2 pooling is a maximum of neighbouring vectors and lanes while they are still
// in registers. conv2 and conv3 have 16 and 32 output channels, which fill vectors: tiles of pixels by channels, whose
// inputs are broadcast one by one, from planes as well as from pixels. Both heads are one product of 6 channels.
//
// Where the CPU multiplies bytes (WAJAH_HAS_VNNI) a pass in bytes, screen_pnet.hpp, first rules out most of the strip;
// the tiles of every layer that what is left depends on are then computed as ever, so the hits are the same to the last
// bit. Should one lie where the screen was nearly wrong, its strip is computed whole.
//
// Rows are computed in whole tiles; what lies past their ends is computed from zeros or old numbers and never used.
#include <wajah/detect/scan_pnet.hpp>

#include "screen_pnet.hpp"
#include "vec.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int planes = 10, narrow = 16, deep = 32;  // output channels of the three convolutions
constexpr int tile = registers == 32 ? 12 : 6;      // pixels
constexpr int together = registers == 32 ? 10 : 5;  // planes whose two rows of sums fit the registers

WAJAH_VEC Vec prelu(Vec x, Vec slope) { return if_negative(x, x * slope); }

// 3x3 over `In` channels for a tile of pixels: Step floats from pixel to pixel, `plane` from channel to channel.
// weights: Out floats for every tap and channel, beginning with the first of the Width vectors wanted.
template <int In, int Out, int Step, int Width>
WAJAH_VEC void convolve(const float* const (&rows)[3], ptrdiff_t plane, const float* weights,
                        Vec (&sums)[tile][Width]) {
  for (const float* row : rows) {
#pragma GCC unroll 1
    for (int column = 0; column < 3; ++column) {
      const float* x = row + column * Step;
#pragma GCC unroll 2
      for (int c = 0; c < In; ++c, x += plane, weights += Out) {
        Vec w[Width];
#pragma GCC unroll 4
        for (int v = 0; v < Width; ++v) w[v] = Vec::load(weights + v * lanes);
#pragma GCC unroll 12
        for (int m = 0; m < tile; ++m) {
          const Vec pixel(x[m * Step]);
#pragma GCC unroll 4
          for (int v = 0; v < Width; ++v) sums[m][v] = fma(pixel, w[v], sums[m][v]);
        }
      }
    }
  }
}

// A tile of `Out` channels with bias and PReLU, to y, Out floats a pixel.
template <int In, int Out, int Step>
WAJAH_VEC void layer(const float* const (&rows)[3], ptrdiff_t plane, const float* weights, const float* biases,
                     const float* slopes, float* y) {
  constexpr int vectors = Out / lanes, width = vectors < 2 ? vectors : 2;
  for (int v = 0; v < vectors; v += width) {
    Vec sums[tile][width];
#pragma GCC unroll 12
    for (int m = 0; m < tile; ++m) {
#pragma GCC unroll 2
      for (int u = 0; u < width; ++u) sums[m][u] = Vec::load(biases + (v + u) * lanes);
    }
    convolve<In, Out, Step>(rows, plane, weights + v * lanes, sums);
#pragma GCC unroll 2
    for (int u = 0; u < width; ++u) {
      const Vec slope = Vec::load(slopes + (v + u) * lanes);
#pragma GCC unroll 12
      for (int m = 0; m < tile; ++m) prelu(sums[m][u], slope).store(y + m * Out + (v + u) * lanes);
    }
  }
}

WAJAH_VEC int round_up(int n, int to) { return (n + to - 1) / to * to; }

class Scan {
 public:
  WAJAH_VEC Scan(const ScanPNetArgs& args, PNetStrip& strip, float* scratch)
      : net_(*args.weights),
        screen_(args.screen),
        strip_(strip),
        least_(args.least_difference),
        width_(strip.x.shape.w),
        height_(strip.x.shape.h) {
    pooled_width_ = (width_ - 1) / 2;
    full_ = round_up(width_, 32) + 32;
    half_ = round_up(pooled_width_, 16) + 16;
    words_ = static_cast<int>(half_) / lanes + 1;
    input_ = scratch;
    pooled_ = input_ + 4 * 3 * full_;
    narrow_ = pooled_ + 3 * planes * half_;
    float* end = narrow_ + 3 * narrow * half_;
    const ptrdiff_t marks = static_cast<ptrdiff_t>(pnet_outputs(height_) + 4) * words_;
    maybe_ = reinterpret_cast<uint16_t*>(end);
    likely_ = maybe_ + marks;
    deep_tiles_ = reinterpret_cast<uint8_t*>(likely_ + marks);
    narrow_tiles_ = deep_tiles_ + 2 * marks;
    pooled_vectors_ = narrow_tiles_ + 2 * marks;
  }

  void run() {
    screened_ = screen_ != nullptr && pnet_outputs(width_) > lanes;
    if (screened_) {
      ScreenPass(*screen_, strip_.x, least_, input_, maybe_, likely_, words_).run();
      mark();
    }
    scan();
    if (!screened_ || !doubtful_) return;
    screened_ = false;
    scan();
  }

 private:
  void scan() {
    const int rows = pnet_outputs(height_);
    strip_.found = 0;
    const float* end = narrow_ + 3 * narrow * half_;
    for (float* p = input_; p < end; ++p) *p = 0.0F;  // old numbers may be no numbers, which are slow on some CPUs
    read(0);
    read(1);
    for (int row = 0; row < rows + 4; ++row) {
      read(2 * row + 2);
      read(2 * row + 3);
      pool(row);
      if (row >= 2) narrow_row(row - 2);
      if (row >= 4) heads_row(row - 4);
    }
  }

  // Which tiles of conv3's rows hold a place that may be a hit, and which tiles and vectors of the layers before these
  // depend on. A layer's row or tile depends on three of the layer before.
  void mark() {
    const int rows = pnet_outputs(height_), tiles = 2 * words_;
    const ptrdiff_t all = static_cast<ptrdiff_t>(rows + 4) * tiles;
    for (uint8_t* p = deep_tiles_; p < deep_tiles_ + 3 * all; ++p) *p = 0;
    for (int row = 0; row < rows; ++row) {
      for (int word = 0; word * lanes < pooled_width_ - 4; ++word) {
        for (unsigned bits = maybe_[row * words_ + word]; bits != 0; bits &= bits - 1) {
          const int t = (word * lanes + __builtin_ctz(bits)) / tile;
          if (deep_tiles_[row * tiles + t] != 0) continue;
          deep_tiles_[row * tiles + t] = 1;
          for (int r = row; r < row + 3; ++r) narrow_tiles_[r * tiles + t] = narrow_tiles_[r * tiles + t + 1] = 1;
          const int first = t * tile / lanes, last = ((t + 2) * tile + 1) / lanes;
          for (int r = row; r < row + 5; ++r) {
            for (int v = first; v <= last && v < tiles; ++v) pooled_vectors_[r * tiles + v] = 1;
          }
        }
      }
    }
  }

  // Whether a tile or vector of a row must be computed.
  WAJAH_VEC bool wanted(const uint8_t* marks, int row, int column, int step) const {
    return !screened_ || marks[row * 2 * words_ + column / step] != 0;
  }

  WAJAH_VEC float* input(int row, int channel) const { return input_ + (row % 4 * 3 + channel) * full_; }
  WAJAH_VEC float* pooled(int row, int plane) const { return pooled_ + (row % 3 * planes + plane) * half_; }
  WAJAH_VEC float* narrow_row_of(int row) const { return narrow_ + row % 3 * narrow * half_; }

  // A row of the picture as three planes; none beyond its end.
  void read(int row) {
    if (row >= height_) return;
    const uint8_t* x = strip_.x.pixel(0, row, 0);
    for (int i = 0; i < width_; i += lanes) {
      // As floats only because those can be loaded in part.
      const Vec pixels = Vec::load(reinterpret_cast<const float*>(x + 4 * i), Lanes(width_ - i));
      const Ints bytes = reinterpret_cast<Ints>(pixels.v);
      for (int c = 0; c < 3; ++c) {
        const Vec value(__builtin_convertvector(bytes >> (8 * c) & 255, Floats));
        ((value - Vec(127.5F)) * Vec(0.0078125F)).store(input(row, c) + i);
      }
    }
  }

  // Row `row` of the pooled conv1. Where the map ends with an odd row or column, that is pooled alone.
  void pool(int row) {
    const int upper = 2 * row, lower = upper + 1 < height_ - 2 ? upper + 1 : upper;
    const float* rows[2][3];
    for (int r = 0; r < 3; ++r) {
      rows[0][r] = input(upper + r, 0);
      rows[1][r] = input(lower + r, 0);
    }
    for (int column = 0; column < pooled_width_; column += lanes) {
      if (!wanted(pooled_vectors_, row, column, lanes)) continue;
      for (int plane = 0; plane < planes; plane += together) {
        float taller[together][2 * lanes];
        conv1(rows, 2 * column, plane, taller, 0);
        conv1(rows, 2 * column + lanes, plane, taller, lanes);
        const int end = width_ - 2 - 2 * column;  // of the map, in columns from here
        for (int c = 0; c < together; ++c) {
          if (end < 2 * lanes && end % 2 == 1) taller[c][end] = taller[c][end - 1];
          const Vec a = Vec::load(taller[c]), b = Vec::load(taller[c] + lanes);
          max(even_lanes(a, b), odd_lanes(a, b)).store(pooled(row, plane + c) + column);
        }
      }
    }
  }

  // Two rows of conv1 for a vector of columns and some planes, and the larger of both.
  WAJAH_VEC void conv1(const float* const (&rows)[2][3], int column, int plane, float (&taller)[together][2 * lanes],
                       int at) const {
    Vec sums[2][together];
#pragma GCC unroll 10
    for (int c = 0; c < together; ++c) sums[0][c] = sums[1][c] = Vec(net_.bias1[plane + c]);
    const float* weights = net_.conv1 + plane;
    for (int r = 0; r < 3; ++r) {
#pragma GCC unroll 1
      for (int tap = 0; tap < 3; ++tap) {
#pragma GCC unroll 3
        for (int channel = 0; channel < 3; ++channel, weights += planes) {
          const Vec upper = Vec::load(rows[0][r] + channel * full_ + column + tap);
          const Vec lower = Vec::load(rows[1][r] + channel * full_ + column + tap);
#pragma GCC unroll 10
          for (int c = 0; c < together; ++c) {
            const Vec w(weights[c]);
            sums[0][c] = fma(upper, w, sums[0][c]);
            sums[1][c] = fma(lower, w, sums[1][c]);
          }
        }
      }
    }
#pragma GCC unroll 10
    for (int c = 0; c < together; ++c) {
      const Vec slope(net_.slope1[plane + c]);
      max(prelu(sums[0][c], slope), prelu(sums[1][c], slope)).store(taller[c] + at);
    }
  }

  void narrow_row(int row) {
    const float* const rows[3] = {pooled(row, 0), pooled(row + 1, 0), pooled(row + 2, 0)};
    float* y = narrow_row_of(row);
    for (int column = 0; column < pooled_width_ - 2; column += tile) {
      if (!wanted(narrow_tiles_, row, column, tile)) continue;
      const float* const from[3] = {rows[0] + column, rows[1] + column, rows[2] + column};
      layer<planes, narrow, 1>(from, half_, net_.conv2, net_.bias2, net_.slope2, y + column * narrow);
    }
  }

  void heads_row(int row) {
    const float* const rows[3] = {narrow_row_of(row), narrow_row_of(row + 1), narrow_row_of(row + 2)};
    const int columns = pooled_width_ - 4;
    for (int column = 0; column < columns; column += tile) {
      if (!wanted(deep_tiles_, row, column, tile)) continue;
      const ptrdiff_t first = static_cast<ptrdiff_t>(column) * narrow;
      const float* const from[3] = {rows[0] + first, rows[1] + first, rows[2] + first};
      alignas(alignment) float features[tile * deep];
      layer<narrow, deep, narrow>(from, 1, net_.conv3, net_.bias3, net_.slope3, features);
      const int left = columns - column;
      judge(features, row, column, left < tile ? left : tile);
    }
  }

  // Both heads for a tile of pixels; keeps those whose logits differ enough.
  WAJAH_VEC void judge(const float* features, int row, int column, int count) {
    constexpr int used = 6, vectors = (used + lanes - 1) / lanes;
    Vec sums[tile][vectors];
#pragma GCC unroll 12
    for (int m = 0; m < tile; ++m) {
      for (int v = 0; v < vectors; ++v) sums[m][v] = Vec::load(net_.bias4 + v * lanes);
    }
    for (int c = 0; c < deep; ++c) {
      for (int v = 0; v < vectors; ++v) {
        const Vec w = Vec::load(net_.heads + c * pnet_head_row + v * lanes);
#pragma GCC unroll 12
        for (int m = 0; m < tile; ++m) sums[m][v] = fma(Vec(features[m * deep + c]), w, sums[m][v]);
      }
    }
    alignas(alignment) float heads[tile][vectors * lanes];
#pragma GCC unroll 12
    for (int m = 0; m < tile; ++m) {
      for (int v = 0; v < vectors; ++v) sums[m][v].store(heads[m] + v * lanes);
    }
    for (int m = 0; m < count; ++m) {
      const float* p = heads[m];
      if (p[1] - p[0] >= least_) keep(row, column + m, p);
    }
  }

  // The probability as Softmax has it, to the last bit.
  WAJAH_VEC void keep(int row, int column, const float* p) {
    const Vec largest = max(Vec(p[0]), Vec(p[1]));
    const Vec face = exp(Vec(p[1]) - largest);
    const Vec score = face / (exp(Vec(p[0]) - largest) + face);
    if (screened_ && (likely_[row * words_ + column / lanes] >> (column % lanes) & 1) == 0) doubtful_ = true;
    strip_.hits[strip_.found++] = {column, strip_.first_row + row, score.v[0], {p[2], p[3], p[4], p[5]}};
  }

  const PNetWeights& net_;
  const PNetScreen* screen_;
  PNetStrip& strip_;
  float least_;
  int width_, height_, pooled_width_;  // conv1's map is 2 smaller each way, the pooled one half of that, rounded up
  ptrdiff_t full_, half_;              // floats from plane to plane
  float *input_, *pooled_, *narrow_;   // rings of 4 rows of 3 planes, 3 of 10 planes, 3 of pixels
  int words_;                          // of marks a row; twice as many tiles or vectors at most
  uint16_t *maybe_, *likely_;
  uint8_t *deep_tiles_, *narrow_tiles_, *pooled_vectors_;
  bool screened_ = false, doubtful_ = false;
};

}  // namespace

void scan_pnet(const ScanPNetArgs& args, Part part) {
  for (;;) {
    const int i = __atomic_fetch_add(args.next, 1, __ATOMIC_RELAXED);
    if (i >= args.count) return;
    Scan(args, args.strips[i], args.scratch + part.index * args.scratch_floats).run();
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
