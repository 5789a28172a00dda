#include <wajah/svm/solver.hpp>

#include <wajah/error.hpp>

#include "svm/data.hpp"

#include <doctest/doctest.h>

using namespace wajah;
using namespace wajah::svm;
using namespace wajah::svm::test;

namespace {

struct Binary {
  std::vector<float> gram;
  std::vector<int> signs;

  [[nodiscard]] double k(std::size_t s, std::size_t t) const { return static_cast<double>(gram[s * signs.size() + t]); }
  [[nodiscard]] Solution solve(const SolverOptions& options) const {
    GramMatrix matrix(gram, signs.size());
    return svm::solve(matrix, signs, options);
  }
};

Binary random_problem(std::size_t n, const Kernel& kernel, double noise, unsigned seed) {
  constexpr int labels[] = {1, -1};
  Data data = blobs(labels, (n + 1) / 2, 6, noise, seed);
  data.y.resize(n);
  data.x.resize(n * data.d);
  Binary binary{std::vector<float>(n * n), data.y};
  gram(Cpu(1), kernel, rows_of(data.x, data.d), rows_of(data.x, data.d), binary.gram.data(), n);
  return binary;
}

// Signed gradient of every variable: sign - K beta. Optimal is: all that may rise below all that may fall.
std::vector<double> gradient(const Binary& p, const std::vector<double>& beta) {
  std::vector<double> g(beta.size());
  for (std::size_t t = 0; t < g.size(); ++t) {
    g[t] = p.signs[t];
    for (std::size_t s = 0; s < g.size(); ++s) g[t] -= beta[s] * p.k(s, t);
  }
  return g;
}

double violation(const Binary& p, const std::vector<double>& beta, double c) {
  const auto g = gradient(p, beta);
  double rise = -INFINITY, fall = INFINITY;
  for (std::size_t t = 0; t < g.size(); ++t) {
    if (beta[t] < (p.signs[t] > 0 ? c : 0)) rise = std::max(rise, g[t]);
    if (beta[t] > (p.signs[t] > 0 ? 0 : -c)) fall = std::min(fall, g[t]);
  }
  return rise - fall;
}

double objective(const Binary& p, const std::vector<double>& beta) {
  const auto g = gradient(p, beta);
  double sum = 0;
  for (std::size_t t = 0; t < g.size(); ++t) sum -= beta[t] * (p.signs[t] + g[t]) / 2;
  return sum;
}

// The nearest point with bounds and zero sum: clip(v - shift), the shift found by bisection.
std::vector<double> project(const Binary& p, const std::vector<double>& v, double c) {
  const auto at = [&](double shift) {
    std::vector<double> out(v.size());
    for (std::size_t t = 0; t < v.size(); ++t)
      out[t] = std::clamp(v[t] - shift, p.signs[t] > 0 ? 0 : -c, p.signs[t] > 0 ? c : 0);
    return out;
  };
  double low = -1e6, high = 1e6;
  for (int i = 0; i < 120; ++i) {
    const double middle = (low + high) / 2;
    double sum = 0;
    for (const double b : at(middle)) sum += b;
    (sum > 0 ? low : high) = middle;
  }
  return at(high);
}

// A slow solver that shares nothing with SMO: accelerated projected gradient (Beck and Teboulle, 2009).
std::vector<double> reference(const Binary& p, double c) {
  double lipschitz = 0;
  for (std::size_t t = 0; t < p.signs.size(); ++t) lipschitz += p.k(t, t);
  std::vector<double> beta(p.signs.size(), 0.0), ahead = beta;
  double momentum = 1;
  for (int round = 0; round < 6000; ++round) {
    auto target = gradient(p, ahead);
    for (std::size_t t = 0; t < target.size(); ++t) target[t] = ahead[t] + target[t] / lipschitz;
    const auto next = project(p, target, c);
    const double faster = (1 + std::sqrt(1 + 4 * momentum * momentum)) / 2;
    for (std::size_t t = 0; t < next.size(); ++t) ahead[t] = next[t] + (momentum - 1) / faster * (next[t] - beta[t]);
    beta = next;
    momentum = faster;
  }
  return beta;
}

}  // namespace

