// conv2d_to_half: conv2d in float32 whose map is rounded to halves as it is stored (WAJAH_HAS_FP16).
#include <wajah/layers/conv2d_to_half.hpp>

#include "conv2d_driver.hpp"
#include "conv2d_tile.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void conv2d_to_half(const Conv2dToHalfArgs& args, Part part) {
  convolve<FloatConv2d<Conv2dToHalfArgs, uint16_t>>(args, part);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
