// The kernel that begins machines at their end: where a machine's solution lies, from linear equations instead of
// steps.
#pragma once

#include <wajah/cpu.hpp>

#include <wajah/svm/solve_pairs.hpp>

namespace wajah {

// One pair of n <= 64 rows, `first` of sign +1; gram as in PairJob. Out: beta, the coefficients of the machine of all
// rows; and, where folds are asked for, fold_beta[f], those of the machine without the rows t mod 5 = f. All lie
// between their bounds to a rounding and sum to 0 about; none may be trusted before its conditions were looked at. Bit
// f of met: those of machine f hold to the tolerance, and decisions[t] of its rows t say what it says of them. An array
// may have anything in it where a number was not finite.
struct PairStart {
  static constexpr int folds = 5;

  const float* gram;
  int n, first;
  float* beta;
  float* fold_beta[folds];
  float* decisions;
  unsigned met;
};

// Arrays of `padded` numbers as in SolvePairsArgs; 0 < c, the bound. A pair's numbers do not depend on the others.
// scratch: room for start_pairs_scratch floats, beginning at a cache line.
struct StartPairsArgs {
  PairStart* pairs;
  int count, padded;
  float c, tolerance;
  bool folds;
  float* scratch;
};
WAJAH_KERNEL(start_pairs, StartPairsArgs)

// 64 rows are five folds of 14 positions; two triangles with two rows more, and eleven lines, of 16 pairs.
constexpr size_t start_pairs_scratch = 16 * (2 * (72 * 73 / 2) + 11 * 70);

}  // namespace wajah
