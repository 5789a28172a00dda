// P-Net in bytes, which tells nearly how much each place looks like a face, four times as fast as scan_pnet.cpp does.
//
// All three convolutions run along the columns: a register holds four channels of each of its pixels, so the photo's
// own pixels are the first layer's input as they are, and weights are one broadcast number each. What comes out of a
// layer are planes of one channel; four of them, shifted together, are the next layer's input. conv3's channels go into
// the sum of the heads at once and are never stored.
#pragma once

#include <wajah/detect/scan_pnet.hpp>

#include "vec_int8.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

// Four unsigned bytes a lane times the same four signed ones.
WAJAH_VEC Sums dot_all(Ints x, int weights, Sums sums) {
#if defined(__AVX512F__)
  return dot(Activations{reinterpret_cast<__m512i>(x)}, SignedBytes::all(weights), sums);
#elif defined(__AVX2__)
  return dot(Activations{reinterpret_cast<__m256i>(x)}, SignedBytes::all(weights), sums);
#else
  for (int i = 0; i < quad; ++i) sums.v += (x >> (8 * i) & 255) * (weights << (24 - 8 * i) >> 24);
  return sums;
#endif
}

// Every other lane of two neighbouring vectors.
#if defined(__AVX512F__)
WAJAH_VEC Vec even_lanes(Vec a, Vec b) {
  return Vec(__builtin_shufflevector(a.v, b.v, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30));
}
WAJAH_VEC Vec odd_lanes(Vec a, Vec b) {
  return Vec(__builtin_shufflevector(a.v, b.v, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31));
}
#elif defined(__AVX2__)
WAJAH_VEC Vec even_lanes(Vec a, Vec b) { return Vec(__builtin_shufflevector(a.v, b.v, 0, 2, 4, 6, 8, 10, 12, 14)); }
WAJAH_VEC Vec odd_lanes(Vec a, Vec b) { return Vec(__builtin_shufflevector(a.v, b.v, 1, 3, 5, 7, 9, 11, 13, 15)); }
#else
WAJAH_VEC Vec even_lanes(Vec a, Vec b) { return Vec(__builtin_shufflevector(a.v, b.v, 0, 2, 4, 6)); }
WAJAH_VEC Vec odd_lanes(Vec a, Vec b) { return Vec(__builtin_shufflevector(a.v, b.v, 1, 3, 5, 7)); }
#endif

WAJAH_VEC Ints load_ints(const int* p) {
  Ints x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}
WAJAH_VEC void store_ints(int* p, Ints x) { __builtin_memcpy(p, &x, sizeof x); }

// x rounded and cut to 0 to 255.
WAJAH_VEC Ints to_bytes(Vec x) {
  constexpr float to_integer = 12582912.0F;  // 1.5 * 2^23: adding it rounds and leaves the integer in the low bits
  const Vec cut = min(max(x, Vec(0.0F)), Vec(255.0F));
  return reinterpret_cast<Ints>((cut + Vec(to_integer)).v) & 255;
}

// Bit i: whether lane i is at least `least`.
WAJAH_VEC unsigned lanes_from(Vec x, float least) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask(x.v, broadcast(least), _CMP_GE_OQ);
#elif defined(__AVX2__)
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(x.v, broadcast(least), _CMP_GE_OQ)));
#else
  unsigned bits = 0;
  for (int i = 0; i < lanes; ++i) bits |= x.v[i] >= least ? 1U << i : 0U;
  return bits;
#endif
}

class ScreenPass {
 public:
  static constexpr int planes = 10, narrow = 16, deep = 32;
  static constexpr int together = registers == 32 ? 10 : 5;  // planes whose two rows of sums fit the registers
  static constexpr int block = 8;                            // channels whose sums do,
  static constexpr int across = registers == 32 ? 2 : 1;     // for so many vectors of columns
  static constexpr int pooled_quads = 3, narrow_quads = 4;

  // maybe, likely: one word for each `lanes` columns of each row of the output; bit i of maybe: column i may be a hit,
  // of likely: it may be one even if only half of the margin is true.
  WAJAH_VEC ScreenPass(const PNetScreen& net, ConstView<uint8_t> x, float least, float* scratch, uint16_t* maybe,
                       uint16_t* likely, int words)
      : net_(net),
        x_(x),
        least_(least),
        width_(x.shape.w),
        height_(x.shape.h),
        pooled_width_((width_ - 1) / 2),
        step_(pooled_width_ / 16 * 16 + 64),
        maybe_(maybe),
        likely_(likely),
        words_(words) {
    pooled_ = reinterpret_cast<int*>(scratch);
    narrow_ = pooled_ + 3 * pooled_quads * step_;
    const int* end = narrow_ + 3 * narrow_quads * step_;
    for (int* p = pooled_; p < end; ++p) *p = 0;
  }

