// The ROC curve on pairs small enough to count by hand.
#include <doctest/doctest.h>

#include <wajah/error.hpp>
#include <wajah/evaluate.hpp>

#include <vector>

namespace {

using namespace wajah;

TEST_CASE("the ROC curve has a point for every score, from the strictest on") {
  const std::vector<ScoredPair> pairs{{0.9F, true}, {0.8F, false}, {0.8F, true}, {0.5F, true}, {0.1F, false}};
  const auto curve = roc_curve(pairs);
  REQUIRE(curve.size() == 4);
  CHECK(curve[0].threshold == doctest::Approx(0.9));
  CHECK(curve[0].true_accepts == doctest::Approx(1.0 / 3));
  CHECK(curve[0].false_accepts == 0);
  CHECK(curve[1].true_accepts == doctest::Approx(2.0 / 3));
  CHECK(curve[1].false_accepts == doctest::Approx(0.5));
  CHECK(curve[2].true_accepts == 1);
  CHECK(curve[3].false_accepts == 1);
  CHECK_THROWS_AS((void)roc_curve(std::vector<ScoredPair>{{0.5F, true}}), Error);
}

}  // namespace
