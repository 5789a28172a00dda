// Softmax over the channels of each pixel: y = exp(x - max x) / sum exp(x - max x). y may be x.
#pragma once

#include <wajah/layer.hpp>

namespace wajah {

struct SoftmaxArgs {
  ConstView<float> x;
  View<float> y;
};
WAJAH_KERNEL(softmax, SoftmaxArgs)

#ifndef WAJAH_KERNEL_ISA

struct Softmax {
  static constexpr std::string_view name = "Softmax";

  static constexpr Shape out(Shape x) { return x; }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape) { return 0; }
  void load(const auto&, const Weights&) {}
  void forward(const auto& device, ConstView<float> x, View<float> y, Arena) const {
    softmax(device, SoftmaxArgs{x, y});
  }
};

#endif

}  // namespace wajah
