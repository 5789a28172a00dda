#include "cudnn_graph.hpp"

#include <span>

namespace wajah {
namespace {

// NHWC, in the order that cuDNN counts dimensions in. A filter's images are its output channels.
std::array<std::int64_t, 4> strides_of(const CudnnTensor& tensor) {
  const auto [n, c, h, w] = tensor.size;
  return {h * w * tensor.stride, 1, w * tensor.stride, tensor.stride};
}

template <std::size_t N>
std::span<const std::int64_t> all(const std::array<std::int64_t, N>& values) {
  return values;
}

}  // namespace

// Sum, bias, residual, activation: the last of them writes y, the others hand on what is never stored.
CudnnGraph::CudnnGraph(const CudnnDriver& driver, void* handle, const CudnnConv& conv) : driver_(driver) {
  const CudnnDescriptor& y = tensor(conv.y, cudnn_y);
  const bool activated = conv.activation != ActivationKind::identity;
  if (!conv.whole) {
    add_convolution(conv, y);
  } else {
    const CudnnDescriptor& sum = between(conv);
    add_convolution(conv, sum);
    const CudnnDescriptor& biased = conv.has_add || activated ? between(conv) : y;
    add_sum(sum, 1, tensor(conv.b, cudnn_b), biased);
    const CudnnDescriptor& added = !conv.has_add ? biased : activated ? between(conv) : y;
    if (conv.has_add) add_sum(biased, conv.scale, tensor(conv.add, cudnn_add), added);
    if (activated) add_relu(conv.activation, added, y);
  }
  CudnnDescriptor graph(driver_, cudnn::operation_graph);
  graph.set(cudnn::graph_handle, cudnn::handle_type, handle)
      .set_all(cudnn::graph_operations, cudnn::descriptor_type, std::span<void* const>(operations_));
  graph.finish();
  graph_ = &keep(std::move(graph));
}

const CudnnDescriptor& CudnnGraph::keep(CudnnDescriptor descriptor) {
  return *all_.emplace_back(std::make_unique<const CudnnDescriptor>(std::move(descriptor)));
}

const CudnnDescriptor& CudnnGraph::tensor(const CudnnTensor& tensor, std::int64_t id) {
  CudnnDescriptor made(driver_, cudnn::tensor);
  made.set(cudnn::tensor_id, cudnn::int64_type, id)
      .set(cudnn::tensor_type, cudnn::data_type, int{tensor.type})
      .set(cudnn::tensor_alignment, cudnn::int64_type, tensor.alignment)
      .set_all(cudnn::tensor_dimensions, cudnn::int64_type, all(tensor.size))
      .set_all(cudnn::tensor_strides, cudnn::int64_type, all(strides_of(tensor)))
      .set(cudnn::tensor_virtual, cudnn::boolean_type, id >= 100)
      .finish();
  return keep(std::move(made));
}

const CudnnDescriptor& CudnnGraph::between(const CudnnConv& conv) {
  return tensor({conv.y.size, conv.y.size[1], 16, cudnn::float32}, next_id_++);
}

void CudnnGraph::add_convolution(const CudnnConv& conv, const CudnnDescriptor& y) {
  CudnnDescriptor how(driver_, cudnn::convolution);
  constexpr std::array<std::int64_t, 2> no_dilation{1, 1};
  how.set(cudnn::convolution_precision, cudnn::data_type, int{cudnn::float32})
      .set(cudnn::convolution_mode, cudnn::convolution_mode_type, int{cudnn::cross_correlation})
      .set(cudnn::convolution_dimensions, cudnn::int64_type, std::int64_t{2})
      .set_all(cudnn::convolution_dilations, cudnn::int64_type, all(no_dilation))
      .set_all(cudnn::convolution_strides, cudnn::int64_type, all(conv.strides))
      .set_all(cudnn::convolution_pre_paddings, cudnn::int64_type, all(conv.before))
      .set_all(cudnn::convolution_post_paddings, cudnn::int64_type, all(conv.behind))
      .finish();
  CudnnDescriptor operation(driver_, cudnn::convolution_forward);
  operation.set(cudnn::forward_convolution, keep(std::move(how)))
      .set(cudnn::forward_x, tensor(conv.x, cudnn_x))
      .set(cudnn::forward_w, tensor(conv.w, cudnn_w))
      .set(cudnn::forward_y, y)
      .set(cudnn::forward_alpha, cudnn::float_type, 1.0F)
      .set(cudnn::forward_beta, cudnn::float_type, 0.0F)
      .finish();
  operations_.push_back(keep(std::move(operation)).raw());
}

// y = scale * x + b
void CudnnGraph::add_sum(const CudnnDescriptor& x, float scale, const CudnnDescriptor& b, const CudnnDescriptor& y) {
  CudnnDescriptor how(driver_, cudnn::pointwise);
  how.set(cudnn::pointwise_mode, cudnn::pointwise_mode_type, int{cudnn::add})
      .set(cudnn::pointwise_precision, cudnn::data_type, int{cudnn::float32})
      .finish();
  CudnnDescriptor operation(driver_, cudnn::pointwise_operation);
  operation.set(cudnn::operation_pointwise, keep(std::move(how)))
      .set(cudnn::operation_x, x)
      .set(cudnn::operation_b, b)
      .set(cudnn::operation_y, y)
      .set(cudnn::operation_alpha1, cudnn::float_type, scale)
      .set(cudnn::operation_alpha2, cudnn::float_type, 1.0F)
      .finish();
  operations_.push_back(keep(std::move(operation)).raw());
}

void CudnnGraph::add_relu(ActivationKind kind, const CudnnDescriptor& x, const CudnnDescriptor& y) {
  CudnnDescriptor how(driver_, cudnn::pointwise);
  how.set(cudnn::pointwise_mode, cudnn::pointwise_mode_type, int{cudnn::relu})
      .set(cudnn::pointwise_precision, cudnn::data_type, int{cudnn::float32});
  if (kind == ActivationKind::relu6) how.set(cudnn::pointwise_upper_clip, cudnn::double_type, 6.0);
  how.finish();
  CudnnDescriptor operation(driver_, cudnn::pointwise_operation);
  operation.set(cudnn::operation_pointwise, keep(std::move(how)))
      .set(cudnn::operation_x, x)
      .set(cudnn::operation_y, y)
      .finish();
  operations_.push_back(keep(std::move(operation)).raw());
}

}  // namespace wajah
