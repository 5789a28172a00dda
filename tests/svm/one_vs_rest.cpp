#include <wajah/svm/one_vs_rest.hpp>

#include <wajah/error.hpp>
#include <wajah/svm/solver.hpp>

#include "svm/data.hpp"

#include <doctest/doctest.h>

using namespace wajah;
using namespace wajah::svm;
using namespace wajah::svm::test;

namespace {

constexpr int four[] = {8, -2, 5, 0};

// What class c's machine minimises: 1/2 |(w, b / bias)|^2 + c * losses.
double primal(const OneVsRest& m, std::size_t c, const Data& data, const OneVsRestOptions& o) {
  double value = 0;
  for (const float w : m.weights(c)) value += static_cast<double>(w) * static_cast<double>(w) / 2;
  if (o.bias != 0) value += std::pow(m.intercept(c) / o.bias, 2) / 2;
  for (std::size_t r = 0; r < data.rows(); ++r) {
    const double sign = data.y[r] == m.labels()[c] ? 1 : -1;
    const double loss = std::max(0.0, 1 - sign * m.scores(data.row(r))[c]);
    value += o.c * (o.loss == Loss::hinge ? loss : loss * loss);
  }
  return value;
}

// The minimum, from the other side: projected gradient ascent on the dual, where every value is a lower bound.
double dual(std::size_t c, const Data& data, const OneVsRestOptions& o, std::span<const int> labels) {
  const std::size_t n = data.rows();
  std::vector<double> q(n * n), alpha(n), ahead(n);
  double lipschitz = 0, momentum = 1;
  for (std::size_t s = 0; s < n; ++s)
    for (std::size_t t = 0; t < n; ++t) {
      double dot = o.bias * o.bias;
      for (std::size_t i = 0; i < data.d; ++i)
        dot += static_cast<double>(data.row(s)[i]) * static_cast<double>(data.row(t)[i]);
      q[s * n + t] = (data.y[s] == labels[c]) == (data.y[t] == labels[c]) ? dot : -dot;
      if (s == t && o.loss == Loss::squared_hinge) q[s * n + t] += 0.5 / o.c;
      if (s == t) lipschitz += q[s * n + t];
    }
  const auto slope = [&](const std::vector<double>& a, std::size_t s) {
    double g = 1;
    for (std::size_t t = 0; t < n; ++t) g -= q[s * n + t] * a[t];
    return g;
  };
  for (int round = 0; round < 4000; ++round) {
    std::vector<double> next(n);
    for (std::size_t s = 0; s < n; ++s)
      next[s] = std::clamp(ahead[s] + slope(ahead, s) / lipschitz, 0.0, o.loss == Loss::hinge ? o.c : 1e300);
    const double faster = (1 + std::sqrt(1 + 4 * momentum * momentum)) / 2;
    for (std::size_t s = 0; s < n; ++s) ahead[s] = next[s] + (momentum - 1) / faster * (next[s] - alpha[s]);
    alpha = next;
    momentum = faster;
  }
  double value = 0;
  for (std::size_t s = 0; s < n; ++s) value += alpha[s] * (1 + slope(alpha, s)) / 2;
  return value;
}

}  // namespace

TEST_CASE("one-vs-rest machines reach the minimum: the dual's bound from a slow solver of another kind") {
  const Data data = blobs(four, 8, 10, 1.5, 1);
  for (const Loss loss : {Loss::squared_hinge, Loss::hinge})
    for (const double c : {0.1, 1.0, 20.0})
      for (const double bias : {0.0, 1.0, 3.0}) {
        const OneVsRestOptions options{.c = c, .loss = loss, .tolerance = 1e-6, .bias = bias, .max_passes = 100000};
        const OneVsRest machine = OneVsRest::train(data.problem(), options);
        CHECK(machine.unconverged() == 0);
        for (std::size_t k = 0; k < 4; ++k) {
          const double high = primal(machine, k, data, options), low = dual(k, data, options, machine.labels());
          CAPTURE(c);
          CAPTURE(bias);
          CHECK(high >= low - 1e-4 * low);
          CHECK(high == doctest::Approx(low).epsilon(1e-3));
        }
      }
}

