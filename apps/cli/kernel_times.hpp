// Where a forward pass spends its time on a card, kernel by kernel, beside what the card could do.
//
// Observed<Device> is the device that layers are handed; it launches what Device launches, and tells an OperationLog of
// every operation before: how many multiply-adds and how many bytes it is. Which launches an operation became, and how
// long they took, a KernelClock says.
#pragma once

#include <wajah/cuda_clock.hpp>
#include <wajah/layers/avg_pool2d.hpp>
#include <wajah/layers/avg_pool2d_half.hpp>
#include <wajah/layers/conv2d.hpp>
#include <wajah/layers/conv2d_half.hpp>
#include <wajah/layers/conv2d_int8.hpp>
#include <wajah/layers/conv2d_to_half.hpp>
#include <wajah/layers/depthwise_conv2d.hpp>
#include <wajah/layers/depthwise_conv2d_half.hpp>
#include <wajah/layers/depthwise_conv2d_int8.hpp>
#include <wajah/layers/fused_blocks.hpp>
#include <wajah/layers/max_pool2d.hpp>
#include <wajah/layers/max_pool2d_half.hpp>
#include <wajah/layers/max_pool2d_int8.hpp>
#include <wajah/layers/quantise.hpp>
#include <wajah/layers/softmax.hpp>

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wajah::cli {

struct Operation {
  std::size_t macs = 0;
  std::size_t bytes = 0, written = 0;  // of maps and weights, each once; and of those what is written
  int columns = 0;                     // output channels
  Arithmetic arithmetic = Arithmetic::fp32;
};

[[nodiscard]] Operation operation_of(const Conv2dArgs& args, Arithmetic arithmetic);
[[nodiscard]] Operation operation_of(const Conv2dHalfArgs& args, Arithmetic arithmetic);
[[nodiscard]] Operation operation_of(const Conv2dToHalfArgs& args, Arithmetic arithmetic);
[[nodiscard]] Operation operation_of(const Conv2dInt8Args& args, Arithmetic arithmetic);
[[nodiscard]] Operation operation_of(const DepthwiseConv2dArgs& args, Arithmetic arithmetic);
[[nodiscard]] Operation operation_of(const DepthwiseConv2dHalfArgs& args, Arithmetic arithmetic);
[[nodiscard]] Operation operation_of(const DepthwiseConv2dInt8Args& args, Arithmetic arithmetic);
[[nodiscard]] Operation operation_of(const FusedBlocksArgs& args, Arithmetic arithmetic);
[[nodiscard]] Operation operation_of(const FusedBlocksHalfArgs& args, Arithmetic arithmetic);

// What only reads a map and writes another.
template <class Args>
[[nodiscard]] Operation operation_of(const Args& args, Arithmetic) {
  const std::size_t written = args.y.shape.size() * sizeof(*args.y.data);
  return {0, args.x.shape.size() * sizeof(*args.x.data) + written, written, args.y.shape.c, Arithmetic::fp32};
}

struct OperationLog {
  std::vector<Operation> operations;
  std::function<void()> mark;
};

template <class Device>
class Observed : public Device {
 public:
  Observed(const Device& device, OperationLog& log) : Device(device), log_(&log) {}

  // Tells of the operation, and gives the device that does it.
  template <class Args>
  [[nodiscard]] const Device& before(const Args& args) const {
    log_->mark();
    log_->operations.push_back(operation_of(args, this->launch().arithmetic));
    return *this;
  }

 private:
  OperationLog* log_;
};

template <class D>
void conv2d(const Observed<D>& device, const Conv2dArgs& args) {
  conv2d(device.before(args), args);
}
template <class D>
void conv2d_half(const Observed<D>& device, const Conv2dHalfArgs& args) {
  conv2d_half(device.before(args), args);
}
template <class D>
void conv2d_to_half(const Observed<D>& device, const Conv2dToHalfArgs& args) {
  conv2d_to_half(device.before(args), args);
}
template <class D>
void conv2d_int8(const Observed<D>& device, const Conv2dInt8Args& args) {
  conv2d_int8(device.before(args), args);
}
template <class D>
void depthwise_conv2d(const Observed<D>& device, const DepthwiseConv2dArgs& args) {
  depthwise_conv2d(device.before(args), args);
}
template <class D>
void depthwise_conv2d_half(const Observed<D>& device, const DepthwiseConv2dHalfArgs& args) {
  depthwise_conv2d_half(device.before(args), args);
}
template <class D>
void depthwise_conv2d_int8(const Observed<D>& device, const DepthwiseConv2dInt8Args& args) {
  depthwise_conv2d_int8(device.before(args), args);
}
template <class D>
void quantise(const Observed<D>& device, const QuantiseArgs& args) {
  quantise(device.before(args), args);
}
template <class D>
void fused_blocks(const Observed<D>& device, const FusedBlocksArgs& args) {
  fused_blocks(device.before(args), args);
}
template <class D>
void fused_blocks_half(const Observed<D>& device, const FusedBlocksHalfArgs& args) {
  fused_blocks_half(device.before(args), args);
}
template <class D>
void max_pool2d(const Observed<D>& device, const MaxPool2dArgs& args) {
  max_pool2d(device.before(args), args);
}
template <class D>
void max_pool2d_half(const Observed<D>& device, const MaxPool2dHalfArgs& args) {
  max_pool2d_half(device.before(args), args);
}
template <class D>
void max_pool2d_int8(const Observed<D>& device, const MaxPool2dInt8Args& args) {
  max_pool2d_int8(device.before(args), args);
}
template <class D>
void global_avg_pool(const Observed<D>& device, const GlobalAvgPoolArgs& args) {
  global_avg_pool(device.before(args), args);
}
template <class D>
void global_avg_pool_half(const Observed<D>& device, const GlobalAvgPoolHalfArgs& args) {
  global_avg_pool_half(device.before(args), args);
}
template <class D>
void softmax(const Observed<D>& device, const SoftmaxArgs& args) {
  softmax(device.before(args), args);
}

// All launches of one kernel in one forward pass.
struct KernelSum {
  std::string kernel;
  std::size_t launches = 0, blocks = 0;
  double ms = 0;  // the sum of its launches' medians
  std::size_t macs = 0, bytes = 0;
  int columns = 0;  // output channels of its narrowest
  Arithmetic arithmetic = Arithmetic::fp32;

  [[nodiscard]] double gflops() const { return ms > 0 ? 2e-6 * static_cast<double>(macs) / ms : 0; }
  [[nodiscard]] double gigabytes() const { return ms > 0 ? 1e-6 * static_cast<double>(bytes) / ms : 0; }
};

// By kernel, the longest first. runs: milliseconds of each launch, run by run. Throws Error (device) where a launch
// belongs to no operation that was told of: its work would be another's.
[[nodiscard]] std::vector<KernelSum> sum_by_kernel(std::span<const LaunchFacts> launches,
                                                   std::span<const Operation> operations,
                                                   std::span<const std::vector<double>> runs);

// What a card can do at most, from its generation, its multiprocessors and its clocks.
struct CardPeaks {
  int processors = 1;
  double gigabytes = 0;             // a second; 0: unknown, as below
  double gflops[arithmetics] = {};  // by Arithmetic
  [[nodiscard]] double gflops_of(Arithmetic a) const { return gflops[static_cast<std::size_t>(a)]; }
};
[[nodiscard]] CardPeaks peaks_of(const CudaFacts& facts, const CardRates& rates);

// The share of whichever of the two peaks the kernel is nearer to.
[[nodiscard]] double peak_share(const KernelSum& sum, const CardPeaks& peaks);

// Why a kernel is below half of the peak, from its sizes alone; empty where it is not.
[[nodiscard]] std::string reason(const KernelSum& sum, const CardPeaks& peaks);

// Forward passes that count.
template <class Net, class Device>
[[nodiscard]] std::vector<KernelSum> time_kernels(const Net& net, const Device& device, Shape shape, int runs,
                                                  const ClockDriver& driver = cuda_clock()) {
  const std::vector<float> values(shape.size(), 0.5F);
  const Buffer x = device.uploaded(values.data(), values.size() * sizeof(float));
  const Buffer y = device.allocate(bytes_of(Net::out(shape)));
  const Buffer scratch = device.allocate(std::max(Net::workspace(shape), alignment));
  OperationLog log;
  const Observed<Device> observed(device, log);
  const auto forward = [&](const auto& on) {
    net.forward(on, ConstView<float>(x.template as<float>(), shape),
                View<float>(y.template as<float>(), Net::out(shape)), scratch.arena());
  };
  forward(device);  // a kernel's first launch loads it, which a capture must not
  const KernelClock clock(
      device,
      [&](const std::function<void()>& mark) {
        log.mark = mark;
        forward(observed);
      },
      driver);
  constexpr int warm_ups = 3;
  std::vector<std::vector<double>> times;
  for (int i = 0; i < warm_ups + runs; ++i) {
    std::vector<double> milliseconds = clock.time();
    if (i >= warm_ups) times.push_back(std::move(milliseconds));
  }
  return sum_by_kernel(clock.launches(), log.operations, times);
}

}  // namespace wajah::cli
