// The kernel that solves one small two-class problem, as solver.hpp's solve() does, from a kernel matrix at hand.
#pragma once

#include <wajah/cpu.hpp>

namespace wajah {

// Arrays of `padded` values, a multiple of 8 not below n and at most 256; gram has n rows, `stride` >= padded values
// apart, those from n on 0. In: a beta within its bounds, lower <= 0 <= upper, that sums to 0, and its gradient, sign -
// K beta; a variable whose bounds are both 0 takes no part, and its gradient ends as sign - f(x) - rho. Out: beta and
// gradient at the solution, and how many steps it took: `limit` if the conditions did not hold to `tolerance` before.
struct SolvePairArgs {
  const float* gram;
  ptrdiff_t stride;
  int n, padded;
  double tolerance;
  long long limit;
  const double *lower, *upper;
  double *beta, *gradient;
  long long* iterations;
};
WAJAH_KERNEL(solve_pair, SolvePairArgs)

}  // namespace wajah
