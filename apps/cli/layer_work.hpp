// Networks and layers on invented weights and input, ready to be timed: the time of neither depends on the values.
#pragma once

#include "cli/random_weights.hpp"

#include <wajah/layer.hpp>

#include <algorithm>
#include <bit>
#include <type_traits>
#include <vector>

namespace wajah::cli {

// From -1 to 1, or any bytes; the same every time.
template <class T = float>
std::vector<T> random_input(Shape shape) {
  std::uint64_t state = 3;
  std::vector<float> values = random_values(shape.size(), 1, state);
  if constexpr (std::is_same_v<T, float>) {
    return values;
  } else if constexpr (std::is_same_v<T, std::uint16_t>) {
    std::vector<T> halves(values.size());
    std::ranges::transform(values, halves.begin(), [](float v) { return std::bit_cast<T>(static_cast<_Float16>(v)); });
    return halves;
  } else {
    std::vector<T> bytes(values.size());
    std::ranges::transform(values, bytes.begin(), [](float v) { return static_cast<T>(127.5F * (v + 1)); });
    return bytes;
  }
}

// Layers that can give bytes do, as most of them do within a network.
template <class Layer>
concept GivesBytes = requires(Layer layer, const Cpu& cpu, const Weights& weights) {
  layer.load(cpu, weights, Quantisation{});
};

template <class Layer>
concept GivesHalves = requires(const Layer layer, const Cpu& cpu, ConstView<InputOf<Layer>> x, View<std::uint16_t> y) {
  layer.forward(cpu, x, y, Arena{});
};

// One layer by itself: calling it does its work once.
template <class Layer>
class LayerWork {
  using X = InputOf<Layer>;
  using Y =
      std::conditional_t<GivesBytes<Layer>, std::uint8_t, std::conditional_t<GivesHalves<Layer>, std::uint16_t, float>>;

 public:
  // Of a number of the maps that go in and come out.
  static constexpr int bytes_in = sizeof(X), bytes_out = sizeof(Y);

  LayerWork(const Cpu& cpu, Shape in)
      : cpu_(cpu),
        in_(in),
        input_(random_input<X>(in)),
        output_(bytes_of<Y>(Layer::out(in))),
        scratch_(Layer::workspace(in)) {
    Weights::Builder builder("random weights");
    RandomTensors tensors(builder, 1);
    detail::Parameters<Layer>::add(tensors, "");
    const Weights weights = std::move(builder).build();
    if constexpr (GivesBytes<Layer>) {
      layer_.load(cpu, weights, Quantisation{});
    } else {
      layer_.load(cpu, weights);
    }
  }

  void operator()() const {
    layer_.forward(cpu_, ConstView<X>(input_.data(), in_), View<Y>(output_.as<Y>(), Layer::out(in_)), scratch_.arena());
  }

 private:
  Cpu cpu_;
  Shape in_;
  Layer layer_;
  std::vector<X> input_;
  Buffer output_, scratch_;
};

}  // namespace wajah::cli
