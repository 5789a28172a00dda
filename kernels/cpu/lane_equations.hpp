// Linear equations of many problems at once, a lane each: K x + rho = sign for the free positions, sum of x = 0, by
// Cholesky. See start_pairs.cpp.
#pragma once

#include <lane_bits.hpp>

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

// Of a type without a name outside this file: called, not copied.
#define WAJAH_CALL __attribute__((noinline))

constexpr float far = 1e30F;
constexpr int tile = 6;  // rows at a time, with two columns

#if defined(__AVX512F__)
WAJAH_VEC Vec root(Vec x) { return Vec(_mm512_maskz_sqrt_ps(all_lanes, x.v)); }
#elif defined(__AVX2__)
WAJAH_VEC Vec root(Vec x) { return Vec(_mm256_sqrt_ps(x.v)); }
#else
WAJAH_VEC Vec root(Vec x) {
  for (int l = 0; l < lanes; ++l) x.v[l] = __builtin_sqrtf(x.v[l]);
  return x;
}
#endif

// 1 where x > 0, otherwise 0.
WAJAH_VEC Vec positive(Vec x) { return min(max(x * Vec(far), Vec(0.0F)), Vec(1.0F)); }

WAJAH_VEC constexpr int cell(int row, int column) { return row * (row + 1) / 2 + column; }

// An array of Vecs, one value of every pair each.
struct Lines {
  float* at;

  WAJAH_VEC Vec operator[](int i) const { return Vec::load(at + i * lanes); }
  WAJAH_VEC void set(int i, Vec x) const { x.store(at + i * lanes); }
};

// The positions left out: those of a fold, or none.
struct Gap {
  int begin, end;
};

// Triangles and lines that somebody else gave room for, and what is asked of them.
class Equations {
 protected:
  // factor_ and x_ of the free positions outside the gap, where the factor's columns before `from` stand already.
  WAJAH_CALL void solve(Gap skip, int from) {
    for (int c = from; c < n_; c += 2) {
      if (c == skip.begin) c = skip.end;
      if (c >= n_) break;
      if (c < skip.begin && skip.begin < n_) {
        columns_of(skip, c, c, skip.begin);
        rows_of(skip, c, skip.end, n_ + 2);
      } else {
        columns_of(skip, c, c, n_ + 2);
      }
    }
    substitute(skip);
  }

  // Columns c and c + 1 of the rows from c to end - 1, the pivots first.
  WAJAH_VEC void columns_of(Gap skip, int c, int begin, int end) {
    if (end - begin >= tile) {
      rows<tile, true>(skip, c, begin);
      rows_of(skip, c, begin + tile, end);
    } else {
      rows<2, true>(skip, c, begin);
      rows_of(skip, c, begin + 2, end);
    }
  }
  WAJAH_VEC void rows_of(Gap skip, int c, int begin, int end) {
    int r = begin;
    for (; r + tile <= end; r += tile) rows<tile, false>(skip, c, r);
    if (tile > 4 && r + 4 <= end) {
      rows<4, false>(skip, c, r);
      r += 4;
    }
    for (; r < end; r += 2) rows<2, false>(skip, c, r);
  }

  template <int count, bool pivots>
  WAJAH_VEC void rows(Gap skip, int c, int r) {
    const Lines factor = factor_, kernel = kernel_;
    Vec sum[count][2];
    for (auto& row : sum)
      for (Vec& value : row) value = Vec(0.0F);
    const int first = cell(c, 0), second = cell(c + 1, 0);
    int row[count];
    for (int i = 0; i < count; ++i) row[i] = cell(r + i, 0);
    const auto add = [&](int begin, int end) __attribute__((always_inline)) {
#pragma GCC unroll 2
      for (int k = begin; k < end; ++k) {
        const Vec a = factor[first + k], b = factor[second + k];
        for (int i = 0; i < count; ++i) {
          const Vec value = factor[row[i] + k];
          sum[i][0] = fma(value, a, sum[i][0]);
          sum[i][1] = fma(value, b, sum[i][1]);
        }
      }
    };
    if (c < skip.begin) {
      add(0, c);
    } else {
      add(0, skip.begin);
      add(skip.end, c);
    }
    if constexpr (pivots) {
      inverse_.set(c, inverse(c, sum[0][0]));
      const Vec below = (kernel[second + c] - sum[1][0]) * inverse_[c];
      factor.set(second + c, below);
      inverse_.set(c + 1, inverse(c + 1, fma(below, below, sum[1][1])));
    }
    const Vec by = inverse_[c], by_next = inverse_[c + 1], below = factor[second + c];
    for (int i = pivots ? 2 : 0; i < count; ++i) {
      const Vec value = (kernel[row[i] + c] - sum[i][0]) * by;
      factor.set(row[i] + c, value);
      factor.set(row[i] + c + 1, (kernel[row[i] + c + 1] - fma(value, below, sum[i][1])) * by_next);
    }
  }

