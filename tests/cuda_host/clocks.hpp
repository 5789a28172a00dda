// Clock: what a warp, or a barrier in shared memory, has heard of (a vector clock). Every warp and every barrier counts
// its own steps; whoever waits for a barrier hears all that those who arrived there had heard.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace wajah::shim {

struct Clock {
  static constexpr unsigned warps = 32, barriers = 32;

  std::array<std::uint32_t, warps + barriers> heard{};

  void join(const Clock& other) {
    for (std::size_t i = 0; i < heard.size(); ++i) heard[i] = std::max(heard[i], other.heard[i]);
  }
};

}  // namespace wajah::shim
