// CudaSession: Session for host memory on a card. What a network launches is captured once a shape of input and then
// launched as one graph, because launching a hundred kernels one by one takes longer than a small batch computes.
#pragma once

#include <wajah/cuda.hpp>
#include <wajah/model.hpp>

#include <utility>
#include <vector>

namespace wajah {

template <class Net, class Device = Cuda>
class CudaSession {
 public:
  // On a stream of its own, so that sessions of several threads do not wait for one another.
  explicit CudaSession(std::shared_ptr<const Model<Net, Device>> model)
      : model_(std::move(model)), device_(model_->device().on_own_stream()) {}

  // y = network(x), both in the host's memory and dense; y must have the shape Net::out(x.shape). Allocates when a
  // shape is larger than all before. Throws Error (input) if x does not fit, Error (device) if the card fails.
  void forward(ConstView<float> x, View<float> y) {
    const Shape out = Net::out(x.shape);
    if (!(out == y.shape) || !x.dense() || !y.dense()) {
      fail(ErrorKind::input, "CudaSession: x and y must be dense, and y {}x{}x{}x{}", out.n, out.h, out.w, out.c);
    }
    if (out.n == 0) return;
    const CudaGraph& graph = graph_of(x.shape);
    device_.upload(x_.template as<>(), x.data, x.shape.size() * sizeof(float));
    graph.launch();
    device_.download(y.data, y_.template as<>(), out.size() * sizeof(float));
  }

  [[nodiscard]] const Device& device() const { return device_; }
  [[nodiscard]] std::size_t graphs() const { return graphs_.size(); }

 private:
  static constexpr std::size_t most_graphs = 16;  // batch sizes in use at once; more begin anew

  const CudaGraph& graph_of(Shape x) {
    for (const auto& [shape, graph] : graphs_) {
      if (shape == x) return graph;
    }
    reserve(x_, bytes_of(x));
    reserve(y_, bytes_of(Net::out(x)));
    reserve(scratch_, Net::workspace(x));
    if (graphs_.size() == most_graphs) graphs_.clear();
    const auto run = [&] {
      model_->net().forward(device_, ConstView<float>(x_.template as<float>(), x),
                            View<float>(y_.template as<float>(), Net::out(x)), scratch_.arena());
    };
    run();  // once for its own sake: a kernel's first launch loads it, which a capture must not
    return graphs_.emplace_back(x, device_.capture(run)).second;
  }

  // Graphs hold addresses: none survives when memory moves.
  void reserve(Buffer& buffer, std::size_t bytes) {
    if (buffer.size() >= bytes) return;
    graphs_.clear();
    device_.wait();
    buffer = {};
    buffer = device_.allocate(bytes);
  }

  std::shared_ptr<const Model<Net, Device>> model_;
  Device device_;
  Buffer x_, y_, scratch_;
  std::vector<std::pair<Shape, CudaGraph>> graphs_;
};

}  // namespace wajah
