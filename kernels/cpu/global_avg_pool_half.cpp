// global_avg_pool_half: of halves, whose means are floats (avg_pool.hpp; WAJAH_HAS_FP16).
#include <wajah/layers/avg_pool2d_half.hpp>

#include "avg_pool.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void global_avg_pool_half(const GlobalAvgPoolHalfArgs& args, Part part) { avg_pool(args, part); }

}  // namespace wajah::WAJAH_KERNEL_ISA
