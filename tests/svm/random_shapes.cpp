// The kernels behind training on problems of random sizes, bounds and overlap, between pages that must not be touched:
// solve_pair and fit_sigmoid against their plain forms, solve_pairs, complete_pair and start_pairs against
// what must hold of them.
#include "random_shapes.hpp"

#include <wajah/svm/kernel.hpp>
#include <wajah/svm/platt.hpp>
#include <wajah/svm/solve_pair.hpp>
#include <wajah/svm/solver.hpp>

#include "svm/data.hpp"
#include "svm/guarded_job.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

using namespace wajah;
using namespace wajah::svm;
using namespace wajah::svm::test;

namespace {

struct Signs {
  Signs(Draw& draw, int most) : n(draw.between(2, most)), first(draw.between(1, n - 1)) {}
  [[nodiscard]] std::vector<int> values() const {
    std::vector<int> signs(static_cast<std::size_t>(n), -1);
    std::fill_n(signs.begin(), first, 1);
    return signs;
  }

  int n, first;
};

// n rows around two centres, and their dot products, dense.
std::vector<float> dense_gram(Draw& draw, const Signs& signs) {
  const int labels[] = {0};
  const auto n = static_cast<std::size_t>(signs.n), d = static_cast<std::size_t>(draw.up_to(40));
  Data rows = blobs(labels, n, d, 1.5, static_cast<unsigned>(draw.random()()));
  const float apart = draw.one_of({0.0F, 0.5F, 3.0F});
  for (std::size_t t = 0; t < static_cast<std::size_t>(signs.first); ++t) rows.x[t * d] += apart;
  std::vector<float> values(n * n);
  gram(Cpu(1, Isa::scalar), Kernel{}, rows_of(rows.x, d), rows_of(rows.x, d), values.data(), n);
  return values;
}

// The arrays of one call of solve_pair.
class GuardedPair {
 public:
  GuardedPair(const std::vector<float>& dense, const Signs& signs, double c, Touch touch)
      : n_(signs.n),
        padded_((signs.n + 7) / 8 * 8),
        gram_({n_, 1, 1, padded_}, 0, touch),
        doubles_{room(touch), room(touch), room(touch), room(touch)} {
    for (int s = 0; s < n_; ++s) {
      for (int t = 0; t < padded_; ++t) gram_.view().data[s * padded_ + t] = t < n_ ? dense[at(s, t)] : 0;
    }
    for (int t = 0; t < padded_; ++t) {
      const bool one = t < signs.first, other = !one && t < n_;
      array(0)[t] = other ? -c : 0;
      array(1)[t] = one ? c : 0;
      array(2)[t] = 0;
      array(3)[t] = one ? 1 : -1;
    }
  }

  // How many steps it took.
  long long solve(const Cpu& cpu, double tolerance, long long limit) {
    long long steps = 0;
    solve_pair(cpu, {gram_.view().data, padded_, n_, padded_, tolerance, limit, array(0), array(1), array(2), array(3),
                     &steps});
    return steps;
  }
  [[nodiscard]] std::span<const double> beta() const { return {array(2), static_cast<std::size_t>(n_)}; }
  [[nodiscard]] std::span<const double> gradient() const { return {array(3), static_cast<std::size_t>(n_)}; }

 private:
  [[nodiscard]] std::size_t at(int s, int t) const { return static_cast<std::size_t>(s * n_ + t); }
  [[nodiscard]] GuardedMap room(Touch touch) const { return GuardedMap({1, 1, 1, 2 * padded_}, 0, touch); }
  [[nodiscard]] double* array(std::size_t i) const { return reinterpret_cast<double*>(doubles_[i].view().data); }

  int n_, padded_;
  GuardedMap gram_;
  std::array<GuardedMap, 4> doubles_;  // lower, upper, beta, gradient
};

double objective(std::span<const double> beta, std::span<const double> gradient, const std::vector<int>& signs) {
  double sum = 0;
  for (std::size_t t = 0; t < beta.size(); ++t) sum -= beta[t] * (signs[t] + gradient[t]) / 2;
  return sum;
}

}  // namespace

