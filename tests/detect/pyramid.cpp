#include <wajah/detect/detector.hpp>
#include <wajah/detect/pyramid.hpp>
#include <wajah/error.hpp>

#include "check.hpp"

#include <limits>

using namespace wajah;

TEST_CASE("the pyramid's levels are the original's") {
  // int(ceil(1920 * 0.6 * 0.709 ** k)) and so on, computed with numpy.
  const std::vector<Level> levels = pyramid_levels(1920, 1080, 20, 0.709);
  REQUIRE(levels.size() == 12);
  const std::vector<std::pair<int, int>> sizes{{1152, 648}, {817, 460}, {580, 326}, {411, 231}, {292, 164}, {207, 117},
                                               {147, 83},   {104, 59},  {74, 42},   {53, 30},   {37, 21},   {27, 15}};
  for (std::size_t i = 0; i < levels.size(); ++i) {
    CHECK(levels[i].width == sizes[i].first);
    CHECK(levels[i].height == sizes[i].second);
    CHECK(levels[i].scale == doctest::Approx(0.6 * std::pow(0.709, static_cast<double>(i))));
  }
}

TEST_CASE("a picture smaller than the smallest face has no levels") {
  CHECK(pyramid_levels(1, 1, 20, 0.709).empty());
  CHECK(pyramid_levels(10'000, 19, 20, 0.709).empty());
  CHECK(pyramid_levels(20, 20, 20, 0.709).size() == 1);
  CHECK(pyramid_levels(1, 1, 1, 0.709).size() == 1);
}

TEST_CASE("a pyramid that would be too large is refused with a hint") {
  CHECK_THROWS_WITH_AS(
      static_cast<void>(pyramid_levels(8000, 5000, 1, 0.709)),
      "min size 1 would enlarge the 8000 x 5000 picture 12 times, beyond 160 megapixels; use a larger one", Error);
}

TEST_CASE("options out of range are refused by name") {
  const auto message = [](DetectorOptions options) -> std::string {
    try {
      validate(options);
      return "";
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      return error.what();
    }
  };
  constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
  CHECK(message({}).empty());
  CHECK(message(enrol_options).empty());
  CHECK(message(recognise_options).empty());
  CHECK(message({.min_size = 0.5}) == "min size is 0.5, expected 1 pixel or more");
  CHECK(message({.min_size = not_a_number}) == "min size is nan, expected 1 pixel or more");
  CHECK(message({.factor = 1}) == "factor is 1, expected more than 0 and at most 0.99");
  CHECK(message({.factor = not_a_number}).starts_with("factor is nan"));
  CHECK(message({.thresholds = {0.6F, 1.5F, 0.7F}}) ==
        "threshold of R-Net is 1.5, expected a probability between 0 and 1");
  CHECK(message({.thresholds = {0.0F, 0.5F, 0.7F}}).starts_with("threshold of P-Net is 0"));
}
