// FusedBlocks<Repeat<...>>, FusedBlocks<Residual<...>>: the layer that it names, which a card with clusters computes in
// one launch for all its residual blocks where few images are asked for, instead of five to seven launches a block.
//
// It is so for block35, block17 and block8 of Inception-ResNet-v1 on a Cuda whose CudaOptions::fused_blocks is on, in
// fp16 and bf16. The device decides when weights are loaded and again for each number of images; whatever does not fit
// is computed layer by layer. Fused<Net> (fused.hpp) puts it into a network.
#pragma once

#include <wajah/cuda_kernels.hpp>
#include <wajah/layers/fused_plan.hpp>
#ifndef WAJAH_KERNEL_ISA
#include <wajah/cuda.hpp>
#include <wajah/layers/concat.hpp>
#include <wajah/layers/repeat.hpp>
#include <wajah/layers/residual.hpp>
#include <wajah/layers/scope.hpp>
#include <wajah/layers/sequential.hpp>

#include <array>
#include <span>
#include <vector>
#endif

namespace wajah {

// y = `repeats` residual blocks after one another on x, each activation(x + scale * body(x)); y may be x itself. In
// fp16 or bf16 (Launch::arithmetic), with clusters. Maps are float32, or 16-bit words of that arithmetic, to which y is
// rounded once.
template <class Word>
struct FusedBlocksArgsOf {
  ConstView<Word> x{};
  View<Word> y{};
  int plan = 0;                   // of fused_plans
  const void* weights = nullptr;  // these two as pack_fused_blocks laid them out
  const float* biases = nullptr;
  int repeats = 1;
  float scale = 1;
  bool relu = true;  // or no activation
};
using FusedBlocksArgs = FusedBlocksArgsOf<float>;
using FusedBlocksHalfArgs = FusedBlocksArgsOf<uint16_t>;
WAJAH_CARD_KERNEL(fused_blocks, FusedBlocksArgs)
WAJAH_CARD_KERNEL(fused_blocks_half, FusedBlocksHalfArgs)

#ifndef WAJAH_KERNEL_ISA

// The convolutions of residual blocks, in the order of a plan's `convs`: block after block.
struct FusedConvWeights {
  Values weights, biases;
};
struct PackedFusedBlocks {
  Buffer weights, biases;  // empty: not for this device
};
[[nodiscard]] PackedFusedBlocks pack_fused_blocks(const Cuda& device, const FusedPlan& plan,
                                                  std::span<const FusedConvWeights> convs);

// Whether residual blocks shall be fused on this device at all, and for so many images of x's shape.
[[nodiscard]] bool wants_fused_blocks(const Cuda& device);
template <class Word>
[[nodiscard]] bool fuses_blocks(const Launch& on, const FusedPlan& plan, ConstView<Word> x, View<Word> y);

namespace detail {

// The convolutions of a branch or a residual block as a plan writes them: in order of their weights, with their step.
struct FusedList {
  FusedConv convs[FusedPlan::most_convs]{};
  int count = 0;
  bool fits = true;

  constexpr void add(const FusedConv& conv) {
    fits = fits && count < FusedPlan::most_convs;
    if (fits) convs[count++] = conv;
  }
  [[nodiscard]] constexpr bool is(const FusedPlan& plan) const {
    if (!fits || count != plan.convs_count) return false;
    for (int i = 0; i < count; ++i) {
      const FusedConv &a = convs[i], &b = plan.convs[i];
      if (a.in != b.in || a.out != b.out || a.step != b.step) return false;
      if (a.window.h != b.window.h || a.window.w != b.window.w) return false;
    }
    return true;
  }
};

// Adds the convolutions of a branch from step `step` on, and takes their weights.
template <class L>
struct FusedPart {
  static constexpr void list(FusedList& all, int) { all.fits = false; }
};
template <Name N, int In, int Out, Window W, Pad P, class Act>
struct FusedPart<Conv2d<N, In, Out, W, P, Act>> {
  static constexpr void list(FusedList& all, int step) {
    const bool inner = step + 1 < FusedPlan::steps_count;
    const bool plain = Act::kind == ActivationKind::relu || (!inner && Act::kind == ActivationKind::identity);
    all.fits = all.fits && W.stride == 1 && P == Pad::same && plain;
    all.add({In, Out, W, step, 0});
  }
  static void take(const Weights& weights, std::vector<FusedConvWeights>& all) {
    const Weights scope = weights.scope(N.view());
    all.push_back({scope.get("weights", {W.h, W.w, In, Out}), scope.get("biases", {Out})});
  }
};
template <Name Prefix, class Inner>
struct FusedPart<Scope<Prefix, Inner>> {
  static constexpr void list(FusedList& all, int step) { FusedPart<Inner>::list(all, step); }
  static void take(const Weights& weights, std::vector<FusedConvWeights>& all) {
    FusedPart<Inner>::take(weights.scope(Prefix.view()), all);
  }
};
template <class... Layers>
struct FusedPart<Sequential<Layers...>> {
  static constexpr void list(FusedList& all, int step) { (FusedPart<Layers>::list(all, step++), ...); }
  static void take(const Weights& weights, std::vector<FusedConvWeights>& all) {
    (FusedPart<Layers>::take(weights, all), ...);
  }
};

// A residual block: branches side by side, then one convolution that closes it.
template <class Block>
struct FusedBlock {
  static constexpr FusedList list() { return {{}, 0, false}; }
};
template <class... Branches, Name N, int In, int Out, Window W, Pad P, class Act, class Scale>
struct FusedBlock<Residual<Sequential<Concat<Branches...>, Conv2d<N, In, Out, W, P, Act>>, Scale>> {
  using Last = Conv2d<N, In, Out, W, P, Act>;
  static constexpr bool relu = Act::kind == ActivationKind::relu;

