// depthwise_conv2d_half: depthwise_conv2d over maps of 16-bit words. Bound by memory, of which it moves half.
// Steps 1 to 3 are depthwise_conv2d's: four channels a thread (8 bytes here), four pixels of a row for 3x3. Eight
// channels a thread would be 16 bytes a load, but half the threads, and maps of MobileFaceNet are small.
#include <wajah/layers/depthwise_conv2d_half.hpp>

#include "depthwise.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void depthwise_conv2d_half(const DepthwiseConv2dHalfArgs& args, const Launch& on) {
  if (on.arithmetic == Arithmetic::bf16) return choose_depthwise<BfloatWords>("depthwise_conv2d_half", args, on);
  choose_depthwise<HalfWords>("depthwise_conv2d_half", args, on);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
