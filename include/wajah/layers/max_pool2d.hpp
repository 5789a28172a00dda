// MaxPool2d: the largest value of each window, channel by channel. Padding never wins: the window is cut at the border.
#pragma once

#include <wajah/layer.hpp>

namespace wajah {

struct MaxPool2dArgs {
  ConstView<float> x;
  View<float> y;
  Window window;
  Pad pad = Pad::valid;
};
WAJAH_KERNEL(max_pool2d, MaxPool2dArgs)

#ifndef WAJAH_KERNEL_ISA

template <Window W, Pad P>
struct MaxPool2d {
  static_assert(W.h > 0 && W.w > 0 && W.stride > 0);
  static constexpr std::string_view name = "MaxPool2d";

  static constexpr Shape out(Shape x) {
    const Shape y{x.n, reach(x.h, W.h, W.stride, P).out, reach(x.w, W.w, W.stride, P).out, x.c};
    require_output(name, x, y);
    return y;
  }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape) { return 0; }
  void load(const auto&, const Weights&) {}
  void forward(const auto& device, ConstView<float> x, View<float> y, Arena) const {
    max_pool2d(device, MaxPool2dArgs{x, y, W, P});
  }
};

#endif

}  // namespace wajah