  static constexpr FusedList list() {
    FusedList all;
    (FusedPart<Branches>::list(all, 0), ...);
    FusedPart<Last>::list(all, FusedPlan::steps_count - 1);
    return all;
  }
  static void take(const Weights& weights, std::vector<FusedConvWeights>& all) {
    (FusedPart<Branches>::take(weights, all), ...);
    FusedPart<Last>::take(weights, all);
  }
};

}  // namespace detail

// Which of fused_plans computes this residual block; -1: none.
template <class Block>
constexpr int fused_plan_of() {
  const detail::FusedList list = detail::FusedBlock<Block>::list();
  for (int i = 0; i < static_cast<int>(std::size(fused_plans)); ++i) {
    if (list.is(fused_plans[i])) return i;
  }
  return -1;
}

namespace detail {

void launch_fused_blocks(const auto& device, const FusedBlocksArgs& args) { fused_blocks(device, args); }
void launch_fused_blocks(const auto& device, const FusedBlocksHalfArgs& args) { fused_blocks_half(device, args); }

template <class Inner, class Block>
struct FusedBlocksBase {
  using Input = InputOf<Inner>;
  static constexpr int plan = fused_plan_of<Block>();
  static_assert(plan >= 0, "there is no plan for this residual block");

  static constexpr Shape out(Shape x) { return Inner::out(x); }
  static constexpr std::size_t workspace(Shape x) { return Inner::workspace(x); }
  static constexpr void each(Shape x, auto&& visit) { Inner::each(x, visit); }

  void forward(const auto& device, ConstView<Input> x, View<Input> y, Arena arena) const {
    if constexpr (requires { wants_fused_blocks(device); }) {
      if (packed.weights.size() > 0 && fuses_blocks<Input>(device.launch(), fused_plans[plan], x, y)) {
        return launch_fused_blocks(device, FusedBlocksArgsOf<Input>{x, y, plan, packed.weights.template as<>(),
                                                                    packed.biases.template as<float>(), repeats,
                                                                    Block::scale, FusedBlock<Block>::relu});
      }
    }
    inner.forward(device, x, y, arena);
  }

  Inner inner;
  PackedFusedBlocks packed;
  int repeats = 0;

 protected:
  void load_blocks(const auto& device, std::span<const Weights> blocks) {
    if constexpr (requires { wants_fused_blocks(device); }) {
      if (!wants_fused_blocks(device)) return;
      std::vector<FusedConvWeights> convs;
      for (const Weights& block : blocks) FusedBlock<Block>::take(block, convs);
      packed = pack_fused_blocks(device, fused_plans[plan], convs);
      repeats = static_cast<int>(blocks.size());
    }
  }
};

}  // namespace detail

// Inner: the layer as it is computed elsewhere, over maps of floats or of words (halved.hpp).
template <class Layer, class Inner = Layer>
struct FusedBlocks;

template <int Count, Name Prefix, class Block, class Inner>
struct FusedBlocks<Repeat<Count, Prefix, Block>, Inner> : detail::FusedBlocksBase<Inner, Block> {
  void load(const auto& device, const Weights& weights) {
    this->inner.load(device, weights);
    std::vector<Weights> blocks;
    for (int i = 0; i < Count; ++i) blocks.push_back(weights.scope(fmt::format("{}_{}", Prefix.view(), i + 1)));
    this->load_blocks(device, blocks);
  }
};

template <class Body, class Scale, class Inner>
struct FusedBlocks<Residual<Body, Scale>, Inner> : detail::FusedBlocksBase<Inner, Residual<Body, Scale>> {
  void load(const auto& device, const Weights& weights) {
    this->inner.load(device, weights);
    this->load_blocks(device, std::array{weights});
  }
};

#endif

}  // namespace wajah