  void run() {
    const int rows = pnet_outputs(height_);
    for (int row = 0; row < rows + 4; ++row) {
      pool(row);
      if (row >= 2) narrow_row(row - 2);
      if (row >= 4) judge_row(row - 4);
    }
  }

 private:
  WAJAH_VEC int* pooled(int row, int quads) const { return pooled_ + (row % 3 * pooled_quads + quads) * step_; }
  WAJAH_VEC int* narrow_row_of(int row, int quads) const { return narrow_ + (row % 3 * narrow_quads + quads) * step_; }

  // Pixels of a row of the photo; zeros beyond its end. Inside: there is none.
  template <bool Inside>
  WAJAH_VEC Ints pixels(int row, int column) const {
    const auto* p = reinterpret_cast<const float*>(x_.pixel(0, row, column));  // as floats can be loaded in part
    if constexpr (Inside) return reinterpret_cast<Ints>(Vec::load(p).v);
    const int left = width_ - column;
    return reinterpret_cast<Ints>(Vec::load(p, Lanes(left > 0 ? left : 0)).v);
  }

  void pool(int row) {
    const int inside = (width_ - 2) / (2 * lanes) * lanes;  // columns whose vectors of pixels end in the row
    for (int column = 0; column < pooled_width_; column += lanes) {
      if (column < inside) {
        pool_vector<true>(row, column);
      } else {
        pool_vector<false>(row, column);
      }
    }
  }

  // Where conv1's map ends with an odd row or column, that is pooled alone.
  template <bool Inside>
  WAJAH_VEC void pool_vector(int row, int column) {
    const int upper = 2 * row, lower = upper + 1 < height_ - 2 ? upper + 1 : upper;
    Ints packed[pooled_quads]{};
    float taller[planes][2 * lanes];
    for (int plane = 0; plane < planes; plane += together) {
      conv1<Inside>(upper, lower, 2 * column, plane, taller, 0);
      conv1<Inside>(upper, lower, 2 * column + lanes, plane, taller, lanes);
    }
    const int odd = width_ - 2 - 2 * column;
#pragma GCC unroll 10
    for (int k = 0; k < planes; ++k) {
      if (!Inside && odd < 2 * lanes && odd % 2 == 1) taller[k][odd] = taller[k][odd - 1];
      const Vec a = Vec::load(taller[k]), b = Vec::load(taller[k] + lanes);
      const Vec largest = max(even_lanes(a, b), odd_lanes(a, b));
      packed[k / quad] |= to_bytes(fma(largest, Vec(net_.inverse1[k]), Vec(net_.zero1[k]))) << (8 * (k % quad));
    }
#pragma GCC unroll 3
    for (int q = 0; q < pooled_quads; ++q) store_ints(pooled(row, q) + column, packed[q]);
  }

  template <bool Inside>
  WAJAH_VEC void conv1(int upper, int lower, int column, int plane, float (&taller)[planes][2 * lanes], int at) const {
    Sums sums[2][together];
#pragma GCC unroll 10
    for (int c = 0; c < together; ++c) sums[0][c] = sums[1][c] = Sums::zero();
    const int* weights = net_.conv1 + plane;
#pragma GCC unroll 1
    for (int r = 0; r < 3; ++r) {
#pragma GCC unroll 3
      for (int tap = 0; tap < 3; ++tap, weights += planes) {
        const Ints a = pixels<Inside>(upper + r, column + tap), b = pixels<Inside>(lower + r, column + tap);
#pragma GCC unroll 10
        for (int c = 0; c < together; ++c) {
          sums[0][c] = dot_all(a, weights[c], sums[0][c]);
          sums[1][c] = dot_all(b, weights[c], sums[1][c]);
        }
      }
    }
#pragma GCC unroll 10
    for (int c = 0; c < together; ++c) {
      const Vec scale(net_.scale1[plane + c]), bias(net_.bias1[plane + c]), slope(net_.slope1[plane + c]);
      const Vec a = fma(sums[0][c].floats(), scale, bias), b = fma(sums[1][c].floats(), scale, bias);
      max(if_negative(a, a * slope), if_negative(b, b * slope)).store(taller[plane + c] + at);
    }
  }

