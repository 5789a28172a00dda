// The dual of the two-class soft-margin SVM (C-SVC), solved by sequential minimal optimisation.
#pragma once

#include <wajah/svm/kernel_matrix.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace wajah::svm {

struct SolverOptions {
  double c = 1;             // upper bound of every alpha
  double tolerance = 1e-3;  // largest violation of the optimality conditions left, libsvm's -e
  bool shrinking = true;    // leave variables out that look settled at a bound; changes the time, not the result
};

// Throws Error(usage) unless c and tolerance are positive and finite; solve() does this itself.
void check_options(const SolverOptions& options);

// Throws Error(input) unless the kernel value of row `index` with itself is finite.
void check_diagonal(std::size_t index, double value);

// libsvm's limit for a problem of n rows.
[[nodiscard]] std::int64_t iteration_limit(std::size_t n);

// f(x) = sum over t of coefficients[t] * kernel(x_t, x) - rho, positive for sign +1.
struct Solution {
  std::vector<double> coefficients;  // sign_t * alpha_t, in the order of the signs given
  double rho = 0;
  double objective = 0;  // 1/2 a'Qa - sum of a, what was minimised
  std::int64_t iterations = 0;
  bool converged = false;  // false: stopped at libsvm's limit of max(10^7, 100 n) iterations
};

// Minimises 1/2 a'Qa - sum of a, Q_st = sign_s sign_t kernel_st, for 0 <= a <= c and sum of sign_t a_t = 0.
// Needs n = matrix.size() signs, each +1 or -1 and both present; throws Error(input) otherwise and Error(usage) when c
// or tolerance is not positive and finite. Leaves `matrix` with its variables in another order. Method: Fan, Chen, Lin,
// "Working set selection using second order information", JMLR 6 (2005), their WSS 2, and the shrinking of Chang and
// Lin, "LIBSVM" (2011), section 5.1.
[[nodiscard]] Solution solve(KernelMatrix& matrix, std::span<const int> signs, const SolverOptions& options);

}  // namespace wajah::svm
