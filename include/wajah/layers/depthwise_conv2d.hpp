// DepthwiseConv2d: every channel is convolved with a window of its own, y = activation(conv(x) + bias) (Howard et al.
// 2017).
#pragma once

#include <wajah/layer.hpp>
#ifndef WAJAH_KERNEL_ISA
#include <wajah/layers/activation.hpp>
#endif

namespace wajah {

struct DepthwiseConv2dArgs {
  ConstView<float> x;
  View<float> y;
  Window window;
  Pad pad = Pad::valid;
  const float* weights = nullptr;  // these two and activation.slope as pack_depthwise_conv2d laid them out
  const float* biases = nullptr;
  Activation activation;
};
WAJAH_KERNEL(depthwise_conv2d, DepthwiseConv2dArgs)

#ifndef WAJAH_KERNEL_ISA

// The weights of one depthwise convolution as files have them.
struct DepthwiseConv2dWeights {
  int channels = 0;
  Window window;
  const float* weights = nullptr;  // (window.h, window.w, channels)
  const float* biases = nullptr;   // (channels)
  Activation activation;           // slope: (channels), or null
};

struct PackedDepthwiseConv2d {
  Buffer weights, biases, slopes;
};

[[nodiscard]] PackedDepthwiseConv2d pack_depthwise_conv2d(const Cpu& device, const DepthwiseConv2dWeights& weights);

// Tensors: <N>/weights (h, w, C), <N>/biases (C), and those of Act.
template <Name N, int C, Window W, Pad P, class Act = Identity>
struct DepthwiseConv2d {
  static_assert(C > 0 && W.h > 0 && W.w > 0 && W.stride > 0);
  static constexpr std::string_view name = N.view();

  static constexpr Shape out(Shape x) {
    require_channels(name, x, C);
    const Shape y{x.n, reach(x.h, W.h, W.stride, P).out, reach(x.w, W.w, W.stride, P).out, C};
    require_output(name, x, y);
    return y;
  }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape x) { return out(x).size() * std::size_t{W.h} * W.w; }

  void load(const auto& device, const Weights& weights) {
    const Values kernel = weights.scope(name).get("weights", {W.h, W.w, C});
    const Values biases = weights.scope(name).get("biases", {C});
    const Values slopes = Act::slopes(weights, C);
    packed_ = pack_depthwise_conv2d(
        device, DepthwiseConv2dWeights{C, W, kernel.data(), biases.data(), {Act::kind, slopes.data()}});
  }

  void forward(const auto& device, ConstView<float> x, View<float> y, Arena) const {
    depthwise_conv2d(device, DepthwiseConv2dArgs{x,
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
