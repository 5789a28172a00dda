// The layers of the networks by the kernel that computes them.
#pragma once

#include "cli/bench_nets.hpp"
#include "cli/layer_work.hpp"
#include "harness.hpp"

#include <memory>
#include <set>
#include <string>
#include <typeindex>
#include <utility>

namespace wajah::benchmarks {

enum class Family { conv2d, winograd, int8, depthwise, pool, other };

template <class Layer>
inline constexpr Family family_of = Family::other;
template <Name N, int In, int Out, Window W, Pad P, class Act>
inline constexpr Family family_of<Conv2d<N, In, Out, W, P, Act>> = Family::conv2d;
template <Name N, int In, int Out, Window W, Pad P, class Act, WinogradTile Tile>
inline constexpr Family family_of<Conv2dWinograd<N, In, Out, W, P, Act, Tile>> = Family::winograd;
template <Name N, int In, int Out, Window W, Pad P, class Act>
inline constexpr Family family_of<Conv2dInt8<N, In, Out, W, P, Act>> = Family::int8;
template <Name N, int C, Window W, Pad P, class Act>
inline constexpr Family family_of<DepthwiseConv2d<N, C, W, P, Act>> = Family::depthwise;
template <Name N, int C, Window W, Pad P, class Act>
inline constexpr Family family_of<DepthwiseConv2dInt8<N, C, W, P, Act>> = Family::depthwise;
template <Window W, Pad P>
inline constexpr Family family_of<MaxPool2d<W, P>> = Family::pool;
template <>
inline constexpr Family family_of<GlobalAvgPool> = Family::pool;

// Registers every layer of the family in Net as FAMILY/NET/LAYER, those alike once, with one thread.
template <Family family, class Net>
void add_layers(const std::string& prefix, Shape image) {
  std::set<std::tuple<std::type_index, int, int>> known;
  for_each_layer<Net>(image, [&]<class Layer>(Shape in, const std::string& name) {
    if constexpr (family_of<Layer> == family) {
      if (!known.emplace(typeid(Layer), in.h, in.w).second) return;
      add(prefix + "/" + name, static_cast<double>(Layer::macs(in)), 1,
          [in] { return cli::LayerWork<Layer>(Cpu(1, chosen_isa()), in); });
    }
  });
}

}  // namespace wajah::benchmarks
