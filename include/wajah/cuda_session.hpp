// CudaSession: Session for host memory on a card.
#pragma once

#include <wajah/cuda_pass.hpp>
#include <wajah/model.hpp>

#include <utility>

namespace wajah {

template <class Net, class Device = Cuda>
class CudaSession {
 public:
  // On a stream of its own, so that sessions of several threads do not wait for one another.
  explicit CudaSession(std::shared_ptr<const Model<Net, Device>> model)
      : model_(std::move(model)), device_(model_->device().on_own_stream()), pass_(device_) {}

  // y = network(x), both in the host's memory and dense; y must have the shape Net::out(x.shape). Allocates when a
  // shape is larger than all before. Throws Error (input) if x does not fit, Error (device) if the card fails.
  void forward(ConstView<float> x, View<float> y) {
    const Shape in = x.shape, out = Net::out(in);
    if (!(out == y.shape) || !x.dense() || !y.dense()) {
      fail(ErrorKind::input, "CudaSession: x and y must be dense, and y {}x{}x{}x{}", out.n, out.h, out.w, out.c);
    }
    if (out.n == 0) return;
    const auto run = [&](const std::byte* from, std::byte* to, Arena scratch) {
      model_->net().forward(device_, ConstView<float>(reinterpret_cast<const float*>(from), in),
                            View<float>(reinterpret_cast<float*>(to), out), scratch);
    };
    pass_.run({in}, std::as_bytes(std::span(x.data, in.size())), std::as_writable_bytes(std::span(y.data, out.size())),
              Net::workspace(in), run);
  }

  [[nodiscard]] const Device& device() const { return device_; }
  [[nodiscard]] std::size_t graphs() const { return pass_.graphs(); }

 private:
  std::shared_ptr<const Model<Net, Device>> model_;
  Device device_;
  CudaPass pass_;
};

}  // namespace wajah
