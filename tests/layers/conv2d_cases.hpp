// The convolutions' list of shapes, for all kernels that do them.
#pragma once

#include <wajah/layers/conv2d.hpp>

#include "compare.hpp"

#include <string>

namespace wajah {

struct Conv2dCase {
  Shape x;
  int out = 1;
  Window window;
  Pad pad = Pad::valid;

  [[nodiscard]] Shape y() const {
    return {x.n, reach(x.h, window.h, window.stride, pad).out, reach(x.w, window.w, window.stride, pad).out, out};
  }
  [[nodiscard]] bool possible() const { return y().h > 0 && y().w > 0; }
};

inline std::string describe(const std::string& kernel, const Conv2dCase& c) {
  const char* pads[] = {"valid", "same", "half"};
  return fmt::format("{} {}x{}x{}x{} -> {}, {}x{}/{} {}", kernel, c.x.n, c.x.h, c.x.w, c.x.c, c.out, c.window.h,
                     c.window.w, c.window.stride, pads[static_cast<int>(c.pad)]);
}

inline constexpr Pad pads[] = {Pad::valid, Pad::same, Pad::half};

// Windows, strides and padding on small maps.
void each_small_map(std::mt19937& random, auto&& visit) {
  for (const Window window : {Window{1, 1}, {2, 2}, {3, 3}, {1, 3}, {3, 1}, {1, 7}, {7, 1}, {5, 5}, {7, 7}}) {
    for (const int stride : {1, 2}) {
      for (const Pad pad : pads) {
        for (int side = 1; side <= 17; side += side < 4 ? 1 : 3) {
          const int n = 1 + static_cast<int>(random() % 3);
          const int other = 1 + static_cast<int>(random() % 17);
          visit(Conv2dCase{{n, side, other, 5}, 17, {window.h, window.w, stride}, pad});
        }
      }
    }
  }
}

// Channels on and beside the vector width.
void each_channel_count(auto&& visit) {
  for (const int in : beside_vectors) {
    for (const int out : beside_vectors) {
      visit(Conv2dCase{{1, 3, 5, in}, out, {1, 1}, Pad::valid});
      visit(Conv2dCase{{2, 4, 3, in}, out, {3, 3}, Pad::same});
    }
  }
}

inline const Conv2dCase conv2d_cases_of_networks[] = {
    {{1, 31, 29, 3}, 10, {3, 3}, Pad::valid},     {{1, 14, 27, 10}, 16, {3, 3}, Pad::valid},
    {{1, 12, 25, 16}, 32, {3, 3}, Pad::valid},    {{1, 9, 23, 32}, 2, {1, 1}, Pad::same},
    {{3, 24, 24, 3}, 28, {3, 3}, Pad::valid},     {{3, 11, 11, 28}, 48, {3, 3}, Pad::valid},
    {{3, 4, 4, 48}, 64, {2, 2}, Pad::valid},      {{2, 41, 41, 3}, 32, {3, 3, 2}, Pad::valid},
    {{1, 20, 20, 64}, 80, {1, 1}, Pad::valid},    {{1, 12, 12, 80}, 192, {3, 3}, Pad::valid},
    {{2, 17, 17, 32}, 32, {3, 3}, Pad::same},     {{1, 17, 17, 192}, 96, {3, 3, 2}, Pad::valid},
    {{2, 8, 8, 128}, 128, {1, 7}, Pad::same},     {{2, 8, 8, 128}, 128, {7, 1}, Pad::same},
    {{1, 8, 8, 896}, 128, {1, 1}, Pad::same},     {{1, 8, 8, 256}, 896, {1, 1}, Pad::same},
    {{3, 3, 3, 192}, 192, {1, 3}, Pad::same},     {{3, 3, 3, 192}, 192, {3, 1}, Pad::same},
    {{1, 3, 3, 1792}, 192, {1, 1}, Pad::same},    {{2, 1, 1, 1792}, 512, {1, 1}, Pad::valid},
    {{1, 112, 112, 3}, 64, {3, 3, 2}, Pad::half}, {{1, 40, 40, 256}, 24, {1, 1}, Pad::valid},
};

}  // namespace wajah