TEST_CASE("a solution meets the optimality conditions to the tolerance") {
  for (const std::size_t n : {2, 3, 12, 15, 16, 17, 31, 127, 128, 300})
    for (const double c : {0.01, 1.0, 100.0})
      for (const Kernel& kernel : {Kernel{}, Kernel{KernelKind::rbf, 2}})
        for (const bool shrinking : {true, false}) {
          const Binary p = random_problem(n, kernel, 1.5, static_cast<unsigned>(n));
          const Solution s = p.solve({c, 1e-4, shrinking});
          CAPTURE(n);
          CAPTURE(c);
          CAPTURE(shrinking);
          CHECK(s.converged);
          CHECK(violation(p, s.coefficients, c) < 1e-4 + 1e-9);
          double sum = 0;
          for (std::size_t t = 0; t < n; ++t) {
            sum += s.coefficients[t];
            CHECK(s.coefficients[t] * p.signs[t] >= 0);
            CHECK(s.coefficients[t] * p.signs[t] <= c);
          }
          CHECK(std::abs(sum) < 1e-10 * c * static_cast<double>(n));
          CHECK(s.objective == doctest::Approx(objective(p, s.coefficients)).epsilon(1e-9));
        }
}

TEST_CASE("a solution is as good as that of a slow solver of another kind") {
  for (const std::size_t n : {2, 3, 9, 16, 25})
    for (const double c : {0.1, 1.0, 10.0})
      for (const Kernel& kernel : {Kernel{}, Kernel{KernelKind::rbf, 2}}) {
        const Binary p = random_problem(n, kernel, 1.5, 100 + static_cast<unsigned>(n));
        const Solution s = p.solve({c, 1e-8, true});
        const auto beta = reference(p, c);
        CAPTURE(n);
        CAPTURE(c);
        CHECK(s.objective == doctest::Approx(objective(p, beta)).epsilon(1e-5));
        CHECK(s.objective <= objective(p, beta) + 1e-7);
        // Coefficients of a singular kernel are not unique, decision values without rho are.
        const auto got = gradient(p, s.coefficients), expected = gradient(p, beta);
        CHECK(worst(got, expected) < 5e-3);
      }
}

TEST_CASE("rho puts the points of the margin at decision values +1 and -1") {
  const Binary p = random_problem(60, Kernel{KernelKind::rbf, 1}, 1.2, 5);
  const Solution s = p.solve({1, 1e-9, true});
  const auto g = gradient(p, s.coefficients);
  int free = 0;
  for (std::size_t t = 0; t < g.size(); ++t) {
    const double alpha = std::abs(s.coefficients[t]);
    const double decision = p.signs[t] - g[t] - s.rho;
    if (alpha == 0) CHECK(decision * p.signs[t] > 1 - 1e-6);
    if (alpha == 1) CHECK(decision * p.signs[t] < 1 + 1e-6);
    if (alpha == 0 || alpha == 1) continue;
    ++free;
    CHECK(decision * p.signs[t] == doctest::Approx(1).epsilon(1e-6));
  }
  CHECK(free > 0);
}

TEST_CASE("a coefficient that reaches its bound is the bound itself, not a rounding beside it") {
  int at_bound = 0;
  for (const double c : {0.1, 0.3, 1.0 / 3, 0.7}) {
    const Binary p = random_problem(101, Kernel{}, 2.5, 8);
    for (const double b : p.solve({c, 1e-6, true}).coefficients) {
      CHECK((b == 0 || std::abs(b) > 1e-12));
      CHECK((std::abs(b) == c || std::abs(b) < c * (1 - 1e-12)));
      at_bound += std::abs(b) == c;
    }
  }
  CHECK(at_bound > 50);
}

