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

// One step of each channel of the output, and what their zero point is; of floats 1 and 0.
class Output {
 public:
  Output(const Quantisation* is, std::span<const float> scales, int channels) : is_(is), scales_(scales) {
    if (!scales.empty() && scales.size() != static_cast<std::size_t>(channels)) {
      fail(ErrorKind::model, "int8: steps of {} channels, expected {}", scales.size(), channels);
    }
  }

  [[nodiscard]] double step(std::size_t channel) const {
    if (is_ == nullptr) return 1;
    return static_cast<double>(scales_.empty() ? is_->scale : scales_[channel]);
  }
  [[nodiscard]] double zero() const { return is_ == nullptr ? 0 : is_->zero_point; }

  // Where channels have their own steps, 6 is the last of the coarsest and beyond the last of others.
  [[nodiscard]] Limits limits(ActivationKind kind) const {
    const double infinity = std::numeric_limits<double>::infinity();
    const double floor = kind == ActivationKind::identity ? -infinity : zero();
    const double ceiling = kind == ActivationKind::relu6 && scales_.empty() ? 6 / step(0) + zero() : infinity;
    if (is_ == nullptr) return {static_cast<float>(floor), static_cast<float>(ceiling)};
    return {static_cast<float>(std::max(floor, 0.0)),
            static_cast<float>(std::min(ceiling, static_cast<double>(is_->largest)))};
  }

 private:
  const Quantisation* is_;
  std::span<const float> scales_;
};

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

ChannelSteps channel_steps_of(const Weights& layer, int channels) {
  const Range range = range_of(layer);
  ChannelSteps steps{quantisation_of(range), {}};
  if (range.low < 0 || range.high <= 0 || !layer.has(highs_name)) return steps;
  for (const float high : layer.get(highs_name, {channels}).span()) {
    steps.scales.push_back(quantisation_of({0, std::clamp(high, range.high / 16, range.high)}).scale);
  }
  return steps;
}

Int8Parts int8_parts(const Conv2dWeights& from, Quantisation input, const Quantisation* output,
                     std::span<const float> scales, int largest) {
  refuse_prelu(from.activation.kind);
  Steps steps = steps_of(from, static_cast<float>(largest));

  // y = multiplier * sum + offset, in steps of the output if that is bytes.
  const Output to(output, scales, from.out);
  Int8Parts parts{std::move(steps.weights), std::vector<float>(steps.scales.size()),
                  std::vector<float>(steps.scales.size()), to.limits(from.activation.kind)};
  for (std::size_t c = 0; c < steps.scales.size(); ++c) {
    const double multiplier = static_cast<double>(steps.scales[c]) * static_cast<double>(input.scale) / to.step(c);
    parts.multipliers[c] = static_cast<float>(multiplier);
    parts.offsets[c] = static_cast<float>(static_cast<double>(from.biases[c]) / to.step(c) + to.zero() -
                                          multiplier * steps.sums[c] * input.zero_point);
  }
  return parts;
}

DepthwiseInt8Parts depthwise_int8_parts(const DepthwiseConv2dWeights& from, const ChannelSteps& input,
                                        const ChannelSteps* output) {
  refuse_prelu(from.activation.kind);
  const Output x(&input, input.scales, from.channels);
  const Output to(output, output == nullptr ? std::span<const float>() : output->scales, from.channels);
  const auto channels = static_cast<std::size_t>(from.channels);
  DepthwiseInt8Parts parts{std::vector<float>(channels * static_cast<std::size_t>(from.window.h * from.window.w)),
                           std::vector<float>(channels), to.limits(from.activation.kind)};
  for (std::size_t i = 0; i < parts.weights.size(); ++i) {
    const std::size_t c = i % channels;
    parts.weights[i] = static_cast<float>(x.step(c) / to.step(c) * static_cast<double>(from.weights[i]));
  }
  for (std::size_t c = 0; c < channels; ++c) {
    parts.biases[c] = static_cast<float>(static_cast<double>(from.biases[c]) / to.step(c) + to.zero());
  }
  return parts;
}

PackedConv2dInt8 pack_conv2d_int8(const Cpu& device, const Conv2dWeights& from, Quantisation input,
                                  const Quantisation* output, std::span<const float> scales) {
  const Int8Parts parts = int8_parts(from, input, output, scales, largest_byte_weight(device.isa()));
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
                                                     const ChannelSteps& input, const ChannelSteps* output) {
  const DepthwiseInt8Parts parts = depthwise_int8_parts(from, input, output);
  return {pack_rows(device, parts.weights.data(), from.window.h * from.window.w, from.channels),
          pack_rows(device, parts.biases.data(), 1, from.channels), parts.limits.floor, parts.limits.ceiling};
}

}  // namespace wajah
