// What is asked of cuDNN for one convolution, as numbers: the key of its plan, and the graph that says it.
#pragma once

#include <wajah/layers/conv2d.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "cudnn_descriptor.hpp"

namespace wajah {

// The tensors of a graph that have memory.
enum CudnnTensorId : std::int64_t { cudnn_x = 1, cudnn_w, cudnn_y, cudnn_b, cudnn_add };

struct CudnnTensor {
  std::array<std::int64_t, 4> size{};  // images, channels, rows, columns
  std::int64_t stride = 0;             // numbers between two pixels
  std::int64_t alignment = 4;          // bytes
  cudnn::DataType type = cudnn::float32;

  friend bool operator==(const CudnnTensor&, const CudnnTensor&) = default;
};

struct CudnnConv {
  CudnnTensor x, w, y, b, add;
  std::array<std::int64_t, 2> strides{}, before{}, behind{};
  bool has_add = false, whole = false;  // whole: with what follows the sum
  float scale = 1;
  ActivationKind activation = ActivationKind::identity;

  friend bool operator==(const CudnnConv&, const CudnnConv&) = default;
};

// A finished operation graph, with what it is made of. Throws CudnnRefusal.
class CudnnGraph {
 public:
  CudnnGraph(const CudnnDriver& driver, void* handle, const CudnnConv& conv);

  [[nodiscard]] const CudnnDescriptor& graph() const { return *graph_; }

 private:
  const CudnnDescriptor& keep(CudnnDescriptor descriptor);
  const CudnnDescriptor& tensor(const CudnnTensor& tensor, std::int64_t id);
  const CudnnDescriptor& between(const CudnnConv& conv);  // nothing in memory, in float32
  void add_convolution(const CudnnConv& conv, const CudnnDescriptor& y);
  void add_sum(const CudnnDescriptor& x, float scale, const CudnnDescriptor& b, const CudnnDescriptor& y);
  void add_relu(ActivationKind kind, const CudnnDescriptor& x, const CudnnDescriptor& y);

  const CudnnDriver& driver_;
  std::vector<std::unique_ptr<const CudnnDescriptor>> all_;  // in the order made
  std::vector<void*> operations_;
  std::int64_t next_id_ = 100;
  const CudnnDescriptor* graph_ = nullptr;
};

}  // namespace wajah
