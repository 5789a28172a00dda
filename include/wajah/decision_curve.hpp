// DecisionCurve: from how much a face resembles a person to the probability that it is that person.
#pragma once

#include <string>
#include <string_view>

namespace wajah {

// confidence = 1 / (1 + exp(-(bias + similarity * s + margin * m))), s and m as in Prediction; the shape is Platt's
// (1999). It belongs to an embedder, whose model card it travels with, and is fitted on people who are in no test.
struct DecisionCurve {
  double bias = 0, similarity = 0, margin = 0;

  [[nodiscard]] double operator()(double s, double m) const;

  friend bool operator==(const DecisionCurve&, const DecisionCurve&) = default;
};

// "bias similarity margin", three numbers; parse throws Error (model) on anything else.
[[nodiscard]] std::string to_string(const DecisionCurve& curve);
[[nodiscard]] DecisionCurve parse_decision_curve(std::string_view text);

}  // namespace wajah
