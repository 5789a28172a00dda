// How fast this machine reads memory now, to which benchmarks relate work that streams.
#pragma once

#include "cli/timing.hpp"

#include <cstddef>

namespace wajah::cli {

// What adding up `bytes` bytes takes with all `threads`: nothing that reads them can be faster.
[[nodiscard]] Timing measure_reading(std::size_t bytes, int threads, double seconds);

}  // namespace wajah::cli