  // A block of channels of a 3x3 convolution over planes of four channels. weights: 16 for every tap and plane.
  template <int Quads>
  WAJAH_VEC void convolve(const int* const (&rows)[3], const int* weights, Sums (&sums)[across][block]) const {
#pragma GCC unroll 2
    for (int u = 0; u < across; ++u) {
#pragma GCC unroll 8
      for (int c = 0; c < block; ++c) sums[u][c] = Sums::zero();
    }
#pragma GCC unroll 1
    for (int r = 0; r < 3; ++r) {
#pragma GCC unroll 1
      for (int tap = 0; tap < 3; ++tap) {
#pragma GCC unroll 4
        for (int q = 0; q < Quads; ++q, weights += 16) {
          Ints x[across];
#pragma GCC unroll 2
          for (int u = 0; u < across; ++u) x[u] = load_ints(rows[r] + q * step_ + tap + u * lanes);
#pragma GCC unroll 8
          for (int c = 0; c < block; ++c) {
#pragma GCC unroll 2
            for (int u = 0; u < across; ++u) sums[u][c] = dot_all(x[u], weights[c], sums[u][c]);
          }
        }
      }
    }
  }

  void narrow_row(int row) {
    for (int column = 0; column < pooled_width_ - 2; column += across * lanes) {
      const int* const rows[3] = {pooled(row, 0) + column, pooled(row + 1, 0) + column, pooled(row + 2, 0) + column};
#pragma GCC unroll 1
      for (int first = 0; first < narrow; first += block) {
        Sums sums[across][block];
        convolve<pooled_quads>(rows, net_.conv2 + first, sums);
        Ints packed[across][block / quad]{};
#pragma GCC unroll 8
        for (int c = 0; c < block; ++c) {
          const Vec scale(net_.scale2[first + c]), bias(net_.bias2[first + c]);
          const Vec slope(net_.slope2[first + c]), zero(net_.zero2[first + c]);
#pragma GCC unroll 2
          for (int u = 0; u < across; ++u) {
            const Vec a = fma(sums[u][c].floats(), scale, bias);
            packed[u][c / quad] |= to_bytes(if_negative(a, a * slope) + zero) << (8 * (c % quad));
          }
        }
        for (int q = 0; q < block / quad; ++q) {
          for (int u = 0; u < across; ++u) {
            store_ints(narrow_row_of(row, first / quad + q) + column + u * lanes, packed[u][q]);
          }
        }
      }
    }
  }

  void judge_row(int row) {
    const int columns = pooled_width_ - 4;
    for (int column = 0; column < columns; column += across * lanes) {
      const int* const rows[3] = {narrow_row_of(row, 0) + column, narrow_row_of(row + 1, 0) + column,
                                  narrow_row_of(row + 2, 0) + column};
      Vec difference[across];
      for (int u = 0; u < across; ++u) difference[u] = Vec(net_.head_bias);
#pragma GCC unroll 1
      for (int first = 0; first < deep; first += block) {
        Sums sums[across][block];
        convolve<narrow_quads>(rows, net_.conv3 + first / 16 * (9 * narrow_quads * 16) + first % 16, sums);
#pragma GCC unroll 8
        for (int c = 0; c < block; ++c) {
          const Vec scale(net_.scale3[first + c]), bias(net_.bias3[first + c]);
          const Vec slope(net_.slope3[first + c]), head(net_.head[first + c]);
#pragma GCC unroll 2
          for (int u = 0; u < across; ++u) {
            const Vec a = fma(sums[u][c].floats(), scale, bias);
            difference[u] = fma(if_negative(a, a * slope), head, difference[u]);
          }
        }
      }
      for (int u = 0; u < across && column + u * lanes < columns; ++u) put(row, column + u * lanes, difference[u]);
    }
  }

  WAJAH_VEC void put(int row, int column, Vec difference) const {
    const int left = pooled_width_ - 4 - column;
    const unsigned used = left < lanes ? (1U << left) - 1 : (1U << lanes) - 1;
    const ptrdiff_t at = static_cast<ptrdiff_t>(row) * words_ + column / lanes;
    maybe_[at] = static_cast<uint16_t>(lanes_from(difference, least_ - net_.margin) & used);
    likely_[at] = static_cast<uint16_t>(lanes_from(difference, least_ - net_.margin / 2) & used);
  }

  const PNetScreen& net_;
  ConstView<uint8_t> x_;
  float least_;
  int width_, height_, pooled_width_;
  ptrdiff_t step_;         // ints from one plane of four channels to the next
  int *pooled_, *narrow_;  // rings of three rows
  uint16_t *maybe_, *likely_;
  int words_;
};

}  // namespace
}  // namespace wajah::WAJAH_KERNEL_ISA
