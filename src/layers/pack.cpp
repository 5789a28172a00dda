#include <wajah/layers/conv2d_half.hpp>
#include <wajah/layers/depthwise_conv2d.hpp>
#include <wajah/layers/pack.hpp>
#include <wajah/layers/pack_half.hpp>

#include <algorithm>

namespace wajah {

Buffer pack_rows(const Cpu& device, const float* values, int rows, int channels) {
  const auto from = static_cast<std::size_t>(channels);
  const auto to = static_cast<std::size_t>(round_up(channels));
  Buffer packed = allocate_weights(device, static_cast<std::size_t>(rows) * to * sizeof(float));
  auto* row = packed.as<float>();
  for (int i = 0; i < rows; ++i, row += to, values += from) {
    std::fill(std::copy_n(values, from, row), row + to, 0.0F);
  }
  return packed;
}

Buffer pack_slopes(const Cpu& device, Activation activation, int channels) {
  if (activation.kind == ActivationKind::prelu) return pack_rows(device, activation.slope, 1, channels);
  const auto count = static_cast<std::size_t>(round_up(channels));
  Buffer packed = allocate_weights(device, count * sizeof(float));
  std::fill_n(packed.as<float>(), count, activation.kind == ActivationKind::identity ? 1.0F : 0.0F);
  return packed;
}

PackedConv2d pack_conv2d(const Cpu& device, const Conv2dWeights& from) {
  const int taps = from.window.h * from.window.w;
  const int zeros = from.window.w * from.in;  // what a whole row of the window reads where there is only padding
  const auto floats = static_cast<std::size_t>(round_up(from.out)) * static_cast<std::size_t>(taps) *
                          static_cast<std::size_t>(from.in) +
                      static_cast<std::size_t>(zeros);
  PackedConv2d packed{allocate_weights(device, floats * sizeof(float)), pack_rows(device, from.biases, 1, from.out),
                      pack_slopes(device, from.activation, from.out)};
  pack_panels(device, PackPanelsArgs{from.weights, packed.weights.as<float>(), taps, from.in, from.out, zeros});
  return packed;
}

PackedConv2d pack_conv2d_half(const Cpu& device, const Conv2dWeights& from) {
  const int taps = from.window.h * from.window.w;
  const int zeros = from.window.w * from.in;
  const auto words = static_cast<std::size_t>(round_up(from.out)) * static_cast<std::size_t>(taps * from.in) +
                     static_cast<std::size_t>(zeros);
  PackedConv2d packed{allocate_weights(device, words * sizeof(std::uint16_t)),
                      pack_rows(device, from.biases, 1, from.out), pack_slopes(device, from.activation, from.out)};
  pack_panels_half(
      device, PackPanelsHalfArgs{from.weights, packed.weights.as<std::uint16_t>(), taps, from.in, from.out, zeros});
  return packed;
}

PackedDepthwiseConv2d pack_depthwise_conv2d(const Cpu& device, const DepthwiseConv2dWeights& from) {
  return {pack_rows(device, from.weights, from.window.h * from.window.w, from.channels),
          pack_rows(device, from.biases, 1, from.channels), pack_slopes(device, from.activation, from.channels)};
}

}  // namespace wajah
