// WithCudnn<Cuda>: a Cuda whose convolutions are cuDNN's (9 or newer), everything else wajah's own kernels: the
// yardstick of `wajah bench`, which chooses it with --cuda-conv cudnn. The networks are the same types.
//
// A convolution is asked of cuDNN as one graph with its bias, residual and activation where cuDNN offers that, else as
// the sum alone, which finish_conv2d ends. Both compute in the device's Arithmetic as conv2d.cu does: fp16 and bf16
// round the input first (bring_map), fp32 takes no plan that uses tensor cores.
#pragma once

#include <wajah/cuda.hpp>
#include <wajah/cudnn_driver.hpp>
#include <wajah/cudnn_kernels.hpp>

#include <memory>
#include <utility>

namespace wajah {

// The plans of one stream. Used by one thread at a time, as the stream is.
class CudnnPlans {
 public:
  // Throws Error (device) if cuDNN finds no card to its liking.
  CudnnPlans(const Cuda& device, const CudnnDriver& driver);

  // What to do for one convolution, in this order; memory is the device's.
  struct Work {
    const void* plan = nullptr;  // null: there are no outputs
    BringMapArgs bring;          // if bring.y is not null
    FinishConv2dArgs finish;     // if finish.sums is not null
  };
  // Plans when it meets a shape for the first time, and may then allocate of the device's memory. `args` have weights
  // of pack_conv2d(WithCudnn). Throws Error (device) where cuDNN has no plan whose scratch fits Launch::partials.
  [[nodiscard]] Work prepare(const Conv2dArgs& args) const;
  void execute(const Work& work, const Conv2dArgs& args) const;

  struct Count {
    int whole = 0, sums = 0;  // plans with everything in one, and those that finish_conv2d ends
  };
  [[nodiscard]] Count count() const;
  [[nodiscard]] const CudnnDriver& driver() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

template <class Device = Cuda>
class WithCudnn : public Device {
 public:
  // Throws Error (device) where cuDNN is not to be had.
  explicit WithCudnn(Device device, const CudnnDriver& driver = cudnn_library())
      : Device(std::move(device)), plans_(*this, driver) {}

  [[nodiscard]] WithCudnn on_own_stream() const { return WithCudnn(Device::on_own_stream(), plans_.driver()); }
  [[nodiscard]] const CudnnPlans& plans() const { return plans_; }

 private:
  CudnnPlans plans_;
};

// (out, window.h, window.w, in): an output channel's weights together.
[[nodiscard]] PackedConv2d pack_for_cudnn(const Cuda& device, const Conv2dWeights& weights);

template <class Device>
[[nodiscard]] PackedConv2d pack_conv2d(const WithCudnn<Device>& device, const Conv2dWeights& weights) {
  return pack_for_cudnn(device, weights);
}

// What is compared with cuDNN goes layer by layer.
template <class Device>
[[nodiscard]] bool wants_fused_blocks(const WithCudnn<Device>&) {
  return false;
}

template <class Device>
void conv2d(const WithCudnn<Device>& device, const Conv2dArgs& args) {
  const CudnnPlans::Work work = device.plans().prepare(args);
  if (work.plan == nullptr) return;
  if (work.bring.y != nullptr) bring_map(device, work.bring);
  device.plans().execute(work, args);
  if (work.finish.sums != nullptr) finish_conv2d(device, work.finish);
}

}  // namespace wajah
