#include <wajah/svm/solver.hpp>

#include "threshold.hpp"

#include <wajah/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

// The signed form keeps labels out of every loop. With beta_t = sign_t alpha_t the problem is
//   maximise sign.beta - 1/2 beta'K beta   for lower <= beta <= upper, sum of beta = 0,
// whose gradient is g = sign - K beta. A step moves `step` from beta_j to beta_i, and g by -step (K_i - K_j). Optimal
// is the point where no variable that may still rise has a larger g than one that may still fall (Bottou and Lin,
// "Support vector machine solvers", 2007).
namespace wajah::svm {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double least_curvature = 1e-12;  // for pairs of equal points, whose curvature is 0 or, by rounding, below

class Smo {
 public:
  Smo(KernelMatrix& matrix, std::span<const int> signs, const SolverOptions& options);
  Solution run();

 private:
  struct Choice {
    std::size_t i, j;
  };
  struct Extremes {
    double rise = -infinity;  // largest gradient among the variables that may rise
    double fall = infinity;   // smallest among those that may fall
    std::size_t riser = 0;
  };

  [[nodiscard]] bool may_rise(std::size_t t) const { return beta_[t] < upper_[t]; }
  [[nodiscard]] bool may_fall(std::size_t t) const { return beta_[t] > lower_[t]; }
  [[nodiscard]] double sign(std::size_t t) const { return upper_[t] > 0 ? 1.0 : -1.0; }
  [[nodiscard]] Extremes extremes() const;
  [[nodiscard]] std::optional<Choice> choose() const;
  [[nodiscard]] bool settled(std::size_t t, const Extremes& e) const;
  [[nodiscard]] double rho() const;
  void step(Choice choice);
  void shrink();
  void unshrink();
  void swap(std::size_t s, std::size_t t);
  [[nodiscard]] Solution solution(std::int64_t iterations, bool converged) const;

