// conv2d_half for large layers on cards of compute capability 9.x: conv2d_warpgroup.cu.
#pragma once

#include <wajah/layers/conv2d_half.hpp>

namespace wajah::WAJAH_KERNEL_ISA {

// How many output channels a block computes at once (64, 128, 192 or 256), or 0 where the kernel is not for this layer.
// It is for layers with enough rows and columns to keep the card busy, on maps whose pixels begin at multiples of 16
// bytes and have a multiple of 8 channels, where the card can and somebody has asked (Launch::make_tensor_map).
int warpgroup_columns(const Conv2dHalfArgs& args, const Launch& on);

// Launches it, or does nothing and gives false where it is not for this layer.
bool conv2d_warpgroup(const Conv2dHalfArgs& args, const Launch& on);

}  // namespace wajah::WAJAH_KERNEL_ISA
