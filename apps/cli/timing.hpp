// How long a piece of work takes, when it is warm and repeated.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace wajah::cli {

struct Timing {
  double median_ms = 0, min_ms = 0;
  double spread = 0;  // how far the middle half of the runs lies apart, as a share of the median
};

// Throws Error (usage) on a --seconds that is not more than 0 and at most 3600.
void check_seconds(double seconds);

// Throws Error (usage), naming the option, on a count that is not within these bounds.
void check_count(std::string_view option, std::size_t count, std::size_t least, std::size_t most);

// Runs `work` until caches, clock and allocations have settled (at least twice and for a quarter of the time), then
// repeatedly for `seconds`, at least five times. `warm` is called before the first run that counts.
[[nodiscard]] Timing measure(double seconds, const std::function<void()>& work, const std::function<void()>& warm = {});

}  // namespace wajah::cli
