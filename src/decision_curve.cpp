#include <wajah/decision_curve.hpp>
#include <wajah/error.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace wajah {

double DecisionCurve::operator()(double s, double m) const {
  return 1.0 / (1.0 + std::exp(-(bias + similarity * s + margin * m)));
}

std::string to_string(const DecisionCurve& curve) {
  return fmt::format("{} {} {}", curve.bias, curve.similarity, curve.margin);
}

DecisionCurve parse_decision_curve(std::string_view text) {
  std::array<double, 3> values{};
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (double& value : values) {
    while (at != end && *at == ' ') ++at;
    const auto [rest, error] = std::from_chars(at, end, value);
    if (error != std::errc{} || !std::isfinite(value)) {
      fail(ErrorKind::model, "decision curve '{}': expected three numbers, \"bias similarity margin\"", text);
    }
    at = rest;
  }
  if (at != end) fail(ErrorKind::model, "decision curve '{}': more than three numbers", text);
  return {values[0], values[1], values[2]};
}

}  // namespace wajah
