// One direction of Winograd's minimal filtering (Winograd 1980, Lavin & Gray 2016): Outputs neighbouring sums of Taps
// products are had from fewer multiplications, one at each of `points` points where two polynomials are evaluated:
//
//   y = a * ((g * taps) . (b * inputs))        matrices a, g, b; "." is element by element
//
// Two directions nest: the matrices are applied to rows and then to columns.
#pragma once

#include <wajah/shape.hpp>

namespace wajah {

template <int Rows, int Columns>
struct Matrix {
  double at[Rows][Columns]{};
};

// Where the polynomials are evaluated, besides infinity. Pairs of opposite signs share most of their arithmetic; those
// near to 1 keep the numbers of seven taps small (rms error of 4 outputs: 2.0e-6, with 4 for 0.75 it is 3.9e-6).
inline constexpr double evaluation_points[] = {0, 1, -1, 2, -2, 0.5, -0.5, 0.75, -0.75};

// Toom and Cook's algorithm: a polynomial's values at points - 1 places and at infinity.
template <int Outputs, int Taps>
struct WinogradLine {
  static constexpr int points = Outputs + Taps - 1;
  Matrix<Outputs, points> a;
  Matrix<points, points> b;
  Matrix<points, Taps> g;

  WAJAH_INLINE WinogradLine() {
    constexpr int finite = points - 1;
    for (int j = 0; j < finite; ++j) {
      // Row j of b: the product of (x - other point), lowest power first. Its value at point j divides row j of g.
      double divisor = 1;
      b.at[j][0] = 1;
      for (int other = 0, degree = 0; other < finite; ++other) {
        if (other == j) continue;
        multiply(b.at[j], degree++, evaluation_points[other]);
        divisor *= evaluation_points[j] - evaluation_points[other];
      }
      double power = 1;
      for (int i = 0; i < Outputs; ++i, power *= evaluation_points[j]) a.at[i][j] = power;
      power = 1;
      for (int k = 0; k < Taps; ++k, power *= evaluation_points[j]) g.at[j][k] = power / divisor;
    }
    b.at[finite][0] = 1;
    for (int other = 0; other < finite; ++other) multiply(b.at[finite], other, evaluation_points[other]);
    a.at[Outputs - 1][finite] = 1;
    g.at[finite][Taps - 1] = 1;
  }

 private:
  // The polynomial times (x - root).
  static WAJAH_INLINE void multiply(double (&polynomial)[points], int degree, double root) {
    for (int k = degree + 1; k > 0; --k) polynomial[k] = polynomial[k - 1] - root * polynomial[k];
    polynomial[0] *= -root;
  }
};

// A single tap: nothing to save.
template <>
struct WinogradLine<1, 1> {
  static constexpr int points = 1;
  Matrix<1, 1> a{{{1}}}, b{{{1}}}, g{{{1}}};
};

}  // namespace wajah
