// Probabilities from decision values: a sigmoid for each pair of classes (Platt), and pairs joined into classes.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace wajah::svm {

// P(sign +1 | decision value f) = 1 / (1 + exp(a f + b)); a is negative where larger f means +1.
struct Sigmoid {
  double a = 0, b = 0;
  [[nodiscard]] double operator()(double f) const;
};

// The sigmoid of largest likelihood, with Platt's targets (n+ + 1) / (n+ + 2) and 1 / (n- + 2) instead of 1 and 0.
// Needs as many signs (+1 or -1) as finite decision values, made on data the machine was not trained on; throws
// Error(input) otherwise.
// Method: Newton with backtracking, Lin, Lin, Weng, "A note on Platt's probabilistic outputs for support vector
// machines", Machine Learning 68 (2007), begun nearer to its end and ended at a slope of 1e-7, where libsvm ends at 1e-5.
[[nodiscard]] Sigmoid fit_sigmoid(std::span<const double> decisions, std::span<const int> signs);

// Class probabilities p that fit pairwise ones best: they minimise sum over i, j of (r_ji p_i - r_ij p_j)^2, sum of p
// = 1. Needs pairwise r of k x k, row-major, r[i][j] = P(class i | class i or j) strictly between 0 and 1 and r[j][i] =
// 1 - r[i][j], the diagonal not read; throws Error(input) unless k >= 1 and r has k * k values. Method: Wu, Lin, Weng,
// "Probability estimates for multi-class classification by pairwise coupling", JMLR 5 (2004), the second method,
// algorithm 2, stopped as libsvm stops it: error below 0.005 / k or max(100, k) rounds. k = 2 is exact.
[[nodiscard]] std::vector<double> couple(std::span<const double> pairwise, std::size_t k);

}  // namespace wajah::svm