  // 1 / the root of the pivot of position p, 0 where it is not free or a rounding.
  WAJAH_VEC Vec inverse(int p, Vec sum) const {
    constexpr float rounding = 1e-5F;
    const Vec diagonal = kernel_[cell(p, p)], least = fma(diagonal, Vec(rounding), Vec(1e-30F));
    const Vec pivot = diagonal - sum;
    return free_[p] * positive(pivot - least) / root(max(pivot, least));
  }

  // x_ = coefficients, from the factor backwards; the gap gets 0.
  WAJAH_CALL void substitute(Gap skip) {
    const Vec zero(0.0F);
    const int u = cell(n_, 0), v = cell(n_ + 1, 0);
    Vec uv = zero, vv = zero;
    for (int p = 0; p < n_; ++p) {
      if (p == skip.begin) p = skip.end;
      if (p >= n_) break;
      uv = fma(factor_[u + p], factor_[v + p], uv);
      vv = fma(factor_[v + p], factor_[v + p], vv);
    }
    rho_ = uv / max(vv, Vec(1e-30F));
    for (int p = skip.begin; p < skip.end; ++p) x_.set(p, zero);
    for (int c = n_ - 2; c >= 0; c -= 2) {
      if (c + 2 == skip.end) c = skip.begin - 2;
      if (c < 0) break;
      Vec even[2] = {zero, zero}, odd[2] = {zero, zero};
      const auto add = [&](int begin, int end) __attribute__((always_inline)) {
        for (int r = begin; r < end; r += 2) {
          const Vec a = x_[r], b = x_[r + 1];
          const int low = cell(r, c), high = cell(r + 1, c);
          for (int i = 0; i < 2; ++i) {
            even[i] = fma(factor_[low + i], a, even[i]);
            odd[i] = fma(factor_[high + i], b, odd[i]);
          }
        }
      };
      if (c < skip.begin) {
        add(c + 2, skip.begin);
        add(skip.end, n_);
      } else {
        add(c + 2, n_);
      }
      const auto goal = [&](int p) __attribute__((always_inline)) { return factor_[u + p] - rho_ * factor_[v + p]; };
      const Vec second = (goal(c + 1) - (even[1] + odd[1])) * inverse_[c + 1];
      x_.set(c + 1, second);
      x_.set(c, (goal(c) - fma(factor_[cell(c + 1, c)], second, even[0] + odd[0])) * inverse_[c]);
    }
  }

  // product_ = kernel_ x_, without the positions skipped, whose x_ is 0.
  WAJAH_CALL void multiply(Gap skip) {
    for (int i = 0; i < n_; i += 2) {
      if (i == skip.begin) i = skip.end;
      if (i >= n_) break;
      const Vec x = x_[i], y = x_[i + 1];
      const int one = cell(i, 0), other = cell(i + 1, 0);
      Vec a[2] = {Vec(0.0F), Vec(0.0F)}, b[2] = {Vec(0.0F), Vec(0.0F)};
      for (int j = 0; j < i; j += 2) {
        if (j == skip.begin) j = skip.end;
        if (j >= i) break;
        for (int k = 0; k < 2; ++k) {
          const Vec p = kernel_[one + j + k], q = kernel_[other + j + k], z = x_[j + k];
          a[k] = fma(p, z, a[k]);
          b[k] = fma(q, z, b[k]);
          product_.set(j + k, fma(q, y, fma(p, x, product_[j + k])));
        }
      }
      const Vec between = kernel_[other + i];
      product_.set(i, fma(between, y, fma(kernel_[one + i], x, a[0] + a[1])));
      product_.set(i + 1, fma(between, x, fma(kernel_[other + i + 1], y, b[0] + b[1])));
    }
  }

  int n_;                  // positions, an even number
  Lines kernel_, factor_;  // lower triangles, and two rows more: sign and 1, and what becomes of them
  Lines free_, inverse_;   // 1 or 0; 1 / the root of a pivot, 0 of one that is not free
  Lines x_, product_;
  Vec rho_;
};

}  // namespace
}  // namespace wajah::WAJAH_KERNEL_ISA
