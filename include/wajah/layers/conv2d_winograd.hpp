// Conv2dWinograd: Conv2d by Winograd's minimal filtering: tiles of Rows x Columns outputs are had from fewer
// multiplications, each a matrix product over the channels of many tiles. It computes what Conv2d does with the same
// weights, but for rounding (docs/architecture.md has the error of each tile).
#pragma once

#include <wajah/layers/conv2d.hpp>

namespace wajah {

// Outputs of one tile.
struct WinogradTile {
  int rows = 1, columns = 1;

  friend WAJAH_INLINE bool operator==(const WinogradTile& a, const WinogradTile& b) {
    return a.rows == b.rows && a.columns == b.columns;
  }
};

// Products a tile of these outputs and window needs for each pair of channels.
[[nodiscard]] WAJAH_INLINE int winograd_points(Window window, WinogradTile tile) {
  return (tile.rows + window.h - 1) * (tile.columns + window.w - 1);
}

struct Conv2dWinogradArgs {
  Conv2dArgs conv;  // its weights as pack_conv2d_winograd laid them out
  WinogradTile tile;
};
WAJAH_KERNEL(conv2d_winograd, Conv2dWinogradArgs)

// The tiles that there are kernels for.
[[nodiscard]] WAJAH_INLINE bool has_winograd(Window window, WinogradTile tile) {
  if (window.stride != 1) return false;
  if (window.h == 1 && window.w == 7) return tile == WinogradTile{1, 4};
  if (window.h == 7 && window.w == 1) return tile == WinogradTile{4, 1};
  return window.h == 3 && window.w == 3 && tile.rows == tile.columns && tile.rows >= 2 && tile.rows <= 4;
}

// Tiles of one block lie in scratch of this size on the stack of each thread.
inline constexpr int winograd_scratch = 768 * 1024;

#ifndef WAJAH_KERNEL_ISA

// Transforms the weights in double and packs them for the instruction set of `device`, on its threads.
[[nodiscard]] PackedConv2d pack_conv2d_winograd(const Cpu& device, const Conv2dWeights& weights, WinogradTile tile);

// Tensors: those of Conv2d<N, In, Out, W, P, Act>.
template <Name N, int In, int Out, Window W, Pad P, class Act, WinogradTile Tile>
struct Conv2dWinograd {
  static_assert(has_winograd(W, Tile), "there is no kernel for this window and tile");
  static_assert(winograd_points(W, Tile) * (In + 48) * int{sizeof(float)} <= winograd_scratch / 4,
                "so many channels leave no room for tiles: take smaller tiles");
  using Exact = Conv2d<N, In, Out, W, P, Act>;
  static constexpr std::string_view name = N.view();

  static constexpr Shape out(Shape x) { return Exact::out(x); }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape x) { return Exact::macs(x); }

  void load(const auto& device, const Weights& weights) {
    const Values kernel = weights.scope(name).get("weights", {W.h, W.w, In, Out});
    const Values biases = weights.scope(name).get("biases", {Out});
    const Values slopes = Act::slopes(weights, Out);
    packed_ = pack_conv2d_winograd(
        device, Conv2dWeights{In, Out, W, kernel.data(), biases.data(), {Act::kind, slopes.data()}}, Tile);
  }

  void forward(const auto& device, ConstView<float> x, View<float> y, Arena, const Epilogue& epilogue = {}) const {
    conv2d_winograd(device, Conv2dWinogradArgs{{x,
                                                y,
                                                W,
                                                P,
                                                packed_.weights.template as<float>(),
                                                packed_.biases.template as<float>(),
                                                {Act::kind, packed_.slopes.template as<float>()},
                                                epilogue},
                                               Tile});
  }

 private:
  PackedConv2d packed_;
};

#endif

}  // namespace wajah
