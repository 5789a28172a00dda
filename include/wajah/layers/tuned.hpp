// Tuned<Net, X>: the type of the same network with every convolution done in the way that costs least where it stands,
// for images of shape X: Winograd's algorithm with the best tile, or the sums as they are defined. Results differ by
// rounding only; Net itself remains the network whose bits do not depend on any choice.
#pragma once

#include <wajah/layers/concat.hpp>
#include <wajah/layers/conv2d_winograd.hpp>
#include <wajah/layers/per_image.hpp>
#include <wajah/layers/repeat.hpp>
#include <wajah/layers/residual.hpp>
#include <wajah/layers/scope.hpp>
#include <wajah/layers/sequential.hpp>

namespace wajah {
namespace detail {

// Costs are in multiply-adds of one output channel; both figures are measured on layers of Inception-ResNet-v1.
inline constexpr double transform_cost = 10;  // of one number at one point, into Winograd's domain or back
inline constexpr double weight_cost = 16;     // of reading one weight that no cache holds

// Taps that meet the map, over all places of a window in one direction.
constexpr double taps_inside(int size, int window, int stride, Pad pad) {
  const Reach reached = reach(size, window, stride, pad);
  double taps = 0;
  for (int i = 0; i < reached.out; ++i) {
    const int begin = i * stride - reached.before;
    taps += std::min(begin + window, size) - std::max(begin, 0);
  }
  return taps;
}

constexpr double direct_cost(Shape x, int out, Window window, Pad pad) {
  const double pairs = static_cast<double>(x.c) * out;
  return pairs *
         (x.n * taps_inside(x.h, window.h, window.stride, pad) * taps_inside(x.w, window.w, window.stride, pad) +
          weight_cost * window.h * window.w);
}

constexpr double winograd_cost(Shape x, int out, Window window, Pad pad, WinogradTile tile) {
  const int down = (reach(x.h, window.h, 1, pad).out + tile.rows - 1) / tile.rows;
  const int across = (reach(x.w, window.w, 1, pad).out + tile.columns - 1) / tile.columns;
  const double tiles = static_cast<double>(x.n) * down * across;
  const double pairs = static_cast<double>(x.c) * out;
  return winograd_points(window, tile) * (pairs * (tiles + weight_cost) + tiles * (x.c + out) * transform_cost);
}

// The tile that costs least; 1x1 where the definition does.
constexpr WinogradTile best_tile(Shape x, int out, Window window, Pad pad) {
  WinogradTile best;
  double least = direct_cost(x, out, window, pad);
  for (const WinogradTile tile : {WinogradTile{2, 2}, {3, 3}, {4, 4}, {1, 4}, {4, 1}}) {
    if (!has_winograd(window, tile)) continue;
    const double cost = winograd_cost(x, out, window, pad, tile);
    if (cost < least) {
      least = cost;
      best = tile;
    }
  }
  return best;
}

template <class L, Shape X>
struct Tune {
  using type = L;
};

template <class Conv, WinogradTile Tile>
struct WithTile;
template <Name N, int In, int Out, Window W, Pad P, class Act, WinogradTile Tile>
struct WithTile<Conv2d<N, In, Out, W, P, Act>, Tile> {
  using type = Conv2dWinograd<N, In, Out, W, P, Act, Tile>;
};
template <Name N, int In, int Out, Window W, Pad P, class Act>
struct WithTile<Conv2d<N, In, Out, W, P, Act>, WinogradTile{}> {
  using type = Conv2d<N, In, Out, W, P, Act>;
};

template <Name N, int In, int Out, Window W, Pad P, class Act, Shape X>
struct Tune<Conv2d<N, In, Out, W, P, Act>, X> : WithTile<Conv2d<N, In, Out, W, P, Act>, best_tile(X, Out, W, P)> {};

template <Name Prefix, class Inner, Shape X>
struct Tune<Scope<Prefix, Inner>, X> {
  using type = Scope<Prefix, typename Tune<Inner, X>::type>;
};
template <class Body, class Scale, Shape X>
struct Tune<Residual<Body, Scale>, X> {
  using type = Residual<typename Tune<Body, X>::type, Scale>;
};
template <int Count, Name Prefix, class Block, Shape X>
struct Tune<Repeat<Count, Prefix, Block>, X> {
  using type = Repeat<Count, Prefix, typename Tune<Block, X>::type>;
};
template <class... Branches, Shape X>
struct Tune<Concat<Branches...>, X> {
  using type = Concat<typename Tune<Branches, X>::type...>;
};
template <class... Layers, Shape X>
struct Tune<Sequential<Layers...>, X> {
  template <std::size_t... I>
  static auto at(std::index_sequence<I...>)
      -> Sequential<typename Tune<Layers, Sequential<Layers...>::template after<I>(X)>::type...>;
  using type = decltype(at(std::index_sequence_for<Layers...>{}));
};
template <class... Layers, Shape X>
struct Tune<PerImage<Layers...>, X> {
  using type = PerImage<typename Tune<Sequential<Layers...>, X>::type>;
};
template <class... Layers, Shape X>
struct Tune<PerImageOnCpu<Layers...>, X> {
  using type = PerImageOnCpu<typename Tune<Sequential<Layers...>, X>::type>;
};

}  // namespace detail

template <class Net, Shape X>
using Tuned = typename detail::Tune<Net, X>::type;

}  // namespace wajah
