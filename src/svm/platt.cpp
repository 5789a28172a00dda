#include <wajah/svm/platt.hpp>

#include <wajah/error.hpp>

#include <algorithm>
#include <cmath>

namespace wajah::svm {
namespace {

// -log likelihood of one decision value: t log(p) + (1 - t) log(1 - p), with z = a f + b, written so that exp never
// overflows and no difference cancels (section 3 of the note).
double loss_term(double target, double z) {
  return z >= 0 ? target * z + std::log1p(std::exp(-z)) : (target - 1) * z + std::log1p(std::exp(z));
}

struct Targets {
  std::span<const double> decisions;
  std::vector<double> values;

  [[nodiscard]] double loss(const Sigmoid& s) const {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += loss_term(values[i], s.a * decisions[i] + s.b);
    return sum;
  }
};

// Gradient and Hessian of the loss.
struct Derivatives {
  double a = 0, b = 0, aa = 1e-12, ab = 0, bb = 1e-12;  // the ridge keeps the Hessian positive definite
};

Derivatives derivatives(const Targets& targets, const Sigmoid& s) {
  Derivatives d;
  for (std::size_t i = 0; i < targets.values.size(); ++i) {
    const double f = targets.decisions[i], p = s(f);
    const double slope = targets.values[i] - p, curvature = p * (1 - p);
    d.a += f * slope;
    d.b += slope;
    d.aa += f * f * curvature;
    d.ab += f * curvature;
    d.bb += curvature;
  }
  return d;
}

double positives(std::span<const int> signs) {
  return static_cast<double>(std::count_if(signs.begin(), signs.end(), [](int s) { return s > 0; }));
}

double negatives(std::span<const int> signs) { return static_cast<double>(signs.size()) - positives(signs); }

// Where the search starts: the sigmoid that says each class's target of its mean value, or, where the values of a class
// lie far apart, that of two normal distributions, which is flatter. Two steps from the end, where libsvm's start, the
// sigmoid that knows the class sizes only, is five; this one has to do where means tell nothing.
Sigmoid near_the_end(std::span<const double> decisions, std::span<const int> signs) {
  const double positive = positives(signs), negative = negatives(signs);
  const double high = std::log(positive + 1), low = std::log(negative + 1);
  double above = 0, below = 0, spread = 0;
  for (std::size_t i = 0; i < signs.size(); ++i) (signs[i] > 0 ? above : below) += decisions[i];
  above /= positive;
  below /= negative;
  for (std::size_t i = 0; i < signs.size(); ++i) {
    const double off = decisions[i] - (signs[i] > 0 ? above : below);
    spread += off * off;
  }
  const double apart = above - below, normal = apart * static_cast<double>(signs.size()) / spread;
  const double a = -std::min(normal, (high + low) / apart), b = (low - high) / 2 - a * (above + below) / 2;
  return apart > 0 && std::isfinite(b) ? Sigmoid{a, b} : Sigmoid{0, low - high};
}

Targets platt_targets(std::span<const double> decisions, std::span<const int> signs) {
  const double high = (positives(signs) + 1) / (positives(signs) + 2), low = 1 / (negatives(signs) + 2);
  Targets targets{decisions, {}};
  for (const int s : signs) targets.values.push_back(s > 0 ? high : low);
  return targets;
}

struct Fit {
  Sigmoid sigmoid;
  double loss = 0;
};

// Moves along Newton's direction, halving the step until the loss falls enough (Armijo); false when no step of use is
// left, which at the minimum rounding brings about.
bool newton_step(const Targets& targets, const Derivatives& d, Fit& fit) {
  constexpr double least_step = 1e-10, sufficient = 1e-4;
  const double determinant = d.aa * d.bb - d.ab * d.ab;
  const double da = (d.ab * d.b - d.bb * d.a) / determinant, db = (d.ab * d.a - d.aa * d.b) / determinant;
  const double descent = d.a * da + d.b * db;
  for (double step = 1; step >= least_step; step /= 2) {
    const Sigmoid next{fit.sigmoid.a + step * da, fit.sigmoid.b + step * db};
    const double loss = targets.loss(next);
    if (loss < fit.loss + sufficient * step * descent) {
      fit = {next, loss};
      return true;
    }
  }
  return false;
}

void check(std::span<const double> decisions, std::span<const int> signs) {
  if (decisions.size() != signs.size())
    fail(ErrorKind::input, "sigmoid: {} signs, expected {}, one for every decision value", signs.size(),
         decisions.size());
  for (std::size_t i = 0; i < decisions.size(); ++i)
    if (!std::isfinite(decisions[i]))
      fail(ErrorKind::input, "sigmoid: decision value {} is {}, expected a finite number", i, decisions[i]);
}

// p^T Q p and Q p for the quadratic form of the pairwise probabilities.
class Coupling {
 public:
  Coupling(std::span<const double> r, std::size_t k) : k_(k), q_(k * k), p_(k, 1 / static_cast<double>(k)), qp_(k) {
    for (std::size_t t = 0; t < k; ++t)
      for (std::size_t j = 0; j < k; ++j) {
        if (j == t) continue;
        q_[t * k + t] += r[j * k + t] * r[j * k + t];
        q_[t * k + j] = -r[j * k + t] * r[t * k + j];
      }
  }

