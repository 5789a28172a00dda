// A decision value is a sum of kernel values, each times its coefficient.
#pragma once

#include <cstddef>
#include <span>

namespace wajah::svm {

// sum of coefficients_t * values_t, in four independent sums that need not wait for each other.
template <class Value>
[[nodiscard]] double weighted_sum(std::span<const double> coefficients, const Value* values) {
  double part[4] = {};
  std::size_t t = 0;
  for (; t + 4 <= coefficients.size(); t += 4)
    for (std::size_t l = 0; l < 4; ++l) part[l] += coefficients[t + l] * static_cast<double>(values[t + l]);
  for (std::size_t l = 0; t + l < coefficients.size(); ++l)
    part[l] += coefficients[t + l] * static_cast<double>(values[t + l]);
  return (part[0] + part[2]) + (part[1] + part[3]);
}

}  // namespace wajah::svm
