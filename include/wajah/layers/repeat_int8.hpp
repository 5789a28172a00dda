// RepeatInt8: Repeat of a Residual whose body computes on bytes. The sums stay floats, but each block gives its output
// in the next block's bytes as well, while it has the numbers in registers, so only the first block's input is
// quantised by a pass of its own.
#pragma once

#include <wajah/layers/conv2d_int8.hpp>
#include <wajah/layers/residual.hpp>

#include <array>

namespace wajah {

template <int Count, Name Prefix, class Body, class Scale>
struct RepeatInt8 {
  static_assert(Count > 0);
  static_assert(std::is_same_v<InputOf<Body>, std::uint8_t>, "the body of RepeatInt8 must read bytes");

  static constexpr Shape out(Shape x) { return Residual<Body, Scale>::out(x); }
  static constexpr std::size_t workspace(Shape x) {
    return 2 * bytes_of<std::uint8_t>(x) + align_up(Body::workspace(x));
  }

  void load(const auto& device, const Weights& weights) {
    for (std::size_t i = 0; i < Count; ++i) {
      const Weights scope = weights.scope(fmt::format("{}_{}", Prefix.view(), i + 1));
      inputs[i] = Body::input(device, scope);
      bodies[i].load(device, scope);
    }
  }

  // Two maps of bytes take turns, because a body may read one to its very end.
  void forward(const auto& device, ConstView<float> x, View<float> y, Arena arena) const {
    View<std::uint8_t> bytes = arena.front<std::uint8_t>(x.shape);
    View<std::uint8_t> next = arena.front<std::uint8_t>(x.shape);
    quantise(device, QuantiseArgs{x, bytes, inputs[0]});
    for (std::size_t i = 0; i < Count; ++i) {
      const Epilogue epilogue{i == 0 ? x : ConstView<float>(y), Residual<Body, Scale>::scale};
      const ByteCopy copy = i + 1 < Count ? ByteCopy{next.data, next.stride, inputs[i + 1]} : ByteCopy{};
      bodies[i].forward(device, bytes, y, arena, epilogue, copy);
      std::swap(bytes, next);
    }
  }

  static constexpr void each(Shape x, auto&& visit) {
    visit.template layer<Quantise>(x);
    for (int i = 0; i < Count; ++i) visit.template layer<Body>(x, Prefix.view(), i + 1);
  }

  std::array<Body, Count> bodies;
  std::array<Quantisation, Count> inputs;
};

}  // namespace wajah
