// Multiplying vectors by the small constant matrices of Winograd's algorithm: unrolled, without products by 0 and 1,
// and with the arithmetic shared that points of opposite signs have in common.
#pragma once

#include <wajah/layers/winograd_line.hpp>

#include "vec.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

template <double Factor>
WAJAH_VEC Vec add_product(Vec sum, Vec x, bool first) {
  if constexpr (Factor == 0) return sum;
  if (first) {
    if constexpr (Factor == 1) return x;
    return x * Vec(static_cast<float>(Factor));
  }
  if constexpr (Factor == 1) return sum + x;
  if constexpr (Factor == -1) return sum - x;
  return fma(x, Vec(static_cast<float>(Factor)), sum);
}

// Rows of m that are even and odd parts of one polynomial: row I + 1 is row I with some signs turned.
template <int Rows, int Columns>
consteval bool rows_pair(const Matrix<Rows, Columns>& m, int i) {
  if (i + 1 >= Rows) return false;
  bool same = false, turned = false;
  for (int k = 0; k < Columns; ++k) {
    const double a = m.at[i][k], b = m.at[i + 1][k];
    if (a != b && a != -b) return false;
    same |= a != 0 && a == b;
    turned |= a != 0 && a == -b;
  }
  return same && turned;
}

// The same of columns J and J + 1.
template <int Rows, int Columns>
consteval bool columns_pair(const Matrix<Rows, Columns>& m, int j) {
  if (j + 1 >= Columns) return false;
  bool same = false, turned = false;
  for (int i = 0; i < Rows; ++i) {
    const double a = m.at[i][j], b = m.at[i][j + 1];
    if (a != b && a != -b) return false;
    same |= a != 0 && a == b;
    turned |= a != 0 && a == -b;
  }
  return same && turned;
}

// The part of row I's product with x that has, or has not, the same sign in row I + 1.
template <Matrix M, int I, bool Same, int K = 0>
WAJAH_VEC Vec half_row(const Vec* x, Vec sum = Vec(0.0F), bool first = true) {
  if constexpr (K == static_cast<int>(sizeof M.at[0] / sizeof(double))) {
    return sum;
  } else {
    constexpr double factor = M.at[I][K];
    constexpr bool counts = factor != 0 && (M.at[I][K] == M.at[I + 1][K]) == Same;
    if constexpr (counts) sum = add_product<factor>(sum, x[K], first);
    return half_row<M, I, Same, K + 1>(x, sum, first && !counts);
  }
}

template <Matrix M, int I, int K = 0>
WAJAH_VEC Vec whole_row(const Vec* x, Vec sum = Vec(0.0F), bool first = true) {
  if constexpr (K == static_cast<int>(sizeof M.at[0] / sizeof(double))) {
    return sum;
  } else {
    constexpr double factor = M.at[I][K];
    if constexpr (factor != 0) sum = add_product<factor>(sum, x[K], first);
    return whole_row<M, I, K + 1>(x, sum, first && factor == 0);
  }
}

// y = M * x where neighbouring rows pair up: the way of the inputs.
template <Matrix M, int I = 0>
WAJAH_VEC void multiply_rows(const Vec* x, Vec* y) {
  if constexpr (I < static_cast<int>(sizeof M.at / sizeof M.at[0])) {
    if constexpr (rows_pair(M, I)) {
      const Vec same = half_row<M, I, true>(x);
      const Vec turned = half_row<M, I, false>(x);
      y[I] = same + turned;
      y[I + 1] = same - turned;
      multiply_rows<M, I + 2>(x, y);
    } else {
      y[I] = whole_row<M, I>(x);
      multiply_rows<M, I + 1>(x, y);
    }
  }
}

// Adds columns J and J + 1 of M, a pair, times their inputs' sum or difference.
template <Matrix M, int J, int I = 0>
WAJAH_VEC void add_pair(Vec sum, Vec difference, Vec* y) {
  if constexpr (I < static_cast<int>(sizeof M.at / sizeof M.at[0])) {
    constexpr double factor = M.at[I][J];
    y[I] = add_product<factor>(y[I], M.at[I][J] == M.at[I][J + 1] ? sum : difference, J == 0);
    add_pair<M, J, I + 1>(sum, difference, y);
  }
}
template <Matrix M, int J, int I = 0>
WAJAH_VEC void add_column(Vec x, Vec* y) {
  if constexpr (I < static_cast<int>(sizeof M.at / sizeof M.at[0])) {
    y[I] = J == 0 && M.at[I][J] == 0 ? Vec(0.0F) : add_product<M.at[I][J]>(y[I], x, J == 0);
    add_column<M, J, I + 1>(x, y);
  }
}

// y = M * x where neighbouring columns pair up: the way of the sums.
template <Matrix M, int J = 0>
WAJAH_VEC void multiply_columns(const Vec* x, Vec* y) {
  if constexpr (J < static_cast<int>(sizeof M.at[0] / sizeof(double))) {
    if constexpr (columns_pair(M, J)) {
      add_pair<M, J>(x[J] + x[J + 1], x[J] - x[J + 1], y);
      multiply_columns<M, J + 2>(x, y);
    } else {
      add_column<M, J>(x[J], y);
      multiply_columns<M, J + 1>(x, y);
    }
  }
}

}  // namespace
}  // namespace wajah::WAJAH_KERNEL_ISA