TEST_CASE("solve_pair: random shapes") {
  Draw draw(31);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Signs signs(draw, draw.chance() ? 40 : 256);
    const std::vector<float> dense = dense_gram(draw, signs);
    const double c = draw.one_of({0.05, 1.0, 30.0});
    const double tolerance = c <= 1 ? 1e-5 : 1e-3;  // finer than the roundings of dot products it may never end
    const long long limit = iteration_limit(static_cast<std::size_t>(signs.n));
    GramMatrix matrix(dense, static_cast<std::size_t>(signs.n));
    const Solution plain = solve(matrix, signs.values(), {c, tolerance, false});
    const Touch touch = draw.touch();
    std::optional<std::vector<double>> fused;  // AVX2 and AVX-512 agree to the bit
    for_each_isa(draw, [&](const Cpu& cpu, const std::string& name) {
      CAPTURE(name);
      CAPTURE(signs.n);
      CAPTURE(signs.first);
      CAPTURE(c);
      GuardedPair pair(dense, signs, c, touch);
      CHECK((pair.solve(cpu, tolerance, limit) < limit) == plain.converged);
      double sum = 0;
      for (const double beta : pair.beta()) {
        sum += beta;
        CHECK(std::abs(beta) <= c);
      }
      CHECK(std::abs(sum) < 1e-12 * c * signs.n);
      CHECK(objective(pair.beta(), pair.gradient(), signs.values()) ==
            doctest::Approx(plain.objective).epsilon(tolerance).scale(c));
      if (cpu.isa() == Isa::scalar) return;
      if (!fused) fused.emplace(pair.beta().begin(), pair.beta().end());
      CHECK(std::equal(fused->begin(), fused->end(), pair.beta().begin()));
    });
  }
}

TEST_CASE("solve_pairs, complete_pair: random shapes") {
  Draw draw(32);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Signs signs(draw, 64);
    const JobShape jobs{signs.n, signs.first, draw.up_to(9), draw.one_of({0.05, 1.0, 30.0}), draw.chance()};
    const auto seed = draw.random()();
    for_each_isa(draw, [&](const Cpu& cpu, const std::string& name) {
      CAPTURE(name);
      std::mt19937 same(static_cast<unsigned>(seed));
      check_jobs(cpu, jobs, same);
    });
  }
}

TEST_CASE("start_pairs: random shapes") {
  Draw draw(34);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Signs signs(draw, 64);
    const JobShape jobs{
        signs.n, signs.first, draw.up_to(18), draw.one_of({0.05, 1.0, 30.0}), true, draw.chance() ? 9U : 128U};
    const auto seed = draw.random()();
    for_each_isa(draw, [&](const Cpu& cpu, const std::string& name) {
      CAPTURE(name);
      std::mt19937 same(static_cast<unsigned>(seed));
      check_starts(cpu, jobs, same);
    });
  }
}

TEST_CASE("fit_sigmoid: random shapes") {
  Draw draw(33);
  std::normal_distribution<double> normal;
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Signs signs(draw, 256);
    const double apart = draw.one_of({-1.0, 0.0, 0.2, 0.7, 3.0, 40.0, 1e4});
    GuardedMap room({1, 1, 1, 2 * signs.n}, 0, draw.touch());
    const std::span decisions(reinterpret_cast<double*>(room.view().data), static_cast<std::size_t>(signs.n));
    const std::vector<int> values = signs.values();
    for (std::size_t t = 0; t < decisions.size(); ++t) decisions[t] = normal(draw.random()) + apart * values[t];
    const Sigmoid expected = svm::fit_sigmoid(decisions, values);
    for_each_isa(draw, [&](const Cpu& cpu, const std::string& name) {
      CAPTURE(name);
      CAPTURE(signs.n);
      CAPTURE(signs.first);
      CAPTURE(apart);
      Sigmoid got;
      wajah::fit_sigmoid(cpu, {decisions.data(), signs.n, signs.first, &got.a, &got.b});
      for (const double f : {-50.0, -1.0, 0.0, 0.3, 2.0, 1000.0}) {
        CHECK(got(f) == doctest::Approx(expected(f)).epsilon(1e-6));
      }
    });
  }
}
