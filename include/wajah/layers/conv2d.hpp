// Conv2d: y = activation(conv(x) + bias), or with an epilogue y = activation(add + scale * (conv(x) + bias)).
// Batch normalisation is folded into weights and bias before they get here (convert/).
#pragma once

#include <wajah/layer.hpp>
#ifndef WAJAH_KERNEL_ISA
#include <wajah/layers/activation.hpp>
#endif

namespace wajah {

struct Conv2dArgs {
  ConstView<float> x;
  View<float> y;  // in its shape: how many pixels and channels to compute
  Window window;
  Pad pad = Pad::valid;
  const float* weights = nullptr;  // these two and activation.slope as pack_conv2d laid them out for the device
  const float* biases = nullptr;
  Activation activation;
  Epilogue epilogue;
};
WAJAH_KERNEL(conv2d, Conv2dArgs)

inline constexpr int max_window_pixels = 64;  // taps of one window that kernels have room for

#ifndef WAJAH_KERNEL_ISA

// The weights of one convolution as files have them.
struct Conv2dWeights {
  int in = 0, out = 0;
  Window window;
  const float* weights = nullptr;  // (window.h, window.w, in, out)
  const float* biases = nullptr;   // (out)
  Activation activation;           // slope: (out), or null
};

// The same in the order a device's conv2d reads them.
struct PackedConv2d {
  Buffer weights, biases, slopes;
};

// Packs for the instruction set of `device`, on its threads. Other devices have overloads of their own.
[[nodiscard]] PackedConv2d pack_conv2d(const Cpu& device, const Conv2dWeights& weights);

// Tensors: <N>/weights (h, w, In, Out), <N>/biases (Out), and those of Act.
template <Name N, int In, int Out, Window W, Pad P, class Act = Identity>
struct Conv2d {
  static_assert(In > 0 && Out > 0 && W.h > 0 && W.w > 0 && W.stride > 0);
  static_assert(W.h * W.w <= max_window_pixels, "this window is larger than the kernels have room for");
  static constexpr std::string_view name = N.view();

  static constexpr Shape out(Shape x) {
    require_channels(name, x, In);
    const Shape y{x.n, reach(x.h, W.h, W.stride, P).out, reach(x.w, W.w, W.stride, P).out, Out};
    require_output(name, x, y);
    return y;
  }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape x) { return out(x).size() * std::size_t{W.h} * W.w * In; }

  void load(const auto& device, const Weights& weights) {
    const Values kernel = weights.scope(name).get("weights", {W.h, W.w, In, Out});
    const Values biases = weights.scope(name).get("biases", {Out});
    const Values slopes = Act::slopes(weights, Out);
    packed_ = pack_conv2d(device, Conv2dWeights{In, Out, W, kernel.data(), biases.data(), {Act::kind, slopes.data()}});
  }

  void forward(const auto& device, ConstView<float> x, View<float> y, Arena, const Epilogue& epilogue = {}) const {
    conv2d(device, Conv2dArgs{x,
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
