// global_avg_pool: of floats (avg_pool.hpp).
#include <wajah/layers/avg_pool2d.hpp>

#include "avg_pool.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void global_avg_pool(const GlobalAvgPoolArgs& args, Part part) { avg_pool(args, part); }

}  // namespace wajah::WAJAH_KERNEL_ISA
