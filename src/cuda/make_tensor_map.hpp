// CudaDriver::make_tensor_map of a real driver. The two functions are asked of the driver when they are first needed:
// the program links no libcuda, and runs where there is none.
#pragma once

#include <wajah/tensor_map.hpp>

namespace wajah {

// A CUDA error, 0 if all is well. What the driver says to a wrong plan is cudaErrorInvalidValue.
int make_tensor_map(TensorMap* map, const TensorMapPlan& plan);

}  // namespace wajah
