// The plot as text: well-formed, its points where the axes say, its labels there.
#include "cli/svg_plot.hpp"

#include <doctest/doctest.h>
#include <wajah/error.hpp>

#include <algorithm>
#include <limits>
#include <string>

namespace {

using namespace wajah::cli;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("points lie where the axes put them; outside they lie at the edge") {
  SvgPlot plot("A < B & C", {"x of it", 0.001, 1, Scale::logarithmic}, {"y of it", 0, 1});
  plot.add_curve("curve", {{0.001, 0}, {1, 1}, {1e-9, 2}});
  plot.add_mark("here", {0.0316227766, 0.5});
  const std::string text = plot.text();
  CHECK(text.starts_with("<svg xmlns="));
  CHECK(text.ends_with("</svg>\n"));
  CHECK(contains(text, "A &lt; B &amp; C"));
  CHECK(contains(text, "points=\"80.0,420.0 700.0,44.0 80.0,44.0 \""));
  CHECK(contains(text, "<circle cx=\"390.0\" cy=\"232.0\""));
  for (const char* label : {">x of it<", ">y of it<", ">curve<", ">here<", ">0.1 %<", ">1 %<", ">100 %<", ">20 %<"}) {
    CAPTURE(label);
    CHECK(contains(text, label));
  }
  CHECK(contains(text, ">0 %<"));
  CHECK_FALSE(contains(text, ">-0 %<"));
  CHECK(std::ranges::count(text, '<') == std::ranges::count(text, '>'));
}

TEST_CASE("axes that have no range are refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(SvgPlot("t", {"x", 0, 1, Scale::logarithmic}, {"y"}), wajah::Error);
  CHECK_THROWS_AS(SvgPlot("t", {"x", 1, 1}, {"y"}), wajah::Error);
  CHECK_THROWS_AS(SvgPlot("t", {"x"}, {"y", 0, nan}), wajah::Error);
}

}  // namespace
