// Repeat: the same Residual Count times, its weights under "<Prefix>_1" to "<Prefix>_<Count>" as TensorFlow-Slim names
// them. From the second on it works in place, so it needs no map of its own.
#pragma once

#include <wajah/layer.hpp>

#include <array>

namespace wajah {

template <int Count, Name Prefix, class Block>
struct Repeat {
  static_assert(Count > 0);
  using Input = InputOf<Block>;

  static constexpr Shape out(Shape x) { return Block::out(x); }
  static constexpr std::size_t workspace(Shape x) { return Block::workspace(x); }

  void load(const auto& device, const Weights& weights) {
    for (int i = 0; i < Count; ++i) {
      blocks[static_cast<std::size_t>(i)].load(device, weights.scope(fmt::format("{}_{}", Prefix.view(), i + 1)));
    }
  }

  void forward(const auto& device, ConstView<Input> x, View<Input> y, Arena arena) const {
    blocks[0].forward(device, x, y, arena);
    for (std::size_t i = 1; i < Count; ++i) blocks[i].forward(device, y, y, arena);
  }

  static constexpr void each(Shape x, auto&& visit) {
    for (int i = 0; i < Count; ++i) visit.template layer<Block>(x, Prefix.view(), i + 1);
  }

  std::array<Block, Count> blocks;
};

}  // namespace wajah
