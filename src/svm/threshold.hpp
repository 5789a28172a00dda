// Threshold: rho, the constant term of a machine, from its variables and their gradients.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

namespace wajah::svm {

// On the margin -gradient is rho; with no variable there, rho is the middle of what the conditions allow (libsvm's
// calculate_rho).
class Threshold {
 public:
  // A variable with this gradient lies within its bounds.
  void add(double value, double lower, double upper, double gradient) {
    const bool may_rise = value < upper, may_fall = value > lower;
    if (may_rise) rise_ = std::max(rise_, gradient);
    if (may_fall) fall_ = std::min(fall_, gradient);
    if (!may_rise || !may_fall) return;
    sum_ += gradient;
    ++free_;
  }
  [[nodiscard]] double rho() const { return free_ > 0 ? -sum_ / static_cast<double>(free_) : -(rise_ + fall_) / 2; }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  double sum_ = 0, rise_ = -infinity, fall_ = infinity;
  std::size_t free_ = 0;
};

}  // namespace wajah::svm
