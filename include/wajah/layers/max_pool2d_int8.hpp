// MaxPool2dInt8: MaxPool2d over bytes, whose order is that of the numbers they stand for.
#pragma once

#include <wajah/layers/max_pool2d.hpp>
#include <wajah/layers/quantise.hpp>

namespace wajah {

struct MaxPool2dInt8Args {
  ConstView<uint8_t> x;
  View<uint8_t> y;
  Window window;
  Pad pad = Pad::valid;
};
WAJAH_KERNEL(max_pool2d_int8, MaxPool2dInt8Args)

#ifndef WAJAH_KERNEL_ISA

template <Window W, Pad P>
struct MaxPool2dInt8 {
  using Exact = MaxPool2d<W, P>;
  using Input = std::uint8_t;
  static constexpr std::string_view name = Exact::name;

  static constexpr Shape out(Shape x) { return Exact::out(x); }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape) { return 0; }
  // Bytes mean the same after it as before.
  void load(const auto&, const Weights&, Quantisation) {}
  void forward(const auto& device, ConstView<std::uint8_t> x, View<std::uint8_t> y, Arena) const {
    max_pool2d_int8(device, MaxPool2dInt8Args{x, y, W, P});
  }
};

#endif

}  // namespace wajah
