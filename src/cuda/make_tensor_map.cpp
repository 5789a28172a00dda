#ifdef WAJAH_HAVE_CUDA

#include "make_tensor_map.hpp"

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <iterator>

namespace wajah {
namespace {

static_assert(sizeof(TensorMap) == sizeof(CUtensorMap) && alignof(TensorMap) >= alignof(CUtensorMap));

struct Encoders {
  decltype(&cuTensorMapEncodeTiled) tiles = nullptr;
  decltype(&cuTensorMapEncodeIm2col) windows = nullptr;
  cudaError_t error = cudaSuccess;
};

template <class Function>
cudaError_t find(const char* name, Function& function) {
  constexpr unsigned since = 12000;  // CUDA 12.0 has both, in the form that the header declares
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result{};
  const cudaError_t error = cudaGetDriverEntryPointByVersion(name, &found, since, cudaEnableDefault, &result);
  if (error != cudaSuccess) return error;
  if (result != cudaDriverEntryPointSuccess || found == nullptr) return cudaErrorNotSupported;
  function = reinterpret_cast<Function>(found);
  return cudaSuccess;
}

const Encoders& encoders() {
  static const Encoders all = [] {
    Encoders both;
    both.error = find("cuTensorMapEncodeTiled", both.tiles);
    if (both.error == cudaSuccess) both.error = find("cuTensorMapEncodeIm2col", both.windows);
    return both;
  }();
  return all;
}

}  // namespace

int make_tensor_map(TensorMap* map, const TensorMapPlan& plan) {
  const Encoders& encode = encoders();
  if (encode.error != cudaSuccess) return encode.error;
  auto* const made = reinterpret_cast<CUtensorMap*>(map);
  auto* const data = const_cast<void*>(plan.data);  // the driver's functions serve stores as well
  const auto type = plan.bfloat ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 : CU_TENSOR_MAP_DATA_TYPE_FLOAT16;
  const auto dimensions = static_cast<cuuint32_t>(plan.dimensions);
  cuuint64_t size[TensorMapPlan::most_dimensions], strides[TensorMapPlan::most_dimensions - 1];
  std::copy(std::begin(plan.size), std::end(plan.size), size);
  std::copy(std::begin(plan.stride_bytes), std::end(plan.stride_bytes), strides);
  cuuint32_t steps[TensorMapPlan::most_dimensions] = {1, 1, 1, 1};
  if (plan.kind == TensorMapPlan::Kind::tiles) {
    return encode.tiles(made, type, dimensions, data, size, strides, plan.box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
                        CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_128B,
                        CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  }
  // The header's comment names corners in the order depth, height, width; the driver takes them in that of the tensor's
  // dimensions, width first, as CUTLASS passes them.
  steps[1] = steps[2] = plan.step;
  return encode.windows(made, type, dimensions, data, size, strides, plan.first, plan.last, plan.channels, plan.pixels,
                        steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                        CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
}

}  // namespace wajah

#endif
