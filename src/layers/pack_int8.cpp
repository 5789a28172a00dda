#include <wajah/layers/byte_steps.hpp>
#include <wajah/layers/conv2d_int8.hpp>
#include <wajah/layers/pack.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "int8_parts.hpp"

namespace wajah {
namespace {

// The weights in steps of their output channel.
struct Steps {
  std::vector<std::int8_t> weights;  // (window.h, window.w, in, out)
  std::vector<float> scales;         // (out)
  std::vector<int> sums;             // (out), of the channel's weights: what a zero point adds to each product
};

// -128 stays unused, so that negating loses nothing.
Steps steps_of(const Conv2dWeights& from, float largest_weight) {
  const auto channels = static_cast<std::size_t>(from.out);
  const std::size_t size = channels * static_cast<std::size_t>(from.window.h * from.window.w * from.in);
  Steps steps{std::vector<std::int8_t>(size), std::vector<float>(channels), std::vector<int>(channels)};
  for (std::size_t i = 0; i < size; ++i) {
    float& largest = steps.scales[i % channels];
    largest = std::max(largest, std::abs(from.weights[i]));
  }
  for (float& scale : steps.scales) scale = scale > 0 ? scale / largest_weight : 1.0F;
  for (std::size_t i = 0; i < size; ++i) {
    const float step = std::nearbyint(from.weights[i] / steps.scales[i % channels]);
    steps.weights[i] = static_cast<std::int8_t>(std::clamp(step, -largest_weight, largest_weight));
    steps.sums[i % channels] += steps.weights[i];
  }
  return steps;
}

void refuse_prelu(ActivationKind kind) {
  if (kind == ActivationKind::prelu) fail(ErrorKind::model, "int8: a convolution with PReLU, expected relu or none");
}

// One step of the output, and what its zero point is; of floats 1 and 0.
struct Output {
  double step = 1, zero = 0;

  explicit Output(const Quantisation* is) {
    if (is == nullptr) return;
    step = static_cast<double>(is->scale);
    zero = is->zero_point;
  }
};

Limits limits_of(ActivationKind kind, const Quantisation* output) {
  const auto [step, zero] = Output(output);
  const double infinity = std::numeric_limits<double>::infinity();
  const double floor = kind == ActivationKind::identity ? -infinity : zero;
  const double ceiling = kind == ActivationKind::relu6 ? 6 / step + zero : infinity;
  if (output == nullptr) return {static_cast<float>(floor), static_cast<float>(ceiling)};
  return {static_cast<float>(std::max(floor, 0.0)),
          static_cast<float>(std::min(ceiling, static_cast<double>(output->largest)))};
}

}  // namespace

Range range_of(const Weights& layer) {
  try {
    const Values range = layer.get(range_name, {2});
    return {range[0], range[1]};
  } catch (const Error& error) {
    fail(ErrorKind::model,
         "{}; int8 needs the range of every map that it reads as bytes, of which earlier versions measured fewer: "
         "'wajah models quantise --weights FILE --photos DIR --output FILE' measures them again",
         error.what());
  }
}

Quantisation quantisation_of(Range range, int largest) {
  const float low = std::min(range.low, 0.0F);
  const float high = std::max(range.high, 0.0F);
  const auto steps = static_cast<float>(largest);
  const float scale = std::max((high - low) / steps, std::numeric_limits<float>::min());
  return {scale, static_cast<int>(std::clamp(std::nearbyint(-low / scale), 0.0F, steps)), largest};
}

Int8Parts int8_parts(const Conv2dWeights& from, Quantisation input, const Quantisation* output, int largest) {
  refuse_prelu(from.activation.kind);
  Steps steps = steps_of(from, static_cast<float>(largest));

  // y = multiplier * sum + offset, in steps of the output if that is bytes.
  const auto [step, zero] = Output(output);
  Int8Parts parts{std::move(steps.weights), std::vector<float>(steps.scales.size()),
                  std::vector<float>(steps.scales.size()), limits_of(from.activation.kind, output)};
  for (std::size_t c = 0; c < steps.scales.size(); ++c) {
    const double multiplier = static_cast<double>(steps.scales[c]) * static_cast<double>(input.scale) / step;
    parts.multipliers[c] = static_cast<float>(multiplier);
    parts.offsets[c] = static_cast<float>(static_cast<double>(from.biases[c]) / step + zero -
                                          multiplier * steps.sums[c] * input.zero_point);
  }
  return parts;
}

DepthwiseInt8Parts depthwise_int8_parts(const DepthwiseConv2dWeights& from, Quantisation input,
                                        const Quantisation* output) {
  refuse_prelu(from.activation.kind);
  const auto [step, zero] = Output(output);
  const auto channels = static_cast<std::size_t>(from.channels);
  DepthwiseInt8Parts parts{std::vector<float>(channels * static_cast<std::size_t>(from.window.h * from.window.w)),
                           std::vector<float>(channels), limits_of(from.activation.kind, output)};
  const double multiplier = static_cast<double>(input.scale) / step;
  for (std::size_t i = 0; i < parts.weights.size(); ++i) {
    parts.weights[i] = static_cast<float>(multiplier * static_cast<double>(from.weights[i]));
  }
  for (std::size_t c = 0; c < channels; ++c) {
    parts.biases[c] = static_cast<float>(static_cast<double>(from.biases[c]) / step + zero);
  }
  return parts;
}

PackedConv2dInt8 pack_conv2d_int8(const Cpu& device, const Conv2dWeights& from, Quantisation input,
                                  const Quantisation* output) {
  const Int8Parts parts = int8_parts(from, input, output, largest_byte_weight(device.isa()));
  const int taps = from.window.h * from.window.w;
  const int padding = from.window.w * from.in;  // what a whole row of the window reads where there is only padding
  PackedConv2dInt8 packed;
  packed.weights =
      allocate_weights(device, packed_int8_bytes(taps, from.in, from.out) + static_cast<std::size_t>(padding));
  pack_panels_int8(device, PackPanelsInt8Args{parts.weights.data(), packed.weights.as<std::int8_t>(), taps, from.in,
                                              from.out, padding, input.zero_point});
  packed.multipliers = pack_rows(device, parts.multipliers.data(), 1, from.out);
  packed.offsets = pack_rows(device, parts.offsets.data(), 1, from.out);
  packed.floor = parts.limits.floor;
  packed.ceiling = parts.limits.ceiling;
  return packed;
}

PackedDepthwiseConv2dInt8 pack_depthwise_conv2d_int8(const Cpu& device, const DepthwiseConv2dWeights& from,
                                                     Quantisation input, const Quantisation* output) {
  const DepthwiseInt8Parts parts = depthwise_int8_parts(from, input, output);
  return {pack_rows(device, parts.weights.data(), from.window.h * from.window.w, from.channels),
          pack_rows(device, parts.biases.data(), 1, from.channels), parts.limits.floor, parts.limits.ceiling};
}

}  // namespace wajah
