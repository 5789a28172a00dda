#include <wajah/svm/svm.hpp>

#include <wajah/error.hpp>

#include "svm/data.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <numeric>

using namespace wajah;
using namespace wajah::svm;
using namespace wajah::svm::test;

namespace {

constexpr int five[] = {40, -7, 3, 1000000, 0};

// Every number a machine answers with, for rows of `data`.
std::vector<double> answers(const Svm& svm, const Data& data) {
  std::vector<double> all;
  for (std::size_t r = 0; r < data.rows(); ++r) {
    const auto decisions = svm.decision_values(data.row(r));
    all.insert(all.end(), decisions.begin(), decisions.end());
    if (svm.has_probabilities()) {
      const auto probabilities = svm.probabilities(data.row(r));
      all.insert(all.end(), probabilities.begin(), probabilities.end());
    }
    all.push_back(svm.predict(data.row(r)));
  }
  return all;
}

double accuracy(const Svm& svm, const Data& data) {
  double right = 0;
  for (std::size_t r = 0; r < data.rows(); ++r) right += svm.predict(data.row(r)) == data.y[r];
  return right / static_cast<double>(data.rows());
}

}  // namespace

TEST_CASE("labels keep their order and every decision value its pair and sign") {
  const Data data = blobs(five, 6, 12, 0.2, 1);
  const Svm svm = Svm::train(data.problem(), {});
  CHECK(std::equal(svm.labels().begin(), svm.labels().end(), std::begin(five)));
  CHECK(svm.pairs().size() == 10);
  CHECK(svm.unconverged() == 0);
  for (std::size_t r = 0; r < data.rows(); ++r) {
    const auto decisions = svm.decision_values(data.row(r));
    const std::size_t own = r / 6;
    for (std::size_t other = 0; other < 5; ++other) {
      if (other < own) CHECK(decisions[pair_index(other, own, 5)] < 0);
      if (other > own) CHECK(decisions[pair_index(own, other, 5)] > 0);
    }
    CHECK(svm.predict(data.row(r)) == data.y[r]);
  }
}

TEST_CASE("pair indices count the pairs in libsvm's order") {
  for (const std::size_t k : {2, 3, 12, 100}) {
    std::size_t expected = 0;
    for (std::size_t i = 0; i < k; ++i)
      for (std::size_t j = i + 1; j < k; ++j) CHECK(pair_index(i, j, k) == expected++);
    CHECK(expected == k * (k - 1) / 2);
  }
}

TEST_CASE("probabilities sum to 1 and favour the class they should") {
  const Data data = blobs(five, 10, 16, 0.5, 2);
  for (const KernelKind kernel : {KernelKind::linear, KernelKind::rbf}) {
    const Svm svm = Svm::train(data.problem(), {.kernel = kernel, .c = 10, .probability = true});
    std::size_t right = 0;
    for (std::size_t r = 0; r < data.rows(); ++r) {
      const auto p = svm.probabilities(data.row(r));
      CHECK(std::accumulate(p.begin(), p.end(), 0.0) == doctest::Approx(1).epsilon(1e-9));
      const auto best = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
      right += svm.labels()[best] == data.y[r];
    }
    CHECK(right > data.rows() * 9 / 10);
  }
}

TEST_CASE("the sigmoid is fitted to rows judged by a machine that has not seen them: row t by that without t mod 5") {
  constexpr std::size_t m = 7, n = 13;
  // Machines of folds start from that of all rows, so their values agree with others' to the tolerance only.
  const SolverOptions exactly{.tolerance = 1e-9};
  Data data = blobs(std::span(five).first(2), n - m, 6, 1.5, 21);
  data.x.resize(n * 6, 0.5F);
  data.y.assign(n, -1);
  std::fill_n(data.y.begin(), m, 1);
  const auto view = rows_of(data.x, 6);
  const Pair pair =
      train_pair({}, {view.images(0, m), {}}, {view.images(m, n - m), {}}, {.solver = exactly, .probability = true});

  std::vector<double> decisions(n);
  for (std::size_t fold = 0; fold < 5; ++fold) {
    Data known{6, {}, {}};
    for (std::size_t t = 0; t < n; ++t) {
      if (t % 5 == fold) continue;
      known.x.insert(known.x.end(), data.row(t).begin(), data.row(t).end());
      known.y.push_back(data.y[t]);
    }
    const Svm machine = Svm::train(known.problem(), {.tolerance = exactly.tolerance});
    for (std::size_t t = fold; t < n; t += 5) decisions[t] = machine.decision_values(data.row(t))[0];
  }
  const Sigmoid expected = fit_sigmoid(decisions, data.y);
  CHECK(pair.sigmoid->a == doctest::Approx(expected.a).epsilon(1e-6));
  CHECK(pair.sigmoid->b == doctest::Approx(expected.b).epsilon(1e-6));
}

