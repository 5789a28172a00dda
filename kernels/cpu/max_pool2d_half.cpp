// max_pool2d_half: of halves, compared as floats, which is exact (max_pool.hpp; WAJAH_HAS_FP16).
#include <wajah/layers/max_pool2d_half.hpp>

#include "max_pool.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void max_pool2d_half(const MaxPool2dHalfArgs& args, Part part) { max_pool(args, part); }

}  // namespace wajah::WAJAH_KERNEL_ISA
