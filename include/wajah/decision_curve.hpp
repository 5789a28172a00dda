// DecisionCurve: from how much a face resembles a person to the probability that it is that person.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wajah {

// confidence = 1 / (1 + exp(-z)), the shape of Platt (1999), with
//   z = bias + similarity * s + margin * min(m, enough_margin) + photos * (1 - 1 / n) - people * sqrt(ln(k / strangers))
// of similarity s and margin m as in Prediction, n photos of the person, and k people enrolled, because among a thousand
// a stranger has a thousand chances (the largest of k normal values that a share p exceeds grows as sqrt(ln(k / p))).
// The margin stops to count where the next person is far away. A curve belongs to an embedder, whose model card it
// travels with; it is fitted on people who are in no test (calibration.hpp), such that at acceptance_level, the original
// service's, the share `strangers` of strangers is let in, whatever n and k: a third of the 0.1 % that may be, because
// the fit is an estimate.
struct DecisionCurve {
  double bias = 0, similarity = 0, margin = 0, photos = 0, people = 0;

  static constexpr double enough_margin = 0.25;
  static constexpr double acceptance_level = 0.7;
  static constexpr double strangers = 3e-4;

  [[nodiscard]] double operator()(double s, double m, std::size_t n = 1, std::size_t k = 1) const;

  friend bool operator==(const DecisionCurve&, const DecisionCurve&) = default;
};

// "bias similarity margin photos people", five numbers; parse throws Error (model) on anything else, and on a curve
// that falls with similarity or margin or rises with the number of people.
[[nodiscard]] std::string to_string(const DecisionCurve& curve);
[[nodiscard]] DecisionCurve parse_decision_curve(std::string_view text);

}  // namespace wajah