TEST_CASE("a machine that was trained without probabilities says so") {
  const Svm svm = Svm::train(blobs(five, 3, 4, 0.5, 3).problem(), {});
  CHECK_FALSE(svm.has_probabilities());
  CHECK_THROWS_WITH_AS((void)svm.probabilities(std::vector<float>(4)),
                       "svm: trained without probabilities, expected a model trained with them; train it again", Error);
}

TEST_CASE("results do not depend on threads, memory or the order of pairs") {
  const Data data = blobs(five, 14, 33, 1.5, 4);
  for (const KernelKind kernel : {KernelKind::linear, KernelKind::rbf}) {
    SvmOptions options{.kernel = kernel, .c = 3, .probability = true};
    const auto expected = answers(Svm::train(data.problem(), options), data);
    for (const int threads : {0, 2, 3, 7}) {
      options.threads = threads;
      CHECK(answers(Svm::train(data.problem(), options), data) == expected);
    }
    options.threads = 1;
    options.tolerance = 1e-9;
    const auto exact = answers(Svm::train(data.problem(), options), data);
    for (const std::size_t memory : {std::size_t{0}, std::size_t{5000}, std::size_t{20000}}) {
      options.memory = memory;  // none of the kernel values kept, some rows, a class's
      CHECK(worst(answers(Svm::train(data.problem(), options), data), exact) < 1e-6);
    }
  }
}

TEST_CASE("adding a class trains its own pairs only, and they are those of training all at once") {
  const Data data = blobs(five, 8, 9, 1, 5);
  const Svm whole = Svm::train(data.problem(), {.probability = true});
  std::vector<ClassVectors> classes;
  for (std::size_t c = 0; c < 5; ++c) {
    const auto first = data.x.begin() + static_cast<std::ptrdiff_t>(c * 8 * data.d);
    classes.push_back({five[c], {first, first + static_cast<std::ptrdiff_t>(8 * data.d)}});
  }
  const auto rows = [&](std::size_t c) { return ClassRows{rows_of(classes[c].rows, data.d), {}}; };
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t j = i + 1; j < 5; ++j)
      pairs.push_back(train_pair({}, rows(i), rows(j), {.solver = {}, .probability = true}));
  CHECK(answers(Svm({}, data.d, classes, pairs), data) == answers(whole, data));

  // Removing class 1: the decision values that are left are the same, added up in other groups.
  std::vector<Pair> fewer;
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t j = i + 1; j < 5; ++j)
      if (i != 1 && j != 1) fewer.push_back(pairs[pair_index(i, j, 5)]);
  classes.erase(classes.begin() + 1);
  const Svm without({}, data.d, classes, fewer);
  const auto before = whole.decision_values(data.row(0)), after = without.decision_values(data.row(0));
  CHECK(after[0] == doctest::Approx(before[1]).epsilon(1e-12));
  CHECK(after[5] == doctest::Approx(before[9]).epsilon(1e-12));
}

TEST_CASE("one class: predicted for everything, with probability 1 and no decision value") {
  const std::vector<float> x{1, 2, 3, 4};
  for (const std::vector<int>& y : {std::vector<int>{7, 7}, std::vector<int>{-1, -1}}) {
    const Svm svm = Svm::train(Problem(rows_of(x, 2), y), {.probability = false});
    const std::vector<float> query{100, -100};
    CHECK(svm.predict(query) == y[0]);
    CHECK(svm.decision_values(query).empty());
    CHECK(svm.has_probabilities());
    CHECK(svm.probabilities(query) == std::vector<double>{1.0});
    CHECK(svm.vectors() == 0);
    CHECK(svm.dimensions() == 2);
    CHECK_THROWS_AS((void)svm.predict(x), Error);
  }
}

