#include <wajah/decision_curve.hpp>
#include <wajah/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace wajah {

double DecisionCurve::operator()(double s, double m, std::size_t n, std::size_t k) const {
  const double several = 1 - 1 / static_cast<double>(std::max<std::size_t>(n, 1));
  const double chances = std::sqrt(std::log(static_cast<double>(std::max<std::size_t>(k, 1)) / strangers));
  const double z = bias + similarity * s + margin * std::min(m, enough_margin) + photos * several - people * chances;
  return 1 / (1 + std::exp(-z));
}

std::string to_string(const DecisionCurve& curve) {
  return fmt::format("{} {} {} {} {}", curve.bias, curve.similarity, curve.margin, curve.photos, curve.people);
}

DecisionCurve parse_decision_curve(std::string_view text) {
  std::array<double, 5> values{};
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (double& value : values) {
    while (at != end && *at == ' ') ++at;
    const auto [rest, error] = std::from_chars(at, end, value);
    if (error != std::errc{} || !std::isfinite(value)) {
      fail(ErrorKind::model, "decision curve '{}': expected five numbers, \"bias similarity margin photos people\"",
           text);
    }
    at = rest;
  }
  if (at != end) fail(ErrorKind::model, "decision curve '{}': more than five numbers", text);
  const DecisionCurve curve{values[0], values[1], values[2], values[3], values[4]};
  if (curve.similarity <= 0 || curve.margin < 0 || curve.people < 0) {
    fail(ErrorKind::model, "decision curve '{}': similarity must be above 0, margin and people not below 0", text);
  }
  return curve;
}

}  // namespace wajah