TEST_CASE("shrinking changes the time, not the result") {
  for (const unsigned seed : {1U, 2U, 3U}) {
    const Binary p = random_problem(1500, Kernel{KernelKind::rbf, 1}, 2, seed);
    const Solution with = p.solve({10, 1e-5, true}), without = p.solve({10, 1e-5, false});
    CHECK(violation(p, with.coefficients, 10) < 1e-5 + 1e-8);
    CHECK(with.objective == doctest::Approx(without.objective).epsilon(1e-8));
    CHECK(with.rho == doctest::Approx(without.rho).epsilon(1e-3));
  }
}

TEST_CASE("two points: the solution in closed form") {
  // Points at +a and -a: alpha = min(c, 2 / |2a|^2), f(x) = 2 alpha a x, rho = 0.
  for (const float a : {0.5F, 1.0F, 4.0F})
    for (const double c : {0.01, 1.0, 100.0}) {
      const Binary p{{a * a, -a * a, -a * a, a * a}, {1, -1}};
      const Solution s = p.solve({c, 1e-9, true});
      const double alpha = std::min(c, 0.5 / static_cast<double>(a * a));
      CHECK(s.coefficients[0] == doctest::Approx(alpha));
      CHECK(s.coefficients[1] == doctest::Approx(-alpha));
      CHECK(std::abs(s.rho) < 1e-12);
      CHECK(s.objective == doctest::Approx(2 * alpha * alpha * static_cast<double>(a * a) - 2 * alpha));
    }
}

TEST_CASE("points that are all the same are solved: every alpha at its bound, the larger class wins") {
  const Binary p{std::vector<float>(25, 2.0F), {1, -1, 1, -1, 1}};
  const Solution s = p.solve({1, 1e-3, true});
  CHECK(s.converged);
  double value = -s.rho, sum = 0;
  for (const double b : s.coefficients) {
    value += 2 * b;
    sum += b;
  }
  CHECK(std::abs(sum) < 1e-12);
  CHECK(value == doctest::Approx(1));
}

TEST_CASE("a point with both labels and a kernel of rank zero end") {
  const Binary zeros{std::vector<float>(16, 0.0F), {1, 1, -1, -1}};
  const Solution s = zeros.solve({5, 1e-3, true});
  CHECK(s.converged);
  for (const double b : s.coefficients) CHECK(std::abs(b) == 5);
  CHECK(s.rho == 0);
}

TEST_CASE("options and signs out of range are refused") {
  const Binary p = random_problem(4, Kernel{}, 1, 1);
  const auto refused = [&](const SolverOptions& options, const char* message) {
    CHECK_THROWS_WITH_AS((void)p.solve(options), message, Error);
  };
  refused({0, 1e-3, true}, "C: 0, expected a number above 0; 1 is usual");
  refused({-1, 1e-3, true}, "C: -1, expected a number above 0; 1 is usual");
  refused({INFINITY, 1e-3, true}, "C: inf, expected a number above 0; 1 is usual");
  refused({NAN, 1e-3, true}, "C: nan, expected a number above 0; 1 is usual");
  refused({1, 0, true}, "tolerance: 0, expected a number above 0; 1e-3 is usual");

  const auto with_signs = [&](std::vector<int> signs, const char* message) {
    GramMatrix matrix(p.gram, 4);
    CHECK_THROWS_WITH_AS((void)solve(matrix, signs, {}), message, Error);
  };
  with_signs({1, -1}, "signs: 2 of them, expected 4, the size of the kernel matrix");
  with_signs({1, 1, 1, 1}, "signs: 4 times +1 and 0 times -1 in 4, expected only these two, each at least once");
  with_signs({1, -1, 0, 1}, "signs: 2 times +1 and 1 times -1 in 4, expected only these two, each at least once");

  GramMatrix overflowed(std::vector<float>(4, INFINITY), 2);
  const std::vector<int> signs{1, -1};
  CHECK_THROWS_WITH_AS((void)solve(overflowed, signs, {}),
                       "kernel of row 0 with itself: inf, expected a finite number; scale the features down", Error);
}
