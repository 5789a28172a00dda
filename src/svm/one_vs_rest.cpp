#include <wajah/svm/one_vs_rest.hpp>

#include "parallel.hpp"

#include <wajah/svm/kernel.hpp>
#include <wajah/svm/solver.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <utility>

namespace wajah::svm {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::size_t lanes = 8;  // independent sums, which the compiler may vectorise

double dot(std::span<const float> x, const double* w) {
  double part[lanes] = {};
  std::size_t k = 0;
  for (; k + lanes <= x.size(); k += lanes)
    for (std::size_t l = 0; l < lanes; ++l) part[l] += static_cast<double>(x[k + l]) * w[k + l];
  for (std::size_t l = 0; k + l < x.size(); ++l) part[l] += static_cast<double>(x[k + l]) * w[k + l];
  for (std::size_t width = lanes / 2; width > 0; width /= 2)
    for (std::size_t l = 0; l < width; ++l) part[l] += part[l + width];
  return part[0];
}

void add_scaled(std::span<const float> x, double scale, double* w) {
  for (std::size_t k = 0; k < x.size(); ++k) w[k] += scale * static_cast<double>(x[k]);
}

// One class against the rest: min over 0 <= alpha <= upper of 1/2 a'(Q + D)a - sum of a, coordinate by coordinate, with
// w = sum of sign_t alpha_t x_t kept up to date. D makes the squared hinge of the plain one.
class Descent {
 public:
  Descent(const Problem& problem, std::span<const double> lengths, const OneVsRestOptions& options, int label)
      : problem_(problem),
        lengths_(lengths),
        options_(options),
        label_(label),
        ridge_(options.loss == Loss::squared_hinge ? 0.5 / options.c : 0),
        upper_(options.loss == Loss::squared_hinge ? infinity : options.c),
        alpha_(problem.rows(), 0.0),
        active_(problem.rows()),
        weights_(problem.dimensions(), 0.0) {
    std::iota(active_.begin(), active_.end(), std::size_t{0});
  }

  // Whether the tolerance was reached.
  bool run() {
    std::size_t live = active_.size();
    for (int pass = 0; pass < options_.max_passes; ++pass) {
      const Range seen = sweep(live);
      if (seen.high - seen.low > options_.tolerance) {
        // Only what lies beyond the last pass's extremes is settled; an extreme on the wrong side of 0 says nothing.
        allowed_ = {seen.low < 0 ? seen.low : -infinity, seen.high > 0 ? seen.high : infinity};
        continue;
      }
      if (live == active_.size()) return true;
      live = active_.size();
      allowed_ = {-infinity, infinity};
    }
    return false;
  }

  [[nodiscard]] std::span<const double> weights() const { return weights_; }
  [[nodiscard]] double bias_weight() const { return bias_weight_; }

 private:
  struct Range {
    double low, high;  // of projected gradients
  };

  // Visits the first `live` active rows in random order, moving settled ones behind them.
  Range sweep(std::size_t& live) {
    for (std::size_t s = 0; s + 1 < live; ++s) std::swap(active_[s], active_[s + random_() % (live - s)]);
    Range seen{infinity, -infinity};
    for (std::size_t s = 0; s < live;) {
      const std::size_t t = active_[s];
      const double slope = gradient(t);
      if (settled(t, slope)) {
        std::swap(active_[s], active_[--live]);
        continue;
      }
      const double projected = alpha_[t] <= 0        ? std::min(slope, 0.0)
                               : alpha_[t] >= upper_ ? std::max(slope, 0.0)
                                                     : slope;
      seen = {std::min(seen.low, projected), std::max(seen.high, projected)};
      if (std::abs(projected) > 1e-12) update(t, slope);
      ++s;
    }
    // Nothing left to visit: nothing was violated.
    return live == 0 ? Range{0, 0} : seen;
  }

  [[nodiscard]] double sign(std::size_t t) const { return problem_.labels()[t] == label_ ? 1.0 : -1.0; }

  [[nodiscard]] double gradient(std::size_t t) const {
    const double f = dot(problem_.row(t), weights_.data()) + bias_weight_ * options_.bias;
    return sign(t) * f - 1 + ridge_ * alpha_[t];
  }

  [[nodiscard]] bool settled(std::size_t t, double slope) const {
    return (alpha_[t] <= 0 && slope > allowed_.high) || (alpha_[t] >= upper_ && slope < allowed_.low);
  }

  void update(std::size_t t, double slope) {
    const double before = alpha_[t];
    alpha_[t] = std::clamp(before - slope / (lengths_[t] + ridge_), 0.0, upper_);
    const double change = (alpha_[t] - before) * sign(t);
    add_scaled(problem_.row(t), change, weights_.data());
    bias_weight_ += change * options_.bias;
  }

  const Problem& problem_;
  std::span<const double> lengths_;  // squared, with the bias feature
  const OneVsRestOptions& options_;
  int label_;
  double ridge_, upper_;
  std::vector<double> alpha_;
  std::vector<std::size_t> active_;
  std::vector<double> weights_;
  double bias_weight_ = 0;
  Range allowed_{-infinity, infinity};
  std::minstd_rand random_{1};  // its sequence is the same everywhere, and the same for every class
};

void check(const OneVsRestOptions& options) {
  check_options(SolverOptions{options.c, options.tolerance});
  if (!std::isfinite(options.bias)) fail(ErrorKind::usage, "bias: {}, expected a finite number", options.bias);
  if (options.max_passes < 1) fail(ErrorKind::usage, "passes: at most {}, expected 1 or more", options.max_passes);
}

std::vector<double> squared_lengths(const Problem& problem, double bias) {
  std::vector<double> lengths;
  for (std::size_t t = 0; t < problem.rows(); ++t) {
    double sum = bias * bias;
    for (const float v : problem.row(t)) sum += static_cast<double>(v) * static_cast<double>(v);
    lengths.push_back(sum);
  }
  return lengths;
}

}  // namespace

OneVsRest OneVsRest::train(const Problem& problem, const OneVsRestOptions& options) {
  check(options);
  OneVsRest machine;
  machine.dimensions_ = problem.dimensions();
  for (const Group& group : problem.groups()) machine.labels_.push_back(group.label);
  const std::size_t k = machine.labels_.size(), d = machine.dimensions_;
  machine.weights_.resize(k * d);
  machine.intercepts_.resize(k);
  if (k == 1) return machine;
  const auto lengths = squared_lengths(problem, options.bias);
  std::atomic<std::size_t> unconverged{0};
  for_each_index(resolve_threads(options.threads), k, [&](std::size_t c) {
    Descent descent(problem, lengths, options, machine.labels_[c]);
    if (!descent.run()) ++unconverged;
    std::transform(descent.weights().begin(), descent.weights().end(), machine.weights_.data() + c * d,
                   [](double w) { return static_cast<float>(w); });
    machine.intercepts_[c] = descent.bias_weight() * options.bias;
  });
  machine.unconverged_ = unconverged;
  return machine;
}

std::vector<double> OneVsRest::scores(std::span<const float> x) const {
  check_row(x, dimensions_);
  std::vector<double> scores(intercepts_);
  const Kernel linear{};
  for (std::size_t c = 0; c < scores.size(); ++c) scores[c] += linear(weights(c).data(), x.data(), dimensions_);
  return scores;
}

int OneVsRest::predict(std::span<const float> x) const {
  const auto s = scores(x);
  return labels_[static_cast<std::size_t>(std::max_element(s.begin(), s.end()) - s.begin())];
}

}  // namespace wajah::svm
