// From a crop's bytes to the floats an embedding network was trained on.
#pragma once

#include <wajah/image.hpp>
#include <wajah/shape.hpp>

#include <array>

namespace wajah {

// y = (x - mean) / max(std, 1 / sqrt(count)) with mean and standard deviation over all pixels and channels of the crop,
// as davidsandberg/facenet's prewhiten. y may be smaller than the crop: it receives the centre. y is one dense image of
// 3 channels. Throws Error (input) if it is larger than the crop.
void prewhiten(const Image& crop, View<float> y);

// The same for n x h x w x 3 bytes that already lie as the network wants them.
void prewhiten(ConstView<std::uint8_t> x, View<float> y);

// y = (x / 255 - mean[c]) / deviation[c], as torchvision normalises.
struct ChannelStatistics {
  std::array<float, 3> mean{}, deviation{};
};
inline constexpr ChannelStatistics imagenet{{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};

void standardise(const Image& crop, const ChannelStatistics& statistics, View<float> y);

}  // namespace wajah
