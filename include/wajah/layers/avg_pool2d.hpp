// GlobalAvgPool: the mean of every channel over the whole map, y: (n, 1, 1, c).
#pragma once

#include <wajah/layer.hpp>

namespace wajah {

struct GlobalAvgPoolArgs {
  ConstView<float> x;
  View<float> y;
};
WAJAH_KERNEL(global_avg_pool, GlobalAvgPoolArgs)

#ifndef WAJAH_KERNEL_ISA

struct GlobalAvgPool {
  static constexpr std::string_view name = "GlobalAvgPool";

  static constexpr Shape out(Shape x) {
    require_output(name, x, x);
    return {x.n, 1, 1, x.c};
  }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape) { return 0; }
  void load(const auto&, const Weights&) {}
  void forward(const auto& device, ConstView<float> x, View<float> y, Arena) const {
    global_avg_pool(device, GlobalAvgPoolArgs{x, y});
  }
};

#endif

}  // namespace wajah
