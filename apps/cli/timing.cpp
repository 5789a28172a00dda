#include "cli/timing.hpp"

#include "cli/report.hpp"

#include <wajah/error.hpp>

#include <algorithm>
#include <vector>

namespace wajah::cli {

namespace {
constexpr std::size_t least_warm_ups = 2, least_runs = 5;
}

void check_seconds(double seconds) {
  if (!(seconds > 0 && seconds <= 3600)) {
    fail(ErrorKind::usage, "--seconds {}: expected more than 0, at most 3600", seconds);
  }
}

void check_count(std::string_view option, std::size_t count, std::size_t least, std::size_t most) {
  if (count < least || count > most) {
    fail(ErrorKind::usage, "--{} {}: expected {} to {}", option, count, least, most);
  }
}

Timing measure(double seconds, const std::function<void()>& work, const std::function<void()>& warm) {
  const Stopwatch warming;
  for (std::size_t i = 0; i < least_warm_ups || warming.milliseconds() < seconds * 250; ++i) work();
  if (warm) warm();
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
