// How long a piece of work takes, when it is warm and repeated.
#pragma once

#include <functional>

namespace wajah::cli {

struct Timing {
  double median_ms = 0, min_ms = 0;
  double spread = 0;  // how far the middle half of the runs lies apart, as a share of the median
};

// Runs `work` until caches, clock and allocations have settled (at least twice and for a quarter of the time), then
// repeatedly for `seconds`, at least five times.
[[nodiscard]] Timing measure(double seconds, const std::function<void()>& work);

}  // namespace wajah::cli