  std::vector<double> run() {
    const double tolerance = 0.005 / static_cast<double>(k_);
    const std::size_t rounds = std::max<std::size_t>(100, k_);
    for (std::size_t round = 0; round < rounds; ++round) {
      if (refresh() < tolerance) break;
      for (std::size_t t = 0; t < k_; ++t) update(t);
    }
    return p_;
  }

 private:
  // Computes Q p and p'Q p anew, since update() lets them drift; gives how far p is from optimal, where (Q p)_t = p'Q
  // p.
  double refresh() {
    pqp_ = 0;
    for (std::size_t t = 0; t < k_; ++t) {
      qp_[t] = 0;
      for (std::size_t j = 0; j < k_; ++j) qp_[t] += q_[t * k_ + j] * p_[j];
      pqp_ += p_[t] * qp_[t];
    }
    double error = 0;
    for (const double value : qp_) error = std::max(error, std::abs(value - pqp_));
    return error;
  }

  // Solves row t for p_t and scales p to sum 1 again.
  void update(std::size_t t) {
    const double* row = &q_[t * k_];
    const double change = (pqp_ - qp_[t]) / row[t], scale = 1 / (1 + change);
    p_[t] += change;
    pqp_ = (pqp_ + change * (change * row[t] + 2 * qp_[t])) * scale * scale;
    for (std::size_t j = 0; j < k_; ++j) {
      qp_[j] = (qp_[j] + change * row[j]) * scale;
      p_[j] *= scale;
    }
  }

  std::size_t k_;
  std::vector<double> q_, p_, qp_;
  double pqp_ = 0;
};

}  // namespace

double Sigmoid::operator()(double f) const {
  const double z = a * f + b;
  if (z < 0) return 1 / (1 + std::exp(z));
  const double e = std::exp(-z);
  return e / (1 + e);
}

Sigmoid fit_sigmoid(std::span<const double> decisions, std::span<const int> signs) {
  constexpr int rounds = 100;
  constexpr double gradient_tolerance = 1e-7;
  check(decisions, signs);
  const Targets targets = platt_targets(decisions, signs);
  Fit fit{near_the_end(decisions, signs), 0};
  fit.loss = targets.loss(fit.sigmoid);
  for (int round = 0; round < rounds; ++round) {
    const Derivatives d = derivatives(targets, fit.sigmoid);
    if (std::abs(d.a) < gradient_tolerance && std::abs(d.b) < gradient_tolerance) break;
    if (!newton_step(targets, d, fit)) break;
  }
  return fit.sigmoid;
}

std::vector<double> couple(std::span<const double> pairwise, std::size_t k) {
  if (k == 0 || pairwise.size() % k != 0 || pairwise.size() / k != k)
    fail(ErrorKind::input, "pairwise probabilities: {} values, expected {} x {}", pairwise.size(), k, k);
  if (k == 1) return {1.0};
  if (k == 2) return {pairwise[1], pairwise[2]};
  return Coupling(pairwise, k).run();
}

}  // namespace wajah::svm
