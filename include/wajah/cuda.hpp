// Cuda: the device beside Cpu. One card, one stream; memory comes from one allocation made at the start.
//
// Every call of CUDA's runtime is checked: errors are Error (device; device_memory if only memory was lacking) and name
// the call, the card and a hint. Kernels are launched without waiting; upload() and download() keep their order. Values
// are cheap to copy and share everything; a thread of its own takes on_own_stream().
//
// Nobody waits for longer than CudaOptions::patience. After that the card counts as lost for all who share it: every
// call fails at once, and what the card may still write to (its memory, pinned memory) stays until the process ends.
#pragma once

#include <wajah/cuda_driver.hpp>
#include <wajah/layers/conv2d.hpp>
#include <wajah/layers/conv2d_int8.hpp>
#include <wajah/layers/depthwise_conv2d.hpp>
#include <wajah/layers/depthwise_conv2d_int8.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace wajah {

struct CudaOptions {
  int card = 0;
  double memory_fraction = 0.5;  // of the card's memory: never more is allocated, by anything in this process
  Arithmetic arithmetic = Arithmetic::fp32;
  std::chrono::milliseconds patience{4000};  // how long a wait for the card may take
  // Programmatic dependent launch, where the card can (compute capability 9.0). WAJAH_CUDA_DEPENDENT_LAUNCH=0 in the
  // environment turns it off whatever stands here.
  bool dependent_launch = true;
  // Residual blocks of few images in one launch (layers/fused_blocks.hpp), where the card can (compute capability 9).
  // Not unless asked for: no card has run them yet. WAJAH_CUDA_FUSED_BLOCKS=1 in the environment asks, 0 forbids.
  bool fused_blocks = false;
  // Convolutions over 16-bit maps by wgmma and TMA, where the card can (compute capability 9) and a layer is large
  // enough. The same holds for it; WAJAH_CUDA_WARPGROUP_PRODUCTS=1 or 0.
  bool warpgroup_products = false;
};

[[nodiscard]] std::string_view name_of(Arithmetic arithmetic);

// "auto", "cpu", "cuda", "cuda:2". Throws Error (usage).
struct DeviceChoice {
  enum class Kind { automatic, cpu, cuda } kind = Kind::automatic;
  int card = 0;
};
[[nodiscard]] DeviceChoice parse_device(std::string_view text);

// Why kernels cannot run on this card, in a sentence; nothing if they can.
[[nodiscard]] std::optional<std::string> why_not_cuda(int card, const CudaDriver& driver = cuda_runtime());

// What was captured once and is launched as a whole.
class CudaGraph {
 public:
  CudaGraph() = default;
  void launch() const;
  [[nodiscard]] explicit operator bool() const { return graph_ != nullptr; }

 private:
  friend class Cuda;
  struct State;
  std::shared_ptr<const State> graph_;
};

class Cuda {
 public:
  // Takes the card and its share of memory. Throws Error (device, device_memory; usage: WAJAH_CUDA_* not 0 or 1).
  explicit Cuda(const CudaOptions& options = {}, const CudaDriver& driver = cuda_runtime());

  // The same card and memory, another stream (and staging and scratch that go with it).
  [[nodiscard]] Cuda on_own_stream() const;
  [[nodiscard]] Cuda on_own_stream(Arithmetic arithmetic) const;

  // Memory of the card; uninitialised. Throws Error (device_memory) if the share is used up.
  [[nodiscard]] Buffer allocate(std::size_t bytes) const;

  // Through pinned memory, after everything launched before. `from` may change when upload returns; `to` is there when
  // download returns.
  void upload(void* to, const void* from, std::size_t bytes) const;
  void download(void* to, const void* from, std::size_t bytes) const;
  [[nodiscard]] Buffer uploaded(const void* from, std::size_t bytes) const;
  void wait() const;

  // Runs `work` to see what it launches, and gives that as one graph. `work` must not upload, download or allocate.
  [[nodiscard]] CudaGraph capture(const std::function<void()>& work) const;

  [[nodiscard]] const Launch& launch() const;
  [[nodiscard]] int card() const;
  [[nodiscard]] const CudaFacts& facts() const;
  [[nodiscard]] bool fused_blocks() const;  // as the options and the card say
  // Bytes of the share, in use now and at most.
  struct MemoryUse {
    std::size_t share = 0, used = 0, peak = 0;
  };
  [[nodiscard]] MemoryUse memory() const;

 private:
  struct Card;
  struct Stream;
  Cuda(std::shared_ptr<Card> card, Arithmetic arithmetic);

  std::shared_ptr<Card> card_;
  std::shared_ptr<Stream> stream_;
};

// Plain order (window.h, window.w, in, out), in the device's arithmetic, output channels padded to a multiple of four.
[[nodiscard]] PackedConv2d pack_conv2d(const Cuda& device, const Conv2dWeights& weights);
[[nodiscard]] PackedConv2dInt8 pack_conv2d_int8(const Cuda& device, const Conv2dWeights& weights, Quantisation input,
                                                const Quantisation* output, std::span<const float> scales = {});
// Signed bytes (inner, out) as the device's conv2d_int8 reads them.
[[nodiscard]] std::vector<std::int8_t> int8_columns(const std::int8_t* weights, int inner, int out);
[[nodiscard]] PackedDepthwiseConv2d pack_depthwise_conv2d(const Cuda& device, const DepthwiseConv2dWeights& weights);
[[nodiscard]] PackedDepthwiseConv2dInt8 pack_depthwise_conv2d_int8(const Cuda& device,
                                                                   const DepthwiseConv2dWeights& weights,
                                                                   const ChannelSteps& input,
                                                                   const ChannelSteps* output);

}  // namespace wajah
