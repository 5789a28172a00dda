// Conv2dHalf: Conv2d over maps of 16-bit words: halves, or on cards bfloat16, as the device's Arithmetic says. Products
// are of those words, sums, biases, slopes and the sum of a residual float32; y is rounded once, or stays float32 for
// whoever reads that. A CPU with half arithmetic adds up to 64 products in halves before their sum is added in float.
#pragma once

#include <wajah/cpu_half.hpp>
#include <wajah/layers/conv2d.hpp>
#include <wajah/layers/epilogue.hpp>

namespace wajah {

// The words are halves where Launch::arithmetic is fp16, bfloat16 where it is bf16; it is nothing else. Any number of
// channels; fast where x.shape.c is a multiple of 8 and pixels of x, y and add begin at multiples of 16 bytes.
struct Conv2dHalfArgs {
  ConstView<uint16_t> x{};
  View<uint16_t> y{};       // in its shape and stride: how many pixels and channels to compute, and how far apart
  float* floats = nullptr;  // where y goes instead of y.data, if it is to be float32
  Window window{};
  Pad pad = Pad::valid;
  const uint16_t* weights = nullptr;  // these two and activation.slope as pack_conv2d_half laid them out: (window.h,
  const float* biases = nullptr;      // window.w, in, out), output channels padded with zeros to a multiple of 8
  Activation activation{};
  HalfEpilogue epilogue{};  // its `add` may be the very memory of y, as Epilogue's
};
WAJAH_KERNEL_FP16(conv2d_half, Conv2dHalfArgs)

#ifndef WAJAH_KERNEL_ISA

// Halves; an even number of input channels.
[[nodiscard]] PackedConv2d pack_conv2d_half(const Cpu& device, const Conv2dWeights& weights);
// Throws Error (usage) where the device's arithmetic has no words of 16 bits.
[[nodiscard]] PackedConv2d pack_conv2d_half(const Cuda& device, const Conv2dWeights& weights);

// Tensors: those of Conv2d.
template <Name N, int In, int Out, Window W, Pad P, class Act = Identity>
struct Conv2dHalf {
  static_assert(In % 8 == 0, "16 bytes of one pixel's channels are fetched at once");
  using Exact = Conv2d<N, In, Out, W, P, Act>;
  using Input = std::uint16_t;
  static constexpr std::string_view name = N.view();

  static constexpr Shape out(Shape x) { return Exact::out(x); }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape x) { return Exact::macs(x); }

  void load(const auto& device, const Weights& weights) {
    const Values kernel = weights.scope(name).get("weights", {W.h, W.w, In, Out});
    const Values biases = weights.scope(name).get("biases", {Out});
    const Values slopes = Act::slopes(weights, Out);
    packed_ =
        pack_conv2d_half(device, Conv2dWeights{In, Out, W, kernel.data(), biases.data(), {Act::kind, slopes.data()}});
  }

  void forward(const auto& device, ConstView<std::uint16_t> x, View<std::uint16_t> y, Arena,
               const HalfEpilogue& epilogue = {}) const {
    run(device, x, y, nullptr, epilogue);
  }
  void forward(const auto& device, ConstView<std::uint16_t> x, View<float> y, Arena,
               const HalfEpilogue& epilogue = {}) const {
    run(device, x, {nullptr, y.shape, y.stride}, y.data, epilogue);
  }

 private:
  void run(const auto& device, ConstView<std::uint16_t> x, View<std::uint16_t> y, float* floats,
           const HalfEpilogue& epilogue) const {
    conv2d_half(device, Conv2dHalfArgs{x,
                                       y,
                                       floats,
                                       W,
                                       P,
                                       packed_.weights.template as<std::uint16_t>(),
                                       packed_.biases.template as<float>(),
                                       {Act::kind, packed_.slopes.template as<float>()},
                                       epilogue});
  }

  PackedConv2d packed_;
};

#endif

}  // namespace wajah
