// Linear: y = activation(x * weights + bias), a matrix product over whole images flattened in NHWC order. It is a 1x1
// convolution of one pixel, and uses that kernel.
#pragma once

#include <wajah/layers/conv2d.hpp>

namespace wajah {

// Tensors: <N>/weights (In, Out), <N>/biases (Out), and those of Act. x: n images of In numbers each, dense.
template <Name N, int In, int Out, class Act = Identity>
struct Linear {
  static_assert(In > 0 && Out > 0);
  static constexpr std::string_view name = N.view();

  static constexpr Shape out(Shape x) {
    if (x.images(1).size() != In) {
      fail(ErrorKind::input, "{}: input has {}x{}x{} = {} numbers, expected {}", name, x.h, x.w, x.c,
           x.images(1).size(), In);
    }
    return {x.n, 1, 1, Out};
  }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape x) { return out(x).size() * In; }

  void load(const auto& device, const Weights& weights) {
    const Values matrix = weights.scope(name).get("weights", {In, Out});
    const Values biases = weights.scope(name).get("biases", {Out});
    const Values slopes = Act::slopes(weights, Out);
    packed_ = pack_conv2d(device, Conv2dWeights{In, Out, {}, matrix.data(), biases.data(), {Act::kind, slopes.data()}});
  }

  void forward(const auto& device, ConstView<float> x, View<float> y, Arena, const Epilogue& epilogue = {}) const {
    if (!x.dense()) fail(ErrorKind::input, "{}: input is a slice of channels, expected dense images", name);
    const ConstView<float> rows(x.data, {x.shape.n, 1, 1, In});
    conv2d(device, Conv2dArgs{rows,
                              y,
                              {},
                              Pad::valid,
                              packed_.weights.template as<float>(),
                              packed_.biases.template as<float>(),
                              {Act::kind, packed_.slopes.template as<float>()},
                              epilogue});
  }

 private:
  PackedConv2d packed_;
};

}  // namespace wajah
