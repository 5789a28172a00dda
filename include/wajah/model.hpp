// Model: a loaded network, shared and const. Session: one thread's scratch memory on it.
#pragma once

#include <wajah/layer.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace wajah {

template <class Net, class Device>
class Model {
 public:
  // Takes its tensors from `weights` by name and packs them for the device. Throws Error (model) naming what is missing
  // or misshapen. Whether tensors are left over is for the caller to ask (weights.unused()), who knows what else reads.
  Model(const Device& device, const Weights& weights) : device_(device) { net_.load(device, weights); }

  [[nodiscard]] const Device& device() const { return device_; }
  [[nodiscard]] const Net& net() const { return net_; }

 private:
  Device device_;
  Net net_;
};

// Keeps its memory from call to call: after the first call of the largest shape nothing is allocated.
template <class Net, class Device>
class Session {
 public:
  explicit Session(std::shared_ptr<const Model<Net, Device>> model) : Session(model, model->device()) {}
  // The same on a device value of its own, e.g. a Cpu with another pool of threads.
  Session(std::shared_ptr<const Model<Net, Device>> model, const Device& device)
      : model_(std::move(model)), device_(device) {}

  // y = network(x). y must have the shape Net::out(x.shape). Throws Error (input) if x does not fit the network.
  void forward(ConstView<float> x, View<float> y) {
    if (const Shape out = Net::out(x.shape); out != y.shape) {
      fail(ErrorKind::input, "output is {}x{}x{}x{}, the network gives {}x{}x{}x{}", y.shape.n, y.shape.h, y.shape.w,
           y.shape.c, out.n, out.h, out.w, out.c);
    }
    const int at_once = images_at_once(x.shape);
    reserve(scratch_, Net::workspace(x.shape.images(at_once)));
    for (int first = 0; first < x.shape.n; first += at_once) {
      const int now = std::min(at_once, x.shape.n - first);
      model_->net().forward(device_, x.images(first, now), y.images(first, now), scratch_.arena());
    }
  }

  // The same into memory of this session, valid until its next call.
  [[nodiscard]] View<float> forward(ConstView<float> x) {
    const Shape out = Net::out(x.shape);
    reserve(output_, bytes_of(out));
    const View<float> y(output_.template as<float>(), out);
    forward(x, y);
    return y;
  }

 private:
  // A CPU takes a batch in parts of equal size whose maps fit its last cache: weights read once more for each of them
  // cost less than maps that come from memory.
  static constexpr std::size_t scratch_at_once = std::size_t{1} << 25;

  static int images_at_once(Shape x) {
    if constexpr (requires(const Device& device) { device.isa(); }) {
      const std::size_t parts = Net::workspace(x) / scratch_at_once + 1;
      return std::max(1, static_cast<int>((static_cast<std::size_t>(x.n) + parts - 1) / parts));
    } else {
      return std::max(1, x.n);
    }
  }

  void reserve(Buffer& buffer, std::size_t bytes) {
    if (buffer.size() < bytes) buffer = device_.allocate(bytes);
  }

  std::shared_ptr<const Model<Net, Device>> model_;
  Device device_;
  Buffer scratch_, output_;
};

}  // namespace wajah
