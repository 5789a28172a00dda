// Int8: a part of a network that computes on bytes, from floats to floats: its input is quantised once, all maps inside
// are bytes, and its last layers give floats.
#pragma once

#include <wajah/layers/quantise.hpp>

namespace wajah {

template <class Body>
struct Int8 {
  static_assert(std::is_same_v<InputOf<Body>, std::uint8_t>, "the body of Int8 must read bytes");

  static constexpr Shape out(Shape x) { return Body::out(x); }
  static constexpr std::size_t workspace(Shape x) {
    return bytes_of<std::uint8_t>(x) + align_up(Body::workspace(x));
  }
  void load(const auto& device, const Weights& weights) {
    quantise.load(device, weights, Body::input(device, weights));
    body.load(device, weights);
  }
  void forward(const auto& device, ConstView<float> x, View<float> y, Arena arena, const auto&... epilogue) const {
    const View<std::uint8_t> bytes = arena.front<std::uint8_t>(x.shape);
    quantise.forward(device, x, bytes, arena);
    body.forward(device, bytes, y, arena, epilogue...);
  }
  static constexpr void each(Shape x, auto&& visit) {
    visit.template layer<Quantise>(x);
    visit.template layer<Body>(x);
  }

  Quantise quantise;
  Body body;
};

}  // namespace wajah
