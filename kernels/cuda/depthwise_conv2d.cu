// depthwise_conv2d: every channel convolved with a window of its own. Bound by memory: 9 products for 2 numbers moved.
// Step 1: a thread an output number, neighbouring threads neighbouring channels; the cache serves overlapping windows.
// Step 2: four channels a thread where all pixels lie on 16 bytes.
// Step 3: four pixels of a row a thread for 3x3: a column of inputs is loaded once and used by up to three outputs, and
//         the weights once for all four.
#include <wajah/layers/depthwise_conv2d.hpp>

#include "depthwise.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void depthwise_conv2d(const DepthwiseConv2dArgs& args, const Launch& on) {
  choose_depthwise<Floats>("depthwise_conv2d", args, on);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
