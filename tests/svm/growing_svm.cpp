// GrowingSvm: after whatever changes it is the machine that training from the start gives.
#include <wajah/svm/growing_svm.hpp>

#include <wajah/error.hpp>

#include "svm/data.hpp"

#include <doctest/doctest.h>

#include <map>
#include <new>
#include <random>

using namespace wajah;
using namespace wajah::svm;
using namespace wajah::svm::test;

namespace {

constexpr std::size_t d = 24;
using Rows = std::shared_ptr<const PackedRows>;

Rows some_rows(std::size_t n, unsigned seed) {
  const int label[] = {0};
  return std::make_shared<const PackedRows>(blobs(label, n, d, 1.2, seed).x, d);
}

void check_same(const Pair& a, const Pair& b) {
  CHECK(a.first == b.first);
  CHECK(a.second == b.second);
  CHECK(a.rho == b.rho);
  REQUIRE(a.sigmoid.has_value() == b.sigmoid.has_value());
  if (!a.sigmoid) return;
  CHECK(a.sigmoid->a == b.sigmoid->a);
  CHECK(a.sigmoid->b == b.sigmoid->b);
}

void check_same(const GrowingSvm& a, const GrowingSvm& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a.label(i) == b.label(i));
    for (std::size_t j = i + 1; j < a.size(); ++j) check_same(a.pair(i, j), b.pair(i, j));
  }
}

GrowingSvm from_start(const SvmOptions& options, const std::map<std::int64_t, Rows>& classes) {
  std::vector<SharedClass> put;
  for (const auto& [label, rows] : classes) put.push_back({label, rows});
  return GrowingSvm(options).changed(std::move(put), {});
}

}  // namespace

TEST_CASE("a machine that grew is, to the last bit, the one trained from the start: random changes") {
  for (const bool probability : {false, true}) {
    const SvmOptions options{.probability = probability, .threads = probability ? 2 : 1};
    std::mt19937 random(probability ? 7 : 8);
    GrowingSvm machine(options);
    std::map<std::int64_t, Rows> classes;
    for (unsigned change = 0; change < 60; ++change) {
      std::vector<SharedClass> put;
      std::vector<std::int64_t> gone;
      // Mostly one class comes or gets other rows; sometimes several, and some leave. Up to 40 rows: pairs of all
      // sizes.
      for (unsigned i = 0; i < (change % 7 == 0 ? 4U : 1U); ++i) {
        const std::int64_t label = random() % 30;
        if (random() % 3 == 0) {
          gone.push_back(label);
          classes.erase(label);
        } else if (std::none_of(put.begin(), put.end(), [&](const auto& c) { return c.label == label; })) {
          put.push_back({label, some_rows(1 + random() % 40, 1000 + change * 10 + i)});
        }
      }
      for (const auto& c : put) classes[c.label] = c.rows;
      machine = machine.changed(put, gone);
      if (change % 5 == 0 || change > 55) check_same(machine, from_start(options, classes));
    }
    CHECK(machine.size() == classes.size());
  }
}

TEST_CASE("pairs, decision values and probabilities are Svm's") {
  std::vector<float> x;
  std::vector<int> y;
  std::vector<SharedClass> put;
  for (const int label : {3, 4, 9, 11}) {
    put.push_back({label, some_rows(7, 30 + static_cast<unsigned>(label))});
    const auto rows = put.back().rows->view();
    for (int r = 0; r < 7; ++r) x.insert(x.end(), rows.pixel(r, 0, 0), rows.pixel(r, 0, 0) + d);
    y.insert(y.end(), 7, label);
  }
  const SvmOptions options{.probability = true};
  const GrowingSvm growing = GrowingSvm(options).changed(put, {});
  const Svm svm = Svm::train(Problem(rows_of(x, d), y), options);
  for (std::size_t r = 0; r < y.size(); r += 3) {
    const std::span<const float> row{x.data() + r * d, d};
    CHECK(worst(growing.decision_values(row), svm.decision_values(row)) < 1e-6);
    CHECK(worst(growing.probabilities(row), svm.probabilities(row)) < 1e-6);
  }
}

TEST_CASE("what does not fit is refused and changes nothing") {
  const GrowingSvm two = GrowingSvm({}).changed({{1, some_rows(3, 1)}, {2, some_rows(4, 2)}}, {});
  CHECK_THROWS_WITH_AS((void)two.changed({{5, some_rows(2, 1)}, {5, some_rows(2, 2)}}, {}),
                       "growing svm: label 5 twice, expected every label once", Error);
  const auto filled = [](std::size_t width, float value) {
    return std::make_shared<const PackedRows>(std::vector<float>(width, value), width);
  };
  CHECK_THROWS_WITH_AS((void)two.changed({{5, filled(12, 1)}}, {}), "growing svm: rows of 12 values among rows of 24",
                       Error);
  CHECK_THROWS_WITH_AS((void)two.changed({{5, filled(d, 1)}, {6, filled(12, 1)}}, {}),
                       "growing svm: rows of 12 values among rows of 24", Error);
  CHECK_THROWS_WITH_AS((void)two.changed({{5, nullptr}}, {}), "growing svm: no rows of label 5, expected at least 1",
                       Error);
  CHECK_THROWS_AS((void)two.changed({{5, filled(d, NAN)}}, {}), Error);
  CHECK_THROWS_AS((void)two.changed({{5, filled(d, 1e30F)}}, {}), Error);
  CHECK_THROWS_AS((void)two.decision_values(std::vector<float>(d - 1)), Error);
  CHECK_THROWS_AS((void)two.probabilities(std::vector<float>(d)), Error);
  CHECK_THROWS_AS(GrowingSvm(SvmOptions{.kernel = KernelKind::rbf}), Error);
  CHECK(two.size() == 2);
  check_same(two, GrowingSvm({}).changed({{1, some_rows(3, 1)}, {2, some_rows(4, 2)}}, {}));
}

TEST_CASE("nobody, one class, and everybody gone") {
  const GrowingSvm nobody({});
  CHECK(nobody.size() == 0);
  CHECK(nobody.decision_values(std::vector<float>(d)).empty());
  const GrowingSvm one = GrowingSvm({.probability = true}).changed({{8, some_rows(2, 3)}}, {});
  CHECK(one.probabilities(std::vector<float>(d, 0.1F)) == std::vector<double>{1.0});
  const std::int64_t gone[] = {8, 77};
  const GrowingSvm none = one.changed({}, gone);
  CHECK(none.size() == 0);
  CHECK(none.changed({{1, std::make_shared<const PackedRows>(std::vector<float>(5, 0.5F), 5)}}, {}).size() ==
        1);  // of another width
}
