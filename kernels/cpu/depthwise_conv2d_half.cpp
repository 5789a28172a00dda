// depthwise_conv2d_half: over maps of halves, computed in float (depthwise.hpp; WAJAH_HAS_FP16).
#include <wajah/layers/depthwise_conv2d_half.hpp>

#include "depthwise.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void depthwise_conv2d_half(const DepthwiseConv2dHalfArgs& args, Part part) {
  depthwise<WordMaps<uint16_t>>(args, part);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