  KernelMatrix& matrix_;
  SolverOptions options_;
  std::size_t size_, active_;
  bool unshrunk_ = false;
  std::vector<std::size_t> original_;  // where the variable at a place came from
  std::vector<double> beta_, lower_, upper_, gradient_, diagonal_;
};

Smo::Smo(KernelMatrix& matrix, std::span<const int> signs, const SolverOptions& options)
    : matrix_(matrix),
      options_(options),
      size_(signs.size()),
      active_(size_),
      original_(size_),
      beta_(size_, 0.0),
      lower_(size_, 0.0),
      upper_(size_, 0.0),
      gradient_(size_),
      diagonal_(size_) {
  std::iota(original_.begin(), original_.end(), std::size_t{0});
  for (std::size_t t = 0; t < size_; ++t) {
    (signs[t] > 0 ? upper_ : lower_)[t] = signs[t] * options.c;
    gradient_[t] = signs[t];
    diagonal_[t] = matrix.diagonal(t);
  }
}

Solution Smo::run() {
  const std::int64_t limit = iteration_limit(size_);
  const std::size_t period = std::min<std::size_t>(size_, 1000);
  std::size_t until_shrink = period;
  for (std::int64_t iteration = 0; iteration < limit; ++iteration) {
    if (options_.shrinking && until_shrink-- == 0) {
      until_shrink = period;
      shrink();
    }
    auto choice = choose();
    if (!choice && active_ < size_) {
      unshrink();
      until_shrink = 0;
      choice = choose();
    }
    if (!choice) return solution(iteration, true);
    step(*choice);
  }
  unshrink();
  return solution(limit, false);
}

Smo::Extremes Smo::extremes() const {
  Extremes e;
  for (std::size_t t = 0; t < active_; ++t) {
    const double g = gradient_[t];
    if (may_rise(t) && g > e.rise) {
      e.rise = g;
      e.riser = t;
    }
    if (may_fall(t)) e.fall = std::min(e.fall, g);
  }
  return e;
}

// The riser of largest gradient, and the faller with which a step gains most: the exact gain of the unclipped step is
// (difference of gradients)^2 / (2 curvature). Nothing when the conditions hold to the tolerance.
std::optional<Smo::Choice> Smo::choose() const {
  const Extremes e = extremes();
  if (e.rise - e.fall < options_.tolerance) return std::nullopt;
  const std::size_t i = e.riser;
  const float* row = matrix_.row(i, active_);
  Choice best{i, i};
  double most = 0;
  for (std::size_t t = 0; t < active_; ++t) {
    const double difference = e.rise - gradient_[t];
    if (!may_fall(t) || difference <= 0) continue;
    const double curvature = diagonal_[i] + diagonal_[t] - 2.0 * static_cast<double>(row[t]);
    const double gain = difference * difference / std::max(curvature, least_curvature);
    if (gain > most) {
      most = gain;
      best.j = t;
    }
  }
  return best;
}

void Smo::step(Choice choice) {
  const auto [i, j] = choice;
  const float* row_i = matrix_.row(i, active_);
  const float* row_j = matrix_.row(j, active_);
  const double curvature = diagonal_[i] + diagonal_[j] - 2.0 * static_cast<double>(row_i[j]);
  const double room_i = upper_[i] - beta_[i], room_j = beta_[j] - lower_[j];
  const double wanted = (gradient_[i] - gradient_[j]) / std::max(curvature, least_curvature);
  const double step = std::min({wanted, room_i, room_j});
  // A bound that is reached is reached exactly: sums would miss it by a rounding and leave the variable free.
  beta_[i] = step == room_i ? upper_[i] : beta_[i] + step;
  beta_[j] = step == room_j ? lower_[j] : beta_[j] - step;
  for (std::size_t t = 0; t < active_; ++t)
    gradient_[t] -= step * (static_cast<double>(row_i[t]) - static_cast<double>(row_j[t]));
}

// At a bound, and with a gradient that pushes it further there than any partner could push it back.
bool Smo::settled(std::size_t t, const Extremes& e) const {
  return (!may_rise(t) && gradient_[t] > e.rise) || (!may_fall(t) && gradient_[t] < e.fall);
}

void Smo::shrink() {
  const Extremes e = extremes();
  // Near the end everything comes back once, so that a variable left out too early costs no second round.
  if (!unshrunk_ && e.rise - e.fall <= 10 * options_.tolerance) {
    unshrunk_ = true;
    unshrink();
  }
  for (std::size_t t = 0; t < active_;) {
    if (settled(t, e))
      swap(t, --active_);
    else
      ++t;
  }
}

// Computes the gradients that were left out anew from the coefficients and takes every variable back.
void Smo::unshrink() {
  if (active_ == size_) return;
  for (std::size_t t = active_; t < size_; ++t) gradient_[t] = sign(t);
  for (std::size_t s = 0; s < size_; ++s) {
    if (beta_[s] == 0) continue;
    const float* row = matrix_.row(s, size_);
    for (std::size_t t = active_; t < size_; ++t) gradient_[t] -= beta_[s] * static_cast<double>(row[t]);
  }
  active_ = size_;
}

void Smo::swap(std::size_t s, std::size_t t) {
  if (s == t) return;
  matrix_.swap(s, t);
  std::swap(original_[s], original_[t]);
  for (auto* values : {&beta_, &lower_, &upper_, &gradient_, &diagonal_}) std::swap((*values)[s], (*values)[t]);
}

double Smo::rho() const {
  Threshold threshold;
  for (std::size_t t = 0; t < size_; ++t) threshold.add(beta_[t], lower_[t], upper_[t], gradient_[t]);
  return threshold.rho();
}

Solution Smo::solution(std::int64_t iterations, bool converged) const {
  Solution s;
  s.coefficients.resize(size_);
  for (std::size_t t = 0; t < size_; ++t) {
    s.coefficients[original_[t]] = beta_[t];
    s.objective -= beta_[t] * (sign(t) + gradient_[t]) / 2;
  }
  s.rho = rho();
  s.iterations = iterations;
  s.converged = converged;
  return s;
}

void check_problem(const KernelMatrix& matrix, std::span<const int> signs) {
  if (signs.size() != matrix.size())
    fail(ErrorKind::input, "signs: {} of them, expected {}, the size of the kernel matrix", signs.size(),
         matrix.size());
  const auto positive = std::count(signs.begin(), signs.end(), 1),
             negative = std::count(signs.begin(), signs.end(), -1);
  if (positive == 0 || negative == 0 || static_cast<std::size_t>(positive + negative) != signs.size())
    fail(ErrorKind::input, "signs: {} times +1 and {} times -1 in {}, expected only these two, each at least once",
         positive, negative, signs.size());
  for (std::size_t t = 0; t < signs.size(); ++t) check_diagonal(t, matrix.diagonal(t));
}

}  // namespace

void check_options(const SolverOptions& options) {
  if (!(options.c > 0) || !std::isfinite(options.c))
    fail(ErrorKind::usage, "C: {}, expected a number above 0; 1 is usual", options.c);
  if (!(options.tolerance > 0) || !std::isfinite(options.tolerance))
    fail(ErrorKind::usage, "tolerance: {}, expected a number above 0; 1e-3 is usual", options.tolerance);
}

void check_diagonal(std::size_t index, double value) {
  if (!std::isfinite(value))
    fail(ErrorKind::input, "kernel of row {} with itself: {}, expected a finite number; scale the features down", index,
         value);
}

std::int64_t iteration_limit(std::size_t n) {
  return std::max<std::int64_t>(10'000'000, 100 * static_cast<std::int64_t>(n));
}

Solution solve(KernelMatrix& matrix, std::span<const int> signs, const SolverOptions& options) {
  check_options(options);
  check_problem(matrix, signs);
  return Smo(matrix, signs, options).run();
}

}  // namespace wajah::svm
