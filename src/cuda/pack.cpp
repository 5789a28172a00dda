// How a Cuda lays out weights.
#include <wajah/cuda.hpp>
#include <wajah/cudnn.hpp>
#include <wajah/layers/conv2d_half.hpp>
#include <wajah/layers/cuda_format.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "../layers/int8_parts.hpp"
#include "words.hpp"

namespace wajah {
namespace {

int round_up(int channels) { return (channels + packed_channels - 1) / packed_channels * packed_channels; }

// Rows of `channels` floats, each padded with zeros.
std::vector<float> padded_rows(const float* values, int rows, int channels) {
  const auto from = static_cast<std::size_t>(channels), to = static_cast<std::size_t>(round_up(channels));
  std::vector<float> padded(static_cast<std::size_t>(rows) * to);
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
    std::copy_n(values + i * from, from, padded.begin() + static_cast<std::ptrdiff_t>(i * to));
  }
  return padded;
}

Buffer upload_rows(const Cuda& device, const float* values, int rows, int channels) {
  const std::vector<float> padded = padded_rows(values, rows, channels);
  return device.uploaded(padded.data(), padded.size() * sizeof(float));
}

Buffer upload_slopes(const Cuda& device, const Activation& activation, int channels) {
  if (activation.kind != ActivationKind::prelu) return {};
  return upload_rows(device, activation.slope, 1, channels);
}

// To nearest, of two equally near the one further from zero, as cvt.rna.tf32 does.
float round_to_tf32(float x) { return std::bit_cast<float>((std::bit_cast<std::uint32_t>(x) + 0x1000U) & ~0x1FFFU); }

// The same numbers in what tensor cores multiply: TF32 as floats, the others as 16 bits.
Buffer upload_as(Arithmetic format, const Cuda& device, std::vector<float> values) {
  if (format == Arithmetic::fp32) return device.uploaded(values.data(), values.size() * sizeof(float));
  if (format == Arithmetic::tf32) {
    for (float& value : values) value = round_to_tf32(value);
    return device.uploaded(values.data(), values.size() * sizeof(float));
  }
  std::vector<std::uint16_t> words(values.size());
  std::transform(values.begin(), values.end(), words.begin(), [&](float value) { return to_word(format, value); });
  return device.uploaded(words.data(), words.size() * sizeof(std::uint16_t));
}

}  // namespace

std::vector<std::int8_t> int8_columns(const std::int8_t* weights, int inner, int out) {
  const auto pitch = static_cast<std::size_t>(int8_pitch(inner)), channels = static_cast<std::size_t>(out);
  std::vector<std::int8_t> columns(static_cast<std::size_t>(round_up(out)) * pitch);
  for (std::size_t k = 0; k < static_cast<std::size_t>(inner); ++k) {
    for (std::size_t c = 0; c < channels; ++c) columns[c * pitch + k] = weights[k * channels + c];
  }
  return columns;
}

PackedConv2d pack_conv2d(const Cuda& device, const Conv2dWeights& from) {
  const Arithmetic format = weight_format(device.launch().arithmetic, from.in, from.out);
  return {upload_as(format, device, padded_rows(from.weights, from.window.h * from.window.w * from.in, from.out)),
          upload_rows(device, from.biases, 1, from.out), upload_slopes(device, from.activation, from.out)};
}

PackedConv2d pack_conv2d_half(const Cuda& device, const Conv2dWeights& from) {
  const Arithmetic format = device.launch().arithmetic;
  if (format != Arithmetic::fp16 && format != Arithmetic::bf16) {
    fail(ErrorKind::usage, "maps of 16 bits: the card is to compute in {}, expected fp16 or bf16", name_of(format));
  }
  return {upload_as(format, device, padded_rows(from.weights, from.window.h * from.window.w * from.in, from.out)),
          upload_rows(device, from.biases, 1, from.out), upload_slopes(device, from.activation, from.out)};
}

PackedConv2d pack_for_cudnn(const Cuda& device, const Conv2dWeights& from) {
  const auto inner = static_cast<std::size_t>(from.window.h * from.window.w * from.in);
  const auto out = static_cast<std::size_t>(from.out);
  std::vector<float> columns(inner * out);
  for (std::size_t k = 0; k < inner; ++k) {
    for (std::size_t c = 0; c < out; ++c) columns[c * inner + k] = from.weights[k * out + c];
  }
  const Arithmetic format = weight_format(device.launch().arithmetic, from.in, from.out);
  return {upload_as(format, device, std::move(columns)), upload_rows(device, from.biases, 1, from.out),
          upload_slopes(device, from.activation, from.out)};
}

PackedDepthwiseConv2d pack_depthwise_conv2d(const Cuda& device, const DepthwiseConv2dWeights& from) {
  return {upload_rows(device, from.weights, from.window.h * from.window.w, from.channels),
          upload_rows(device, from.biases, 1, from.channels), upload_slopes(device, from.activation, from.channels)};
}

PackedConv2dInt8 pack_conv2d_int8(const Cuda& device, const Conv2dWeights& from, Quantisation input,
                                  const Quantisation* output, std::span<const float> scales) {
  const Int8Parts parts = int8_parts(from, input, output, scales);
  const std::vector<std::int8_t> columns =
      int8_columns(parts.weights.data(), from.window.h * from.window.w * from.in, from.out);
  return {device.uploaded(columns.data(), columns.size()), upload_rows(device, parts.multipliers.data(), 1, from.out),
          upload_rows(device, parts.offsets.data(), 1, from.out), parts.limits.floor, parts.limits.ceiling};
}

PackedDepthwiseConv2dInt8 pack_depthwise_conv2d_int8(const Cuda& device, const DepthwiseConv2dWeights& from,
                                                     const ChannelSteps& input, const ChannelSteps* output) {
  const DepthwiseInt8Parts parts = depthwise_int8_parts(from, input, output);
  return {upload_rows(device, parts.weights.data(), from.window.h * from.window.w, from.channels),
          upload_rows(device, parts.biases.data(), 1, from.channels), parts.limits.floor, parts.limits.ceiling};
}

}  // namespace wajah
