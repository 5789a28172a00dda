// Sequential: layers one after another. Maps between them alternate between the two ends of the arena, each layer's own
// scratch lies in the gap, so the memory needed is the largest pair of neighbours plus scratch, known at compile time.
#pragma once

#include <wajah/layer.hpp>

#include <tuple>
#include <utility>

namespace wajah {

template <class... Layers>
struct Sequential {
  static_assert(sizeof...(Layers) > 0, "a Sequential needs at least one layer");
  static constexpr std::size_t count = sizeof...(Layers);
  template <std::size_t I>
  using Layer = std::tuple_element_t<I, std::tuple<Layers...>>;
  using Input = InputOf<Layer<0>>;

  // Shape after the first `I` layers.
  template <std::size_t I>
  static constexpr Shape after(Shape x) {
    if constexpr (I == 0) {
      return x;
    } else {
      return Layer<I - 1>::out(after<I - 1>(x));
    }
  }

  static constexpr Shape out(Shape x) { return after<count>(x); }

  static constexpr std::size_t workspace(Shape x) {
    return [x]<std::size_t... I>(std::index_sequence<I...>) { return std::max({step<I>(x)...}); }(indices);
  }

  // What the bytes of the first map mean that is read as such.
  template <std::size_t I = 0>
  static auto input(const auto& device, const Weights& weights) {
    if constexpr (requires { Layer<I>::input(device, weights); }) {
      return Layer<I>::input(device, weights);
    } else {
      return input<I + 1>(device, weights);
    }
  }

  // The output, if any, is what the last layer's bytes shall mean; those in between mean what is read after them.
  void load(const auto& device, const Weights& weights, const auto&... output) {
    [&]<std::size_t... I>(std::index_sequence<I...>) { (load_layer<I>(device, weights, output...), ...); }(indices);
  }

  // The epilogue, if any, is the last layer's.
  template <class Y>
  void forward(const auto& device, ConstView<Input> x, View<Y> y, Arena arena, const auto&... epilogue) const {
    run<0>(device, x, y, arena, epilogue...);
  }

  // Calls visit.template layer<L>(shape of its input, scope) for every layer that is not made of others.
  static constexpr void each(Shape x, auto&& visit) {
    [&]<std::size_t... I>(std::index_sequence<I...>) { (visit.template layer<Layer<I>>(after<I>(x)), ...); }(indices);
  }

  std::tuple<Layers...> layers;

 private:
  static constexpr auto indices = std::make_index_sequence<count>{};

  // The map that layer I reads.
  template <std::size_t I>
  using Map = InputOf<Layer<I>>;

  template <std::size_t I>
  void load_layer(const auto& device, const Weights& weights, const auto&... output) {
    auto& layer = std::get<I>(layers);
    if constexpr (I + 1 == count) {
      layer.load(device, weights, output...);
    } else if constexpr (!std::is_same_v<Map<I + 1>, std::uint8_t>) {
      layer.load(device, weights);
    } else {
      layer.load(device, weights, input<I + 1>(device, weights));
    }
  }

  // Bytes that are alive while layer I runs: its input and output unless they are the caller's, and its scratch.
  template <std::size_t I>
  static constexpr std::size_t step(Shape x) {
    const std::size_t before = I == 0 ? 0 : bytes_of<Map<I>>(after<I>(x));
    const std::size_t behind = I + 1 == count ? 0 : bytes_of<Map<I + 1 == count ? 0 : I + 1>>(after<I + 1>(x));
    return before + behind + align_up(Layer<I>::workspace(after<I>(x)));
  }

  // Layer I writes to the front of the arena if I is even and to the back if odd, so its input is at the other end.
  template <std::size_t I, class Y>
  void run(const auto& device, ConstView<Map<I>> x, View<Y> y, Arena arena, const auto&... epilogue) const {
    const auto& layer = std::get<I>(layers);
    Arena gap = arena;
    if constexpr (I > 0) take<I - 1>(gap, x.shape);
    if constexpr (I + 1 == count) {
      layer.forward(device, x, y, gap, epilogue...);
    } else {
      const View<Map<I + 1>> middle = take<I>(gap, Layer<I>::out(x.shape));
      layer.forward(device, x, middle, gap);
      run<I + 1>(device, middle, y, arena, epilogue...);
    }
  }

  // The map that layer I writes.
  template <std::size_t I>
  static View<Map<I + 1>> take(Arena& arena, Shape shape) {
    return I % 2 == 0 ? arena.front<Map<I + 1>>(shape) : arena.back<Map<I + 1>>(shape);
  }
};

namespace detail {

template <class... Sequentials>
struct Join;
template <class... Layers>
struct Join<Sequential<Layers...>> {
  using type = Sequential<Layers...>;
};
template <class... First, class... Second, class... Rest>
struct Join<Sequential<First...>, Sequential<Second...>, Rest...> : Join<Sequential<First..., Second...>, Rest...> {};

}  // namespace detail

// The layers of several Sequentials in one, so that a network can be written in named stages without holding one
// stage's output while the first layers of that stage still run.
template <class... Sequentials>
using Join = typename detail::Join<Sequentials...>::type;

}  // namespace wajah
