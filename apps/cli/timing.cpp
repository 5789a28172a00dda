#include "cli/timing.hpp"

#include "cli/report.hpp"

#include <algorithm>
#include <vector>

namespace wajah::cli {

namespace {
constexpr std::size_t least_warm_ups = 2, least_runs = 5;
}

Timing measure(double seconds, const std::function<void()>& work) {
  const Stopwatch warming;
  for (std::size_t i = 0; i < least_warm_ups || warming.milliseconds() < seconds * 250; ++i) work();
  std::vector<double> times;
  const Stopwatch total;
  while (times.size() < least_runs || total.milliseconds() < seconds * 1000) {
    const Stopwatch one;
    work();
    times.push_back(one.milliseconds());
  }
  std::ranges::sort(times);
  const double median = times[times.size() / 2], middle = times[times.size() * 3 / 4] - times[times.size() / 4];
  return {median, times.front(), median > 0 ? middle / median : 0};
}

}  // namespace wajah::cli
