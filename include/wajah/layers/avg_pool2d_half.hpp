// GlobalAvgPoolHalf: GlobalAvgPool of a map of 16-bit words (conv2d_half.hpp). The means are floats.
#pragma once

#include <wajah/cpu_half.hpp>
#include <wajah/layers/avg_pool2d.hpp>

namespace wajah {

struct GlobalAvgPoolHalfArgs {
  ConstView<uint16_t> x{};
  View<float> y{};
};
WAJAH_KERNEL_FP16(global_avg_pool_half, GlobalAvgPoolHalfArgs)

#ifndef WAJAH_KERNEL_ISA

struct GlobalAvgPoolHalf {
  using Input = std::uint16_t;
  static constexpr std::string_view name = GlobalAvgPool::name;

  static constexpr Shape out(Shape x) { return GlobalAvgPool::out(x); }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape) { return 0; }
  void load(const auto&, const Weights&) {}
  void forward(const auto& device, ConstView<std::uint16_t> x, View<float> y, Arena) const {
    global_avg_pool_half(device, GlobalAvgPoolHalfArgs{x, y});
  }
};

#endif

}  // namespace wajah
