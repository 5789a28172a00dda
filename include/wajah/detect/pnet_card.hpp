// P-Net's weights as the kernels pnet_levels and pnet_opposites have them in a card's shared memory.
#pragma once

#include <wajah/detect/scan_pnet.hpp>

namespace wajah {

// A thread makes several channels of a convolution: with `groups` threads side by side, thread g those of number g,
// g + groups, g + 2 groups, ... Their weights are neighbours; their maps, which lie `groups` planes apart, are in
// different banks than those of the threads beside it.
struct ChannelGroups {
  int groups, each;

  [[nodiscard]] WAJAH_INLINE int channels() const { return groups * each; }
  // Which channel comes at that place of a row of weights.
  [[nodiscard]] WAJAH_INLINE int channel_at(int place) const { return place / each + place % each * groups; }
};
inline constexpr ChannelGroups pnet_groups1{5, 2}, pnet_groups2{4, 4}, pnet_groups3{8, 4};
inline constexpr int pnet_heads = 6;  // "no face" and "face", four of the regression

// Convolutions as (in, row, column, out), with out and all that belongs to it in the order of the groups.
struct alignas(16) PNetCardWeights {
  float conv1[27 * 10], bias1[10], slope1[10];
  float padding[2];  // conv2 begins at a multiple of 16 bytes
  float conv2[90 * 16], bias2[16], slope2[16];
  float conv3[144 * 32], bias3[32], slope3[32];
  float heads[pnet_heads * 32], bias4[8];
};

#ifndef WAJAH_KERNEL_ISA
[[nodiscard]] std::unique_ptr<const PNetCardWeights> pack_pnet_for_card(const PNetWeights& net);
#endif

}  // namespace wajah
