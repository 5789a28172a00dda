#include "small_problem.hpp"

#include "threshold.hpp"

#include <wajah/error.hpp>
#include <wajah/svm/solve_pair.hpp>

#include <algorithm>
#include <cmath>

namespace wajah::svm {
namespace {

constexpr std::size_t most_rows = 256;
constexpr std::size_t vector_width = 8;
// The last two: where solve() ended.
enum Array : std::size_t { lower, upper, beta, gradient, solved_beta, solved_gradient, arrays };

std::size_t padded(std::size_t rows) { return (rows + vector_width - 1) / vector_width * vector_width; }

}  // namespace

bool SmallProblem::fits(std::size_t rows, std::size_t memory) {
  return rows <= most_rows && rows * padded(rows) * sizeof(float) <= memory;
}

SmallProblem::SmallProblem(const Cpu& cpu, const Kernel& kernel, const ClassRows& first, const ClassRows& second)
    : cpu_(cpu),
      signs_(static_cast<std::size_t>(first.x.shape.n) + static_cast<std::size_t>(second.x.shape.n), -1),
      padded_(padded(signs_.size())),
      gram_(signs_.size() * padded_),
      arrays_(arrays * padded_) {
  std::fill_n(signs_.begin(), first.x.shape.n, 1);
  fill(kernel, first, second);
  for (std::size_t t = 0; t < rows(); ++t) check_diagonal(t, static_cast<double>(gram_[t * padded_ + t]));
}

// The tiles first x first, first x second and its mirror, second x second.
void SmallProblem::fill(const Kernel& kernel, const ClassRows& first, const ClassRows& second) {
  const auto m = static_cast<std::size_t>(first.x.shape.n);
  const auto own_tile = [&](const ClassRows& c, float* out) {
    const auto n = static_cast<std::size_t>(c.x.shape.n);
    if (c.gram.empty()) return gram(cpu_, kernel, c.x, c.x, out, padded_);
    for (std::size_t s = 0; s < n; ++s) std::copy_n(c.gram.data() + s * n, n, out + s * padded_);
  };
  own_tile(first, gram_.data());
  own_tile(second, gram_.data() + m * padded_ + m);
  gram(cpu_, kernel, first.x, second.x, gram_.data() + m, padded_);
  for (std::size_t s = 0; s < m; ++s)
    for (std::size_t t = m; t < rows(); ++t) gram_[t * padded_ + s] = gram_[s * padded_ + t];
}

Solution SmallProblem::solve(const SolverOptions& options) {
  for (std::size_t t = 0; t < rows(); ++t) {
    array(lower)[t] = signs_[t] > 0 ? 0 : -options.c;
    array(upper)[t] = signs_[t] > 0 ? options.c : 0;
    array(beta)[t] = 0;
    array(gradient)[t] = signs_[t];
  }
  Solution solution = go_on(options);
  std::copy_n(array(beta), 2 * padded_, array(solved_beta));
  return solution;
}

// From wherever beta and gradient are.
Solution SmallProblem::go_on(const SolverOptions& options) {
  long long iterations = 0;
  const long long limit = iteration_limit(rows());
  solve_pair(cpu_, {gram_.data(), static_cast<ptrdiff_t>(padded_), static_cast<int>(rows()), static_cast<int>(padded_),
                    options.tolerance, limit, array(lower), array(upper), array(beta), array(gradient), &iterations});
  Solution solution;
  solution.iterations = iterations;
  solution.converged = iterations < limit;
  solution.coefficients.assign(array(beta), array(beta) + rows());
  for (std::size_t t = 0; t < rows(); ++t) {
    solution.objective -= array(beta)[t] * (signs_[t] + array(gradient)[t]) / 2;
  }
  solution.rho = rho();
  return solution;
}

void SmallProblem::move_to(std::size_t t, double value) {
  const double change = value - array(beta)[t];
  if (change == 0) return;
  const float* row = gram_.data() + t * padded_;
  for (std::size_t s = 0; s < padded_; ++s) array(gradient)[s] -= change * static_cast<double>(row[s]);
  array(beta)[t] = value;
}

double SmallProblem::rho() const {
  Threshold threshold;
  for (std::size_t t = 0; t < rows(); ++t) {
    threshold.add(array(beta)[t], array(lower)[t], array(upper)[t], array(gradient)[t]);
  }
  return threshold.rho();
}

// The rows judged go to 0, and the class that then weighs more gives up as much as the other lost.
void SmallProblem::leave_out(std::size_t fold, std::size_t folds, double c) {
  double sum = 0;
  for (std::size_t t = 0; t < rows(); ++t) {
    const bool judged = t % folds == fold;
    array(lower)[t] = judged || signs_[t] > 0 ? 0 : -c;
    array(upper)[t] = judged || signs_[t] < 0 ? 0 : c;
    if (!judged) sum += array(beta)[t];
    if (judged) move_to(t, 0);
  }
  for (std::size_t t = 0; t < rows() && sum != 0; ++t) {
    const double now = array(beta)[t];
    if (now * sum <= 0) continue;
    const double next = std::abs(now) > std::abs(sum) ? now - sum : 0;
    sum = next == 0 ? sum - now : 0;
    move_to(t, next);
  }
}

// Starts where the machine of all rows ended, which is near: half the steps of a start from 0. A row left out has its
// decision value in the gradient: g = sign - K beta.
void SmallProblem::judge(const SolverOptions& options, std::size_t fold, std::size_t folds,
                         std::span<double> decisions) {
  std::copy_n(array(solved_beta), 2 * padded_, array(beta));
  leave_out(fold, folds, options.c);
  const Solution machine = go_on(options);
  for (std::size_t t = fold; t < rows(); t += folds) decisions[t] = signs_[t] - array(gradient)[t] - machine.rho;
}

}  // namespace wajah::svm
