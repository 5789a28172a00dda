#include <wajah/detect/pnet_card.hpp>

#include <algorithm>
#include <memory>

namespace wajah {

namespace {

// From (tap, in, out) to (in, tap, place); taps are rows x columns.
void pack_layer(const float* weights, int in, const ChannelGroups& groups, float* packed) {
  constexpr int taps = 9;
  const int out = groups.channels();
  for (int tap = 0; tap < taps; ++tap) {
    for (int c = 0; c < in; ++c) {
      for (int place = 0; place < out; ++place) {
        packed[(c * taps + tap) * out + place] = weights[(tap * in + c) * out + groups.channel_at(place)];
      }
    }
  }
}

void pack_channels(const float* numbers, const ChannelGroups& groups, float* packed) {
  for (int place = 0; place < groups.channels(); ++place) packed[place] = numbers[groups.channel_at(place)];
}

}  // namespace

std::unique_ptr<const PNetCardWeights> pack_pnet_for_card(const PNetWeights& net) {
  auto packed = std::make_unique<PNetCardWeights>();
  pack_layer(net.conv1, 3, pnet_groups1, packed->conv1);
  pack_channels(net.bias1, pnet_groups1, packed->bias1);
  pack_channels(net.slope1, pnet_groups1, packed->slope1);
  pack_layer(net.conv2, 10, pnet_groups2, packed->conv2);
  pack_channels(net.bias2, pnet_groups2, packed->bias2);
  pack_channels(net.slope2, pnet_groups2, packed->slope2);
  pack_layer(net.conv3, 16, pnet_groups3, packed->conv3);
  pack_channels(net.bias3, pnet_groups3, packed->bias3);
  pack_channels(net.slope3, pnet_groups3, packed->slope3);
  for (int head = 0; head < pnet_heads; ++head) {
    for (int place = 0; place < 32; ++place) {
      packed->heads[head * 32 + place] = net.heads[pnet_groups3.channel_at(place) * pnet_head_row + head];
    }
  }
  std::copy_n(net.bias4, pnet_heads, packed->bias4);
  return packed;
}

}  // namespace wajah
