// MaxPool2dHalf: MaxPool2d over maps of 16-bit words (conv2d_half.hpp). Exact.
#pragma once

#include <wajah/cpu_half.hpp>
#include <wajah/layers/max_pool2d.hpp>

namespace wajah {

// Words are compared as halves and bfloat16 both are ordered: by sign and magnitude.
struct MaxPool2dHalfArgs {
  ConstView<uint16_t> x{};
  View<uint16_t> y{};
  Window window{};
  Pad pad = Pad::valid;
};
WAJAH_KERNEL_FP16(max_pool2d_half, MaxPool2dHalfArgs)

#ifndef WAJAH_KERNEL_ISA

template <Window W, Pad P>
struct MaxPool2dHalf {
  using Exact = MaxPool2d<W, P>;
  using Input = std::uint16_t;
  static constexpr std::string_view name = Exact::name;

  static constexpr Shape out(Shape x) { return Exact::out(x); }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape) { return 0; }
  void load(const auto&, const Weights&) {}
  void forward(const auto& device, ConstView<std::uint16_t> x, View<std::uint16_t> y, Arena) const {
    max_pool2d_half(device, MaxPool2dHalfArgs{x, y, W, P});
  }
};

#endif

}  // namespace wajah
