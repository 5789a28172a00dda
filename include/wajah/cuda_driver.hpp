// CudaDriver: the calls that a Cuda makes of CUDA's runtime, as a table, so that tests can put the host in a card's
// place and let calls fail. Every call gives an error code, 0 if all is well.
#pragma once

#include <wajah/tensor_map.hpp>

#include <cstddef>
#include <string>

namespace wajah {

struct CudaFacts {
  std::string name;          // "NVIDIA H200"
  int major = 0, minor = 0;  // compute capability
  int processors = 1;
  std::size_t total_bytes = 0, free_bytes = 0;
};

enum class CopyDirection { to_card, from_card };

struct CudaDriver {
  int (*count)(int* cards);
  int (*describe)(int card, CudaFacts* facts);
  int (*use)(int card);  // for the calling thread
  int (*allocate)(void** memory, std::size_t bytes);
  int (*release)(void* memory);
  int (*allocate_pinned)(void** memory, std::size_t bytes);
  int (*release_pinned)(void* memory);
  int (*make_stream)(void** stream);
  int (*end_stream)(void* stream);
  int (*query)(void* stream, bool* done);  // whether all that was launched on the stream has been computed
  int (*copy)(void* to, const void* from, std::size_t bytes, CopyDirection direction, void* stream);
  int (*begin_capture)(void* stream);
  int (*end_capture)(void* stream, void** graph);  // of what was launched on the stream since
  int (*launch_graph)(void* graph, void* stream);
  int (*end_graph)(void* graph);
  int (*make_tensor_map)(TensorMap* map, const TensorMapPlan& plan);
  std::string (*explain)(int error);
  bool (*no_room)(int error);  // memory was lacking: the call did nothing, and others may still be made
  // Where a "card" is host memory: buffers end at forbidden pages and hold not-a-number. null on a card.
  void (*forbid)(void* page, std::size_t bytes, bool forbidden) = nullptr;
};

// CUDA's runtime, linked statically: it looks for the machine's driver when it is first called. In a build without
// nvcc every call fails and says so.
[[nodiscard]] const CudaDriver& cuda_runtime();

// Whether this build has the kernels.
[[nodiscard]] bool built_with_cuda();

}  // namespace wajah
