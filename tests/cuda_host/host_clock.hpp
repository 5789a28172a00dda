// A ClockDriver whose card is the host. It runs what was recorded, and its time is invented, so that sums can be
// foretold: host_clock_ms for each block of a launch.
#pragma once

#include <wajah/cuda_clock.hpp>

namespace wajah {

inline constexpr double host_clock_ms = 0.001;

[[nodiscard]] const ClockDriver& host_clock();
// The same without running anything: for networks that take the host long.
[[nodiscard]] const ClockDriver& host_clock_alone();

}  // namespace wajah
