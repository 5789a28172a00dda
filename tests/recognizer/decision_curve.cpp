// The decision curve: its formula, its text, and what it refuses.
#include <doctest/doctest.h>

#include <wajah/decision_curve.hpp>
#include <wajah/error.hpp>

#include <cmath>

namespace {

using namespace wajah;

constexpr DecisionCurve curve{-1, 20, 10, -0.5, 3};

TEST_CASE("the curve is the formula of its header") {
  const double z = -1 + 20 * 0.6 + 10 * 0.1 - 0.5 * 0.75 - 3 * std::sqrt(std::log(100 / 3e-4));
  CHECK(curve(0.6, 0.1, 4, 100) == doctest::Approx(1 / (1 + std::exp(-z))));
}

TEST_CASE("confidence rises with similarity and margin, up to where the margin is enough, and falls with people") {
  CHECK(curve(0.6, 0.1, 5, 10) > curve(0.5, 0.1, 5, 10));
  CHECK(curve(0.5, 0.2, 5, 10) > curve(0.5, 0.1, 5, 10));
  CHECK(curve(0.5, 0.1, 5, 10) > curve(0.5, -0.1, 5, 10));
  CHECK(curve(0.5, 0.3, 5, 10) == curve(0.5, 0.9, 5, 10));
  CHECK(curve(0.5, 0.1, 5, 10) > curve(0.5, 0.1, 5, 1000));
  CHECK(curve(0.5, 0.1) == curve(0.5, 0.1, 1, 1));
  CHECK(curve(0.5, 0.1, 0, 0) == curve(0.5, 0.1, 1, 1));
}

TEST_CASE("its text gives the same curve back") {
  const DecisionCurve odd{-1.0 / 3, 21.1615, 10.5807, -0.4313, 2.9751};
  CHECK(parse_decision_curve(to_string(odd)) == odd);
  CHECK(parse_decision_curve("-1 20 10 -0.5 3") == curve);
}

TEST_CASE("text that is no curve is refused with what was expected") {
  for (const char* text : {"", "1 2 3", "1 2 3 4", "1 2 3 4 5 6", "1 2 3 4 five", "nan 2 3 4 5", "1 2 3 4 inf"}) {
    CAPTURE(text);
    CHECK_THROWS_AS((void)parse_decision_curve(text), Error);
  }
  CHECK_THROWS_WITH_AS((void)parse_decision_curve("1 2 3"), doctest::Contains("five numbers"), Error);
  for (const char* text : {"1 -2 3 4 5", "1 0 3 4 5", "1 2 -3 4 5", "1 2 3 4 -5"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS((void)parse_decision_curve(text), doctest::Contains("not below 0"), Error);
  }
}

}  // namespace