TEST_CASE("one row, and one row a class") {
  const std::vector<float> x{1, 0, 0, 1, -1, 0};
  const std::vector<int> y{5, 6, 7};
  const Svm one = Svm::train(Problem(rows_of(std::span(x).first(2), 2), std::span(y).first(1)), {});
  CHECK(one.predict(std::span(x).last(2)) == 5);

  const Svm three = Svm::train(Problem(rows_of(x, 2), y), {.probability = true});
  for (std::size_t r = 0; r < 3; ++r) {
    CHECK(three.predict(std::span(x).subspan(2 * r, 2)) == y[r]);
    const auto p = three.probabilities(std::span(x).subspan(2 * r, 2));
    CHECK(std::accumulate(p.begin(), p.end(), 0.0) == doctest::Approx(1));
  }
}

TEST_CASE("labels -1 and +1: positive decision values mean +1, whichever came first") {
  const std::vector<float> x{-2, -1, 1, 2};
  const std::vector<int> y{-1, -1, 1, 1};
  const Svm svm = Svm::train(Problem(rows_of(x, 1), y), {});
  CHECK(svm.labels()[0] == 1);
  CHECK(svm.decision_values(std::vector<float>{3})[0] == doctest::Approx(3).epsilon(1e-3));  // f(x) = x
  CHECK(svm.predict(std::vector<float>{-0.01F}) == -1);
}

TEST_CASE("rows that are all the same, with labels that differ, still give a machine") {
  const std::vector<float> x(12, 0.25F);
  const std::vector<int> y{1, 1, 1, 2, 2, 3};
  for (const KernelKind kernel : {KernelKind::linear, KernelKind::rbf}) {
    const Svm svm = Svm::train(Problem(rows_of(x, 2), y), {.kernel = kernel, .probability = true});
    CHECK(svm.unconverged() == 0);
    CHECK(svm.predict(std::vector<float>{0.25F, 0.25F}) == 1);  // the largest class
    for (const double p : svm.probabilities(std::vector<float>{9, 9})) CHECK(std::isfinite(p));
  }
}

TEST_CASE("the same rows twice do not change what is decided where the margin is hard") {
  const Data once = blobs(std::span(five).first(3), 5, 8, 0.1, 6);
  Data twice = once;
  twice.x.insert(twice.x.end(), once.x.begin(), once.x.end());
  twice.y.insert(twice.y.end(), once.y.begin(), once.y.end());
  const SvmOptions options{.c = 1e4, .tolerance = 1e-7};
  const Svm a = Svm::train(once.problem(), options), b = Svm::train(twice.problem(), options);
  for (std::size_t r = 0; r < once.rows(); ++r)
    CHECK(worst(a.decision_values(once.row(r)), b.decision_values(once.row(r))) < 1e-5);
}

TEST_CASE("an rbf kernel learns what no line separates") {
  std::vector<float> x;
  std::vector<int> y;
  for (int i = 0; i < 60; ++i) {
    const float angle = static_cast<float>(i) * 0.7F, radius = i % 2 == 0 ? 1.0F : 2.0F;
    x.insert(x.end(), {radius * std::cos(angle), radius * std::sin(angle)});
    y.push_back(i % 2);
  }
  const Data rings{2, x, y};
  CHECK(accuracy(Svm::train(rings.problem(), {.kernel = KernelKind::rbf, .gamma = 1, .c = 10}), rings) == 1);
  CHECK(accuracy(Svm::train(rings.problem(), {}), rings) < 0.8);
}

TEST_CASE("votes are counted as libsvm counts them: 0 is for the second, a draw for the first") {
  const Data data = blobs(std::span(five).first(3), 3, 4, 0.5, 12);
  const Svm svm = Svm::train(data.problem(), {});
  const auto vote = [&](std::vector<double> decisions) { return svm.vote(decisions); };
  CHECK(vote({1, 1, 1}) == 40);
  CHECK(vote({-1, 1, 1}) == -7);
  CHECK(vote({0, 1, 1}) == -7);
  CHECK(vote({1, 0, 0}) == 3);
  CHECK(vote({1, -1, 1}) == 40);  // one each
}

