// The kernels behind many small two-class problems at once: a first solution in float, and the sigmoids of Platt.
#pragma once

#include <wajah/cpu.hpp>

namespace wajah {

// One problem as in solve_pair.hpp. Its first `first` of n <= 64 variables have sign +1, the others -1. gram has n rows
// of `padded` values, those from n on 0; inverse, the same room, has what invert_curvature writes, and is not read
// where no step is allowed. In: beta within its bounds that sums to 0. Out: beta, its gradient sign - K beta, and rho,
// the threshold it gives; met: the conditions hold to the tolerance by that gradient. Where they do not, solve_pair
// goes on from there.
struct PairJob {
  const float *gram, *inverse;
  int n, first;
  const double *lower, *upper;
  double *beta, *gradient;
  double rho;
  int steps;
  bool met;
};

// Jobs of one padded size, 16, 32, 48 or 64, and the width of their arrays. At most `limit` steps a job. exact:
// gradients are computed anew in double at the end, otherwise they are those of the last step, off by the roundings of
// floats. A Cuda reads and writes jobs, and all that they point to, in its own memory.
struct SolvePairsArgs {
  PairJob* jobs;
  int count, padded;
  double tolerance;
  int limit;
  bool exact;
};
WAJAH_KERNEL(solve_pairs, SolvePairsArgs)

// Completes a pair's matrix. Given are the cross products, rows 0 to first - 1 and columns first to n - 1 of gram, and
// the dense tiles of each class with itself; added are these, the mirror image, and 0 beyond n.
struct CompletePairArgs {
  const float *first_tile, *second_tile;
  float* gram;
  int n, first, padded;
};
WAJAH_KERNEL(complete_pair, CompletePairArgs)

// inverse[i][j] = 1 / max(gram[i][i] + gram[j][j] - 2 gram[i][j], least) for i < n, j < padded.
struct InvertCurvatureArgs {
  const float* gram;
  float* inverse;
  int n, padded;
};
WAJAH_KERNEL(invert_curvature, InvertCurvatureArgs)

// fit_sigmoid() of platt.hpp for n <= 256 decision values, the first `first` of them of sign +1.
struct FitSigmoidArgs {
  const double* decisions;
  int n, first;
  double *a, *b;
};
WAJAH_KERNEL(fit_sigmoid, FitSigmoidArgs)

}  // namespace wajah
