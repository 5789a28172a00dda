// max_pool2d: of floats (max_pool.hpp).
#include <wajah/layers/max_pool2d.hpp>

#include "max_pool.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void max_pool2d(const MaxPool2dArgs& args, Part part) { max_pool(args, part); }

}  // namespace wajah::WAJAH_KERNEL_ISA
