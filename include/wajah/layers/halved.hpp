// Halved<Net>: the type of the same network on maps of 16-bit words (conv2d_half.hpp), for cards that compute in fp16
// or bf16: from floats to floats, with half the bytes between layers. Convolutions, pools and residuals have such a
// form; what has none (Linear, Softmax) reads floats, and whoever stands before it writes them.
#pragma once

#include <wajah/layers/avg_pool2d_half.hpp>
#include <wajah/layers/concat.hpp>
#include <wajah/layers/conv2d_half.hpp>
#include <wajah/layers/conv2d_to_half.hpp>
#include <wajah/layers/depthwise_conv2d_half.hpp>
#include <wajah/layers/fused_blocks.hpp>
#include <wajah/layers/max_pool2d_half.hpp>
#include <wajah/layers/per_image.hpp>
#include <wajah/layers/repeat.hpp>
#include <wajah/layers/residual.hpp>
#include <wajah/layers/scope.hpp>
#include <wajah/layers/sequential.hpp>

namespace wajah {
namespace detail {

template <class L>
struct Halve {
  using type = L;
};

template <Name N, int In, int Out, Window W, Pad P, class Act>
struct Halve<Conv2d<N, In, Out, W, P, Act>> {
  using type = Conv2dToHalf<N, In, Out, W, P, Act>;
};
template <Name N, int In, int Out, Window W, Pad P, class Act>
requires(In % 8 == 0) struct Halve<Conv2d<N, In, Out, W, P, Act>> {
  using type = Conv2dHalf<N, In, Out, W, P, Act>;
};
template <Name N, int C, Window W, Pad P, class Act>
struct Halve<DepthwiseConv2d<N, C, W, P, Act>> {
  using type = DepthwiseConv2dHalf<N, C, W, P, Act>;
};
template <Window W, Pad P>
struct Halve<MaxPool2d<W, P>> {
  using type = MaxPool2dHalf<W, P>;
};
template <>
struct Halve<GlobalAvgPool> {
  using type = GlobalAvgPoolHalf;
};

template <Name Prefix, class Inner>
struct Halve<Scope<Prefix, Inner>> {
  using type = Scope<Prefix, typename Halve<Inner>::type>;
};
template <class Body, class Scale>
struct Halve<Residual<Body, Scale>> {
  using type = Residual<typename Halve<Body>::type, Scale>;
};
template <int Count, Name Prefix, class Block>
struct Halve<Repeat<Count, Prefix, Block>> {
  using type = Repeat<Count, Prefix, typename Halve<Block>::type>;
};
template <class Layer>
struct Halve<FusedBlocks<Layer>> {
  using type = FusedBlocks<Layer, typename Halve<Layer>::type>;
};
template <class... Branches>
struct Halve<Concat<Branches...>> {
  using type = Concat<typename Halve<Branches>::type...>;
};
template <class... Layers>
struct Halve<Sequential<Layers...>> {
  using type = Sequential<typename Halve<Layers>::type...>;
};
// There is no Cpu to go image by image on.
template <class... Layers>
struct Halve<PerImageOnCpu<Layers...>> : Halve<Sequential<Layers...>> {};

}  // namespace detail

template <class Net>
using Halved = typename detail::Halve<Net>::type;

}  // namespace wajah
