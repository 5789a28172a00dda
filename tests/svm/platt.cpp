#include <wajah/svm/platt.hpp>

#include <wajah/error.hpp>

#include "svm/data.hpp"

#include <doctest/doctest.h>

#include <numeric>

using namespace wajah;
using namespace wajah::svm;
using namespace wajah::svm::test;

namespace {

// Derivatives of the likelihood with Platt's targets, written out as in his paper.
std::pair<double, double> slopes(const Sigmoid& s, const std::vector<double>& f, const std::vector<int>& signs) {
  const auto positive = static_cast<double>(std::count(signs.begin(), signs.end(), 1));
  const double negative = static_cast<double>(signs.size()) - positive;
  double a = 0, b = 0;
  for (std::size_t i = 0; i < f.size(); ++i) {
    const double target = signs[i] > 0 ? (positive + 1) / (positive + 2) : 1 / (negative + 2);
    const double p = 1 / (1 + std::exp(s.a * f[i] + s.b));
    a += f[i] * (target - p);
    b += target - p;
  }
  return {a, b};
}

}  // namespace

TEST_CASE("a fitted sigmoid is where the likelihood is stationary") {
  std::mt19937 random(4);
  std::normal_distribution<double> normal;
  for (const std::size_t n : {2, 3, 16, 127, 1000})
    for (const double gap : {-0.5, 0.0, 0.3, 2.0, 50.0}) {
      std::vector<double> f;
      std::vector<int> signs;
      for (std::size_t i = 0; i < n; ++i) {
        signs.push_back(i % 3 == 0 ? 1 : -1);
        f.push_back(gap * signs.back() + normal(random));
      }
      const auto [a, b] = slopes(fit_sigmoid(f, signs), f, signs);
      CAPTURE(n);
      CAPTURE(gap);
      CHECK(std::abs(a) < 1e-4);
      CHECK(std::abs(b) < 1e-4);
    }
}

TEST_CASE("decision values without information give the class sizes") {
  const std::vector<double> f(10, 0.0);
  const std::vector<int> signs{1, 1, 1, -1, -1, -1, -1, -1, -1, -1};
  const Sigmoid s = fit_sigmoid(f, signs);
  // The mean of the targets: (3 * 4/5 + 7 * 1/9) / 10.
  CHECK(s(0) == doctest::Approx((3 * 0.8 + 7.0 / 9) / 10).epsilon(1e-5));
}

TEST_CASE("two symmetric values: the sigmoid in closed form") {
  const std::vector<double> f{1, -1};
  const std::vector<int> signs{1, -1};
  const Sigmoid s = fit_sigmoid(f, signs);
  CHECK(s.a == doctest::Approx(-std::log(2)).epsilon(1e-4));  // both targets, 2/3 and 1/3, are met
  CHECK(s.b == doctest::Approx(0).epsilon(1e-6));
  CHECK(s(1) == doctest::Approx(2.0 / 3).epsilon(1e-4));
}

TEST_CASE("a sigmoid neither overflows nor leaves [0, 1]") {
  const Sigmoid s{-1, 0};
  CHECK(s(1e308) == 1);
  CHECK(s(-1e308) == 0);
  CHECK(s(0) == 0.5);
  CHECK(s(3) + s(-3) == doctest::Approx(1).epsilon(1e-15));
}

TEST_CASE("a fit ends on values of any size") {
  const std::vector<int> signs{1, -1, 1, -1};
  for (const double scale : {1e-300, 1e-9, 1e9, 1e150}) {
    const std::vector<double> f{scale, -scale, scale / 2, -scale / 3};
    const Sigmoid s = fit_sigmoid(f, signs);
    CHECK(std::isfinite(s.a));
    CHECK(std::isfinite(s.b));
  }
}

TEST_CASE("a fit needs one sign for every finite value") {
  const std::vector<int> signs{1, -1};
  const std::vector<double> one{0}, bad{0, NAN};
  CHECK_THROWS_WITH_AS((void)fit_sigmoid(one, signs), "sigmoid: 2 signs, expected 1, one for every decision value",
                       Error);
  CHECK_THROWS_WITH_AS((void)fit_sigmoid(bad, signs), "sigmoid: decision value 1 is nan, expected a finite number",
                       Error);
}

TEST_CASE("coupling gives back the probabilities that pairwise ones were made from") {
  std::mt19937 random(9);
  for (const std::size_t k : {1, 2, 3, 5, 12, 40}) {
    std::vector<double> p(k);
    for (double& v : p) v = 0.05 + static_cast<double>(random() % 1000) / 1000;
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& v : p) v /= sum;
    std::vector<double> r(k * k, NAN);  // the diagonal is not read
    for (std::size_t i = 0; i < k; ++i)
      for (std::size_t j = 0; j < k; ++j)
        if (i != j) r[i * k + j] = p[i] / (p[i] + p[j]);
    const auto got = couple(r, k);
    CAPTURE(k);
    CHECK(worst(got, p) < 0.02);
    CHECK(std::accumulate(got.begin(), got.end(), 0.0) == doctest::Approx(1).epsilon(1e-12));
  }
}

TEST_CASE("coupling contradicting pairs ends near the minimum of its objective") {
  // r_01, r_12 and r_20 all 0.9: a circle, whose only fair answer is a third each.
  const std::vector<double> r{0, 0.9, 0.1, 0.1, 0, 0.9, 0.9, 0.1, 0};
  CHECK(worst(couple(r, 3), std::vector<double>(3, 1.0 / 3)) < 1e-9);
  const std::vector<double> sure{0, 1 - 1e-7, 1 - 1e-7, 1e-7, 0, 1 - 1e-7, 1e-7, 1e-7, 0};
  const auto p = couple(sure, 3);
  CHECK(p[0] > 0.99);
  CHECK_THROWS_WITH_AS((void)couple(r, 2), "pairwise probabilities: 9 values, expected 2 x 2", Error);
  CHECK_THROWS_AS((void)couple({}, 0), Error);
}
