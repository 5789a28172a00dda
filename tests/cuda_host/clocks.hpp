// Clock: what a warp, or a barrier in shared memory, has heard of (a vector clock). Every warp and every barrier counts
// its own steps; whoever waits for a barrier hears all that those who arrived there had heard.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace wajah::shim {

struct Clock {
  static constexpr unsigned warps = 32, barriers = 32;

  // Steps of warps, then of barriers.
  std::array<std::uint32_t, warps + barriers> heard{};
  // Steps of warps that somebody has heard of without the cluster's barrier: threads come there one by one, and for
  // what one of them does between arriving and waiting, SharedMemory counts arrivals instead.
  std::array<std::uint32_t, warps> before{};

  void step(unsigned warp) {
    ++heard[warp];
    ++before[warp];
  }
  void hear(const Clock& other) {
    for (std::size_t i = 0; i < heard.size(); ++i) heard[i] = std::max(heard[i], other.heard[i]);
  }
  void join(const Clock& other) {
    hear(other);
    for (std::size_t i = 0; i < before.size(); ++i) before[i] = std::max(before[i], other.before[i]);
  }
};

}  // namespace wajah::shim
