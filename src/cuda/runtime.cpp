#include <wajah/cuda_driver.hpp>

#include <fmt/format.h>

#ifdef WAJAH_HAVE_CUDA
#include <cuda_runtime_api.h>

#include "make_tensor_map.hpp"
#endif

namespace wajah {

#ifdef WAJAH_HAVE_CUDA

namespace {

int describe(int card, CudaFacts* facts) {
  cudaDeviceProp properties{};
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, card); error != cudaSuccess) return error;
  if (const cudaError_t error = cudaSetDevice(card); error != cudaSuccess) return error;
  std::size_t free_bytes = 0, total_bytes = 0;
  if (const cudaError_t error = cudaMemGetInfo(&free_bytes, &total_bytes); error != cudaSuccess) return error;
  *facts = {properties.name, properties.major, properties.minor, properties.multiProcessorCount,
            total_bytes,     free_bytes};
  return cudaSuccess;
}

int query(void* stream, bool* done) {
  const cudaError_t error = cudaStreamQuery(static_cast<cudaStream_t>(stream));
  *done = error == cudaSuccess;
  return error == cudaErrorNotReady ? cudaSuccess : error;
}

int end_capture(void* stream, void** graph) {
  cudaGraph_t captured = nullptr;
  if (const cudaError_t error = cudaStreamEndCapture(static_cast<cudaStream_t>(stream), &captured);
      error != cudaSuccess) {
    return error;
  }
  cudaGraphExec_t executable = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&executable, captured, 0);
  cudaGraphDestroy(captured);
  *graph = executable;
  return error;
}

std::string explain(int error) {
  const auto code = static_cast<cudaError_t>(error);
  if (code == cudaErrorInsufficientDriver || code == cudaErrorNoDevice) {
    return fmt::format("no NVIDIA driver for CUDA {}.{} or newer on this machine ({})", CUDART_VERSION / 1000,
                       CUDART_VERSION / 10 % 100, cudaGetErrorName(code));
  }
  return fmt::format("{} ({})", cudaGetErrorString(code), cudaGetErrorName(code));
}

}  // namespace

const CudaDriver& cuda_runtime() {
  static const CudaDriver driver{
      .count = [](int* cards) -> int { return cudaGetDeviceCount(cards); },
      .describe = &describe,
      .use = [](int card) -> int { return cudaSetDevice(card); },
      .allocate = [](void** memory, std::size_t bytes) -> int { return cudaMalloc(memory, bytes); },
      .release = [](void* memory) -> int { return cudaFree(memory); },
      .allocate_pinned = [](void** memory, std::size_t bytes) -> int {
        return cudaHostAlloc(memory, bytes, cudaHostAllocDefault);
      },
      .release_pinned = [](void* memory) -> int { return cudaFreeHost(memory); },
      .make_stream = [](void** stream) -> int {
        return cudaStreamCreateWithFlags(reinterpret_cast<cudaStream_t*>(stream), cudaStreamNonBlocking);
      },
      .end_stream = [](void* stream) -> int { return cudaStreamDestroy(static_cast<cudaStream_t>(stream)); },
      .query = &query,
      .copy = [](void* to, const void* from, std::size_t bytes, CopyDirection direction, void* stream) -> int {
        return cudaMemcpyAsync(to, from, bytes,
                               direction == CopyDirection::to_card ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToHost,
                               static_cast<cudaStream_t>(stream));
      },
      .begin_capture = [](void* stream) -> int {
        return cudaStreamBeginCapture(static_cast<cudaStream_t>(stream), cudaStreamCaptureModeThreadLocal);
      },
      .end_capture = &end_capture,
      .launch_graph = [](void* graph, void* stream) -> int {
        return cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), static_cast<cudaStream_t>(stream));
      },
      .end_graph = [](void* graph) -> int { return cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); },
      .make_tensor_map = &make_tensor_map,
      .explain = &explain,
      .no_room = [](int error) { return error == cudaErrorMemoryAllocation; }};
  return driver;
}

bool built_with_cuda() { return true; }

#else

// Nothing but count() and explain() is ever reached: without a card there is no Cuda.
const CudaDriver& cuda_runtime() {
  static const CudaDriver driver = [] {
    CudaDriver none{};
    none.count = [](int*) { return 1; };
    none.explain = [](int) { return std::string("this build has no CUDA kernels (nvcc was not there)"); };
    none.no_room = [](int) { return false; };
    return none;
  }();
  return driver;
}

bool built_with_cuda() { return false; }

#endif

}  // namespace wajah
