// depthwise_conv2d: over maps of floats (depthwise.hpp).
#include <wajah/layers/depthwise_conv2d.hpp>

#include "depthwise.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void depthwise_conv2d(const DepthwiseConv2dArgs& args, Part part) { depthwise<WordMaps<float>>(args, part); }

}  // namespace wajah::WAJAH_KERNEL_ISA
