// Conv2dInt8: Conv2d over bytes. Weights are signed bytes with a scale an output channel, activations unsigned bytes
// with one scale a map, sums int32, so that y = activation(multiplier * sum + offset) is float32 once at the end, or
// becomes the bytes of the next layer at once. Sums are exact; how fine weights and activations are depends on the CPU
// (byte_steps.hpp).
#pragma once

#include <wajah/layers/conv2d.hpp>
#include <wajah/layers/quantise.hpp>
#ifndef WAJAH_KERNEL_ISA
#include <wajah/layers/byte_steps.hpp>
#endif

namespace wajah {

// The same map once more, in bytes, for whoever reads it next.
struct ByteCopy {
  uint8_t* data = nullptr;
  ptrdiff_t stride = 0;
  Quantisation is;
};

struct Conv2dInt8Args {
  ConstView<uint8_t> x;      // largest_byte() at most
  View<float> y;             // in its shape and stride: how many pixels and channels to compute, and how far apart
  uint8_t* bytes = nullptr;  // where y goes instead of y.data, if it is to be bytes
  Window window;
  Pad pad = Pad::valid;
  const int8_t* weights = nullptr;  // these three as pack_conv2d_int8 laid them out
  const float* multipliers = nullptr;
  const float* offsets = nullptr;
  float floor = 0, ceiling = 0;  // of y
  int zero_point = 0;            // of x: what padding consists of
  Epilogue epilogue;             // only where y is floats
  ByteCopy copy;                 // only with an epilogue
};
WAJAH_KERNEL_AMX(conv2d_int8, Conv2dInt8Args)

#ifndef WAJAH_KERNEL_ISA

// The same convolution in the order a device's conv2d_int8 reads it.
struct PackedConv2dInt8 {
  Buffer weights, multipliers, offsets;
  float floor = 0, ceiling = 0;
};

// Quantises the weights, symmetric about zero and largest_byte_weight() steps up to the largest of each output channel:
// weights that a file stores in 127 steps come out as they were stored where that is 127. `output`: what the bytes of y
// mean, with `scales` of each channel or one for all; null: y is floats. Throws Error (model) on prelu, which bytes
// have no room for.
[[nodiscard]] PackedConv2dInt8 pack_conv2d_int8(const Cpu& device, const Conv2dWeights& weights, Quantisation input,
                                                const Quantisation* output, std::span<const float> scales = {});

// Tensors: those of Conv2d, and <N>/input.range (2).
template <Name N, int In, int Out, Window W, Pad P, class Act = Identity>
struct Conv2dInt8 {
  static_assert(In % 4 == 0, "bytes are multiplied four channels at a time");
  static_assert(Act::kind != ActivationKind::prelu, "bytes have no room for the negative side of a PReLU");
  using Exact = Conv2d<N, In, Out, W, P, Act>;
  using Input = std::uint8_t;
  static constexpr std::string_view name = N.view();

  static constexpr Shape out(Shape x) { return Exact::out(x); }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape x) { return Exact::macs(x); }

  // What the bytes of its input mean.
  static Quantisation input(const auto& device, const Weights& weights) {
    return quantisation_of(range_of(weights.scope(name)), largest_byte(device));
  }

  // For an output of floats, and of bytes.
  void load(const auto& device, const Weights& weights) { pack(device, weights, nullptr, {}); }
  void load(const auto& device, const Weights& weights, Quantisation output) { pack(device, weights, &output, {}); }
  void load(const auto& device, const Weights& weights, const ChannelSteps& output) {
    pack(device, weights, &output, output.scales);
  }

  void forward(const auto& device, ConstView<std::uint8_t> x, View<float> y, Arena, const Epilogue& epilogue = {},
               const ByteCopy& copy = {}) const {
    run(device, x, y, nullptr, epilogue, copy);
  }
  void forward(const auto& device, ConstView<std::uint8_t> x, View<std::uint8_t> y, Arena) const {
    run(device, x, {nullptr, y.shape, y.stride}, y.data, {}, {});
  }

 private:
  void pack(const auto& device, const Weights& weights, const Quantisation* output, std::span<const float> scales) {
    const Values kernel = weights.scope(name).get("weights", {W.h, W.w, In, Out});
    const Values biases = weights.scope(name).get("biases", {Out});
    const Quantisation from = input(device, weights);
    packed_ = pack_conv2d_int8(device, Conv2dWeights{In, Out, W, kernel.data(), biases.data(), {Act::kind, nullptr}},
                               from, output, scales);
    zero_point_ = from.zero_point;
  }

  void run(const auto& device, ConstView<std::uint8_t> x, View<float> y, std::uint8_t* bytes, const Epilogue& epilogue,
           const ByteCopy& copy) const {
    conv2d_int8(device, Conv2dInt8Args{x, y, bytes, W, P, packed_.weights.template as<std::int8_t>(),
                                       packed_.multipliers.template as<float>(), packed_.offsets.template as<float>(),
                                       packed_.floor, packed_.ceiling, zero_point_, epilogue, copy});
  }

  PackedConv2dInt8 packed_;
  int zero_point_ = 0;
};

#endif

}  // namespace wajah