TEST_CASE("one-vs-rest with the plain hinge and no bias agrees with SMO where that has no rho") {
  // Every row and its mirror image with the other label: C-SVC's rho is then 0, and both solve the same problem.
  Data data = blobs(std::span(four).first(1), 20, 5, 1, 2);
  const Data half = data;
  for (const float v : half.x) data.x.push_back(-v);
  data.y.insert(data.y.end(), 20, -2);
  const OneVsRest machine =
      OneVsRest::train(data.problem(), {.c = 1, .loss = Loss::hinge, .tolerance = 1e-7, .bias = 0});
  std::vector<float> values(40 * 40);
  gram(Cpu(1), Kernel{}, rows_of(data.x, 5), rows_of(data.x, 5), values.data(), 40);
  std::vector<int> signs(40, 1);
  std::fill(signs.begin() + 20, signs.end(), -1);
  GramMatrix matrix(values, 40);
  const Solution s = solve(matrix, signs, {1, 1e-7, true});
  for (std::size_t r = 0; r < 40; ++r) {
    double f = 0;
    for (std::size_t t = 0; t < 40; ++t) f += s.coefficients[t] * static_cast<double>(values[t * 40 + r]);
    CHECK(machine.scores(data.row(r))[0] == doctest::Approx(f).epsilon(1e-4));
  }
}

TEST_CASE("one-vs-rest predicts, the same for any number of threads") {
  const Data data = blobs(four, 15, 40, 0.3, 3);
  OneVsRestOptions options;
  const OneVsRest machine = OneVsRest::train(data.problem(), options);
  CHECK(std::equal(machine.labels().begin(), machine.labels().end(), std::begin(four)));
  for (const int threads : {0, 3}) {
    options.threads = threads;
    const OneVsRest other = OneVsRest::train(data.problem(), options);
    for (std::size_t r = 0; r < data.rows(); ++r) CHECK(other.scores(data.row(r)) == machine.scores(data.row(r)));
  }
  for (std::size_t r = 0; r < data.rows(); ++r) CHECK(machine.predict(data.row(r)) == data.y[r]);
}

TEST_CASE("one-vs-rest of one class, of two, and of rows that are all zero") {
  const Data one = blobs(std::span(four).first(1), 3, 4, 1, 4);
  const OneVsRest single = OneVsRest::train(one.problem(), {});
  CHECK(single.predict(one.row(0)) == 8);
  CHECK(single.scores(one.row(0)) == std::vector<double>{0.0});

  const Data two = blobs(std::span(four).first(2), 5, 4, 0.2, 5);
  const OneVsRest pair = OneVsRest::train(two.problem(), {});
  CHECK(pair.scores(two.row(0)).size() == 2);
  CHECK(pair.predict(two.row(0)) == 8);
  CHECK(pair.predict(two.row(9)) == -2);

  const std::vector<float> zeros(6);
  const std::vector<int> y{1, 2, 2};
  for (const Loss loss : {Loss::squared_hinge, Loss::hinge})
    for (const double bias : {0.0, 1.0}) {
      const OneVsRest machine = OneVsRest::train(Problem(rows_of(zeros, 2), y), {.loss = loss, .bias = bias});
      CHECK(machine.unconverged() == 0);
      CHECK(machine.predict(std::vector<float>{1, 1}) == (bias == 0 ? 1 : 2));  // the larger class, or the first
    }
}

TEST_CASE("one-vs-rest tells of machines stopped early and refuses options out of range") {
  const Data data = blobs(four, 10, 3, 3, 6);
  CHECK(OneVsRest::train(data.problem(), {.c = 1000, .tolerance = 1e-9, .max_passes = 1}).unconverged() == 4);
  const auto refused = [&](const OneVsRestOptions& options, const char* message) {
    CHECK_THROWS_WITH_AS((void)OneVsRest::train(data.problem(), options), message, Error);
  };
  refused({.c = -1}, "C: -1, expected a number above 0; 1 is usual");
  refused({.tolerance = 0}, "tolerance: 0, expected a number above 0; 1e-3 is usual");
  refused({.bias = NAN}, "bias: nan, expected a finite number");
  refused({.max_passes = 0}, "passes: at most 0, expected 1 or more");
  refused({.threads = -1}, "threads: -1, expected 0 (all) or more");
  CHECK_THROWS_WITH_AS((void)OneVsRest::train(data.problem(), {}).scores(std::vector<float>(2)),
                       "features: 2 values, expected 3 as in training", Error);
}
