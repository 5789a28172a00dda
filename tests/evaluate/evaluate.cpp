#include <wajah/error.hpp>
#include <wajah/evaluate.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using wajah::ScoredPair;

namespace {

// Scores of the same pairs, then of the different ones.
std::vector<ScoredPair> pairs_of(const std::vector<float>& same, const std::vector<float>& different) {
  std::vector<ScoredPair> pairs;
  for (const float score : same) pairs.push_back({score, true});
  for (const float score : different) pairs.push_back({score, false});
  return pairs;
}

}  // namespace

TEST_CASE("the best threshold lies halfway between the scores it parts") {
  const auto pairs = pairs_of({0.9F, 0.8F, 0.5F}, {0.1F, 0.2F, 0.25F});
  const auto best = wajah::best_threshold(pairs);
  CHECK(best.accuracy == 1.0);
  CHECK(best.threshold == doctest::Approx(0.375));
}

TEST_CASE("of equally good thresholds the lowest is chosen") {
  // {0.9} | 0.6 | {0.4} | 0.1: accepting one, or three, answers three of four rightly.
  const auto best = wajah::best_threshold(pairs_of({0.9F, 0.4F}, {0.6F, 0.1F}));
  CHECK(best.accuracy == 0.75);
  CHECK(best.threshold == doctest::Approx(0.25));
}

TEST_CASE("a threshold may accept everything or nothing") {
  CHECK(wajah::best_threshold(pairs_of({0.5F, 0.7F}, {})).threshold == 0.5);
  const auto none = wajah::best_threshold(pairs_of({}, {0.5F, 0.7F}));
  CHECK(none.accuracy == 1.0);
  CHECK(none.threshold > static_cast<double>(0.7F));
  CHECK(none.threshold < 0.7001);
}

TEST_CASE("equal scores cannot be told apart") {
  const auto pairs = pairs_of({0.5F, 0.5F, 0.5F}, {0.5F});
  CHECK(wajah::best_threshold(pairs).accuracy == 0.75);
  CHECK(wajah::roc_area(pairs) == 0.5);
}

TEST_CASE("the ROC area is the share of same pairs above different ones") {
  CHECK(wajah::roc_area(pairs_of({0.9F, 0.8F}, {0.1F, 0.2F})) == 1.0);
  CHECK(wajah::roc_area(pairs_of({0.1F}, {0.8F, 0.9F})) == 0.0);
  // 0.7 beats both, 0.4 beats one, 0.2 draws with one: 2 + 1 + 0.5 of 6.
  CHECK(wajah::roc_area(pairs_of({0.7F, 0.4F, 0.2F}, {0.5F, 0.2F})) == doctest::Approx(3.5 / 6));
}

TEST_CASE("true accepts at a false accept rate") {
  // Of ten different pairs 0.1 allows one: a threshold between 0.75 and 0.7 accepts it and three of the four same
  // pairs.
  const auto pairs =
      pairs_of({0.9F, 0.85F, 0.78F, 0.3F}, {0.8F, 0.7F, 0.2F, 0.1F, 0.05F, 0.04F, 0.03F, 0.02F, 0.01F, 0.0F});
  CHECK(wajah::true_accepts_at(pairs, 0.1) == 0.75);
  CHECK(wajah::true_accepts_at(pairs, 0.0) == 0.5);
  CHECK(wajah::true_accepts_at(pairs, 0.2) == 1.0);
  CHECK(wajah::true_accepts_at(pairs, 1.0) == 1.0);
}

TEST_CASE("no threshold is allowed when the different pairs score highest") {
  CHECK(wajah::true_accepts_at(pairs_of({0.5F}, {0.9F, 0.1F}), 0.1) == 0.0);
}

TEST_CASE("each fold is answered with the threshold of the others") {
  // Two folds. The second fold's scores are shifted by 1, so the threshold of the first (0.5) accepts all of it, and
  // that of the second (1.5) accepts nothing of the first: half right in each.
  const auto pairs = pairs_of({0.9F, 0.8F, 1.9F, 1.8F}, {0.1F, 0.2F, 1.1F, 1.2F});
  const auto folds = wajah::fold_accuracy(pairs, 2);
  CHECK(folds.mean == 0.5);
  CHECK(folds.deviation == 0.0);
  CHECK(wajah::fold_accuracy(pairs_of({0.9F, 0.8F, 0.7F}, {0.1F, 0.2F, 0.6F}), 3).mean == doctest::Approx(5.0 / 6));
}

TEST_CASE("the deviation is that of the folds' accuracies") {
  // Fold 1 is answered rightly by fold 2's threshold; fold 2 has one of its four pairs on the wrong side of fold 1's.
  const auto pairs = pairs_of({0.9F, 0.8F, 0.9F, 0.3F}, {0.1F, 0.2F, 0.1F, 0.2F});
  const auto folds = wajah::fold_accuracy(pairs, 2);
  CHECK(folds.mean == doctest::Approx(0.875));
  CHECK(folds.deviation == doctest::Approx(0.1767767));
}

TEST_CASE("figures that cannot be formed are refused") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS((void)wajah::best_threshold({}), wajah::Error);
  CHECK_THROWS_AS((void)wajah::best_threshold(pairs_of({nan}, {0.1F})), wajah::Error);
  CHECK_THROWS_AS((void)wajah::roc_area(pairs_of({0.5F}, {})), wajah::Error);
  CHECK_THROWS_AS((void)wajah::true_accepts_at(pairs_of({}, {0.5F}), 0.1), wajah::Error);
  CHECK_THROWS_AS((void)wajah::true_accepts_at(pairs_of({0.5F}, {0.1F}), 1.5), wajah::Error);
  CHECK_THROWS_AS((void)wajah::fold_accuracy(pairs_of({0.5F}, {0.1F, 0.2F}), 2), wajah::Error);
  CHECK_THROWS_AS((void)wajah::fold_accuracy(pairs_of({0.5F, 0.6F}, {0.1F, 0.2F}), 1), wajah::Error);
}
