// What stands before and after a convolution of cuDNN that cuDNN does not do itself.
#pragma once

#include <wajah/cuda_kernels.hpp>
#include <wajah/launch.hpp>

namespace wajah {

// x as cuDNN wants it: dense, in the format products are made in (words of 16 bits, or floats as they are), and with
// `top` rows and `left` columns of zeros before it and as many behind as y's shape has room for.
struct BringMapArgs {
  ConstView<float> x{};
  void* y = nullptr;
  Shape shape{};  // of y
  int top = 0, left = 0;
  Arithmetic format = Arithmetic::fp32;
};
WAJAH_CARD_KERNEL(bring_map, BringMapArgs)

// How a convolution ends whose sums lie dense in y's shape: y = activation(sum + bias), or with an epilogue
// y = activation(add + scale * (sum + bias)).
struct FinishConv2dArgs {
  const void* sums = nullptr;
  Arithmetic format = Arithmetic::fp32;  // fp16, bf16: words; else floats
  View<float> y{};
  const float* biases = nullptr;
  Activation activation{};
  Epilogue epilogue{};
};
WAJAH_CARD_KERNEL(finish_conv2d, FinishConv2dArgs)

}  // namespace wajah
