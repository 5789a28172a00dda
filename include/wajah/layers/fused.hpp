// Fused<Net>: the type of the same network with every residual block that a card can compute in one launch given the
// choice (fused_blocks.hpp). Weights and shapes are the network's; on a Cpu it is the network.
#pragma once

#include <wajah/layers/fused_blocks.hpp>
#include <wajah/layers/per_image.hpp>

namespace wajah {
namespace detail {

template <class L>
struct Fuse {
  using type = L;
};
template <int Count, Name Prefix, class Block>
requires(fused_plan_of<Block>() >= 0) struct Fuse<Repeat<Count, Prefix, Block>> {
  using type = FusedBlocks<Repeat<Count, Prefix, Block>>;
};
template <class Body, class Scale>
requires(fused_plan_of<Residual<Body, Scale>>() >= 0) struct Fuse<Residual<Body, Scale>> {
  using type = FusedBlocks<Residual<Body, Scale>>;
};
template <Name Prefix, class Inner>
struct Fuse<Scope<Prefix, Inner>> {
  using type = Scope<Prefix, typename Fuse<Inner>::type>;
};
template <class... Layers>
struct Fuse<Sequential<Layers...>> {
  using type = Sequential<typename Fuse<Layers>::type...>;
};
template <class... Layers>
struct Fuse<PerImageOnCpu<Layers...>> {
  using type = PerImageOnCpu<typename Fuse<Layers>::type...>;
};

}  // namespace detail

template <class Net>
using Fused = typename detail::Fuse<Net>::type;

}  // namespace wajah
