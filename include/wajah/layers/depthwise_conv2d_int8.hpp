// DepthwiseConv2dInt8: DepthwiseConv2d from bytes to the bytes of the next layer, or to floats. Each byte meets few
// weights, so these stay float32, and so do sums: y = clamp(sum of weights * (x - zero point) + bias), rounded once.
// Bytes of x may take all of 8 bits on every device, and mean something else in every channel.
#pragma once

#include <wajah/layers/depthwise_conv2d.hpp>
#include <wajah/layers/quantise.hpp>

namespace wajah {

struct DepthwiseConv2dInt8Args {
  ConstView<uint8_t> x;
  View<float> y;             // in its shape and stride: how many pixels and channels to compute, and how far apart
  uint8_t* bytes = nullptr;  // where y goes instead of y.data, if it is to be bytes
  Window window;
  Pad pad = Pad::valid;
  const float* weights = nullptr;  // these two as pack_depthwise_conv2d_int8 laid them out
  const float* biases = nullptr;
  float floor = 0, ceiling = 0;  // of y
  int zero_point = 0;            // of x: what padding consists of
};
WAJAH_KERNEL(depthwise_conv2d_int8, DepthwiseConv2dInt8Args)

#ifndef WAJAH_KERNEL_ISA

// In the order of depthwise_conv2d, for x in its steps and y in those of the output.
struct PackedDepthwiseConv2dInt8 {
  Buffer weights, biases;
  float floor = 0, ceiling = 0;
};

// `output`: what the bytes of y mean; null: y is floats. Throws Error (model) on prelu, which bytes have no room for.
[[nodiscard]] PackedDepthwiseConv2dInt8 pack_depthwise_conv2d_int8(const Cpu& device,
                                                                   const DepthwiseConv2dWeights& weights,
                                                                   const ChannelSteps& input,
                                                                   const ChannelSteps* output);

// Tensors: those of DepthwiseConv2d, <N>/input.range (2), and <N>/input.highs (C) if there is one.
template <Name N, int C, Window W, Pad P, class Act = Identity>
struct DepthwiseConv2dInt8 {
  static_assert(Act::kind != ActivationKind::prelu, "bytes have no room for the negative side of a PReLU");
  using Exact = DepthwiseConv2d<N, C, W, P, Act>;
  using Input = std::uint8_t;
  static constexpr std::string_view name = N.view();

  static constexpr Shape out(Shape x) { return Exact::out(x); }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape x) { return Exact::macs(x); }

  // What the bytes of its input mean.
  static ChannelSteps input(const auto&, const Weights& weights) { return channel_steps_of(weights.scope(name), C); }

  // For an output of floats, and of bytes.
  void load(const auto& device, const Weights& weights) { pack(device, weights, nullptr); }
  void load(const auto& device, const Weights& weights, const ChannelSteps& output) { pack(device, weights, &output); }
  void load(const auto& device, const Weights& weights, Quantisation output) {
    load(device, weights, ChannelSteps{output, {}});
  }

  void forward(const auto& device, ConstView<std::uint8_t> x, View<float> y, Arena) const {
    run(device, x, y, nullptr);
  }
  void forward(const auto& device, ConstView<std::uint8_t> x, View<std::uint8_t> y, Arena) const {
    run(device, x, {nullptr, y.shape, y.stride}, y.data);
  }

 private:
  void pack(const auto& device, const Weights& weights, const ChannelSteps* output) {
    const Values kernel = weights.scope(name).get("weights", {W.h, W.w, C});
    const Values biases = weights.scope(name).get("biases", {C});
    const ChannelSteps from = input(device, weights);
    packed_ = pack_depthwise_conv2d_int8(
        device, DepthwiseConv2dWeights{C, W, kernel.data(), biases.data(), {Act::kind, nullptr}}, from, output);
    zero_point_ = from.zero_point;
  }

  void run(const auto& device, ConstView<std::uint8_t> x, View<float> y, std::uint8_t* bytes) const {
    depthwise_conv2d_int8(device, DepthwiseConv2dInt8Args{x, y, bytes, W, P, packed_.weights.template as<float>(),
                                                          packed_.biases.template as<float>(), packed_.floor,
                                                          packed_.ceiling, zero_point_});
  }

  PackedDepthwiseConv2dInt8 packed_;
  int zero_point_ = 0;
};

#endif

}  // namespace wajah
