// HardSwish: y = x * clamp(x + 3, 0, 6) / 6, element by element (Howard et al. 2019). y may be x.
#pragma once

#include <wajah/layer.hpp>

namespace wajah {

struct HardSwishArgs {
  ConstView<float> x;
  View<float> y;
};
WAJAH_KERNEL(hard_swish, HardSwishArgs)

#ifndef WAJAH_KERNEL_ISA

struct HardSwish {
  static constexpr std::string_view name = "HardSwish";

  static constexpr Shape out(Shape x) { return x; }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape) { return 0; }
  void load(const auto&, const Weights&) {}
  void forward(const auto& device, ConstView<float> x, View<float> y, Arena) const {
    hard_swish(device, HardSwishArgs{x, y});
  }
};

#endif

}  // namespace wajah
