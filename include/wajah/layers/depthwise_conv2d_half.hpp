// DepthwiseConv2dHalf: DepthwiseConv2d over maps of 16-bit words (conv2d_half.hpp). Weights, products and
// sums are float32; y is rounded once.
#pragma once

#include <wajah/cpu_half.hpp>
#include <wajah/layers/depthwise_conv2d.hpp>

namespace wajah {

struct DepthwiseConv2dHalfArgs {
  ConstView<uint16_t> x{};
  View<uint16_t> y{};
  Window window{};
  Pad pad = Pad::valid;
  const float* weights = nullptr;  // these two and activation.slope as pack_depthwise_conv2d laid them out
  const float* biases = nullptr;
  Activation activation{};
};
WAJAH_KERNEL_FP16(depthwise_conv2d_half, DepthwiseConv2dHalfArgs)

#ifndef WAJAH_KERNEL_ISA

// Tensors: those of DepthwiseConv2d.
template <Name N, int C, Window W, Pad P, class Act = Identity>
struct DepthwiseConv2dHalf {
  using Exact = DepthwiseConv2d<N, C, W, P, Act>;
  using Input = std::uint16_t;
  static constexpr std::string_view name = N.view();

  static constexpr Shape out(Shape x) { return Exact::out(x); }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape x) { return Exact::macs(x); }

  void load(const auto& device, const Weights& weights) {
    const Values kernel = weights.scope(name).get("weights", {W.h, W.w, C});
    const Values biases = weights.scope(name).get("biases", {C});
    const Values slopes = Act::slopes(weights, C);
    packed_ = pack_depthwise_conv2d(
        device, DepthwiseConv2dWeights{C, W, kernel.data(), biases.data(), {Act::kind, slopes.data()}});
  }

  void forward(const auto& device, ConstView<std::uint16_t> x, View<std::uint16_t> y, Arena) const {
    depthwise_conv2d_half(device, DepthwiseConv2dHalfArgs{x,
                                                          y,
                                                          W,
                                                          P,
                                                          packed_.weights.template as<float>(),
                                                          packed_.biases.template as<float>(),
                                                          {Act::kind, packed_.slopes.template as<float>()}});
  }

 private:
  PackedDepthwiseConv2d packed_;
};

#endif

}  // namespace wajah
