// Conv2dToHalf: Conv2d from a map of floats to one of 16-bit words (conv2d_half.hpp): the first layer of a
// network on such maps, whose three channels tensor cores have no use for. Weights and products are float32.
#pragma once

#include <wajah/cpu_half.hpp>
#include <wajah/layers/conv2d.hpp>
#include <wajah/layers/epilogue.hpp>

namespace wajah {

// Conv2dArgs with words for y: halves where Launch::arithmetic is fp16, bfloat16 where it is bf16.
struct Conv2dToHalfArgs {
  ConstView<float> x{};
  View<uint16_t> y{};
  Window window{};
  Pad pad = Pad::valid;
  const float* weights = nullptr;  // these two and activation.slope as pack_conv2d laid them out for fp32
  const float* biases = nullptr;
  Activation activation{};
  HalfEpilogue epilogue{};
};
WAJAH_KERNEL_FP16(conv2d_to_half, Conv2dToHalfArgs)

#ifndef WAJAH_KERNEL_ISA

// Tensors: those of Conv2d.
template <Name N, int In, int Out, Window W, Pad P, class Act = Identity>
struct Conv2dToHalf {
  static_assert(In % 8 != 0, "Conv2dHalf multiplies eight channels of 16 bits at a time, and weights are packed so");
  using Exact = Conv2d<N, In, Out, W, P, Act>;
  static constexpr std::string_view name = N.view();

  static constexpr Shape out(Shape x) { return Exact::out(x); }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape x) { return Exact::macs(x); }

  void load(const auto& device, const Weights& weights) {
    const Values kernel = weights.scope(name).get("weights", {W.h, W.w, In, Out});
    const Values biases = weights.scope(name).get("biases", {Out});
    const Values slopes = Act::slopes(weights, Out);
    packed_ = pack_conv2d(device, Conv2dWeights{In, Out, W, kernel.data(), biases.data(), {Act::kind, slopes.data()}});
  }

  void forward(const auto& device, ConstView<float> x, View<std::uint16_t> y, Arena,
               const HalfEpilogue& epilogue = {}) const {
    conv2d_to_half(device, Conv2dToHalfArgs{x,
                                            y,
                                            W,
                                            P,
                                            packed_.weights.template as<float>(),
                                            packed_.biases.template as<float>(),
                                            {Act::kind, packed_.slopes.template as<float>()},
                                            epilogue});
  }

 private:
  PackedConv2d packed_;
};

#endif

}  // namespace wajah
