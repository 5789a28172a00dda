// conv2d in float32: sums of products begin with the bias.
#include <wajah/layers/conv2d.hpp>

#include "conv2d_driver.hpp"
#include "conv2d_tile.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void conv2d(const Conv2dArgs& args, Part part) { convolve<FloatConv2d<Conv2dArgs, float>>(args, part); }

}  // namespace wajah::WAJAH_KERNEL_ISA
