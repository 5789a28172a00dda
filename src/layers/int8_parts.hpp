// What a quantised convolution is made of, before a device lays it out: pack_int8.cpp.
#pragma once

#include <wajah/layers/conv2d_int8.hpp>
#include <wajah/layers/depthwise_conv2d_int8.hpp>

#include <vector>

namespace wajah {

// Of y, in steps of the output if that is bytes.
struct Limits {
  float floor = 0, ceiling = 0;
};

struct Int8Parts {
  std::vector<std::int8_t> weights;         // (window.h, window.w, in, out)
  std::vector<float> multipliers, offsets;  // (out): y = multiplier * sum + offset, where padding is the zero point
  Limits limits;
};

// Throws as pack_conv2d_int8 does. `largest`: steps of the largest weight of a channel.
[[nodiscard]] Int8Parts int8_parts(const Conv2dWeights& from, Quantisation input, const Quantisation* output,
                                   std::span<const float> scales, int largest = 127);

struct DepthwiseInt8Parts {
  std::vector<float> weights, biases;  // (window.h, window.w, channels), (channels)
  Limits limits;
};

// Throws as pack_depthwise_conv2d_int8 does.
[[nodiscard]] DepthwiseInt8Parts depthwise_int8_parts(const DepthwiseConv2dWeights& from, const ChannelSteps& input,
                                                      const ChannelSteps* output);

}  // namespace wajah