TEST_CASE("gamma 0 is 1 / dimensions") {
  const Data data = blobs(five, 5, 4, 1, 8);
  const Svm by_default = Svm::train(data.problem(), {.kernel = KernelKind::rbf});
  CHECK(by_default.kernel().gamma == 0.25);
  CHECK(answers(by_default, data) ==
        answers(Svm::train(data.problem(), {.kernel = KernelKind::rbf, .gamma = 0.25}), data));
}

TEST_CASE("rows that no pair needs are not kept") {
  std::vector<float> x;
  std::vector<int> y;
  for (int i = 1; i <= 50; ++i) {
    x.insert(x.end(), {static_cast<float>(i), static_cast<float>(-i)});
    y.insert(y.end(), {1, 2});
  }
  const Svm svm = Svm::train(Problem(rows_of(x, 1), y), {.c = 100});
  CHECK(svm.vectors() == 2);
  CHECK(svm.first_vector(1) == 1);
  CHECK(svm.vector(0)[0] == 1);
  CHECK(svm.vector(1)[0] == -1);
}

TEST_CASE("what cannot be asked or trained is refused by what is wrong with it") {
  const Data data = blobs(five, 3, 4, 1, 9);
  const auto refused = [&](const SvmOptions& options, const char* message) {
    CHECK_THROWS_WITH_AS((void)Svm::train(data.problem(), options), message, Error);
  };
  refused({.gamma = -1}, "gamma: -1, expected a number above 0, or 0 for 1 / dimensions");
  refused({.c = 0}, "C: 0, expected a number above 0; 1 is usual");
  refused({.tolerance = -1}, "tolerance: -1, expected a number above 0; 1e-3 is usual");
  refused({.threads = -2}, "threads: -2, expected 0 (all) or more");
  const std::vector<float> huge{1e30F, -1e30F};
  const std::vector<int> y{1, 2};
  CHECK_THROWS_WITH_AS((void)Svm::train(Problem(rows_of(huge, 1), y), {.threads = 2}),
                       "kernel of row 0 with itself: inf, expected a finite number; scale the features down", Error);

  const Svm svm = Svm::train(data.problem(), {});
  const auto unasked = [&](const std::vector<float>& x, const char* message) {
    CHECK_THROWS_WITH_AS((void)svm.decision_values(x), message, Error);
  };
  unasked({1, 2, 3}, "features: 3 values, expected 4 as in training");
  unasked({1, 2, NAN, 4}, "features: column 2 is nan, expected a finite number");
  CHECK_THROWS_AS((void)svm.decision_values(std::vector<float>(4, std::numeric_limits<float>::max())), Error);
  CHECK_THROWS_WITH_AS((void)svm.vote(std::vector<double>(9)), "decision values: 9 of them, expected 10 for 5 classes",
                       Error);
}

TEST_CASE("a machine is only put together from parts that fit") {
  const std::vector<ClassVectors> classes{{1, {0, 1}}, {2, {1, 0}}};
  const Pair pair{{1}, {-1}, 0, std::nullopt, true};
  CHECK(Svm({}, 2, classes, {pair}).predict(std::vector<float>{0, 1}) == 1);

  const auto refused = [&](std::vector<ClassVectors> c, std::vector<Pair> p, const char* message) {
    CHECK_THROWS_WITH_AS(Svm({}, 2, std::move(c), std::move(p)), message, Error);
  };
  refused({}, {}, "svm: no class, expected at least 1");
  refused(classes, {}, "svm: 0 pairs, expected 1 for 2 classes");
  refused({{1, {0, 1}}, {1, {1, 0}}}, {pair}, "svm: label 1 twice, expected every label once");
  refused({{1, {0, 1, 2}}, {2, {1, 0}}}, {pair}, "svm: 3 values in the rows of label 1, expected a multiple of 2");
  refused({{1, {0, NAN}}, {2, {1, 0}}}, {pair}, "svm: a value in the rows of label 1 is not finite");
  refused(classes, {{{1, 2}, {-1}, 0, std::nullopt, true}},
          "svm: 2 and 1 coefficients for labels 1 and 2, expected 1 and 1");
  refused(classes, {{{NAN}, {-1}, 0, std::nullopt, true}}, "svm: a number for labels 1 and 2 is not finite");
  CHECK_THROWS_AS(Svm({KernelKind::rbf, 0}, 2, classes, {pair}), Error);
}
