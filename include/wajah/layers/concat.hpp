// Concat: branches over the same input, side by side in the channels of the output; each writes its slice, nothing is
// copied.
#pragma once

#include <wajah/layer.hpp>

#include <array>
#include <tuple>
#include <utility>

namespace wajah {

template <class... Branches>
struct Concat {
  static_assert(sizeof...(Branches) > 0, "a Concat needs at least one branch");
  using First = std::tuple_element_t<0, std::tuple<Branches...>>;
  using Input = InputOf<First>;
  static_assert((std::is_same_v<Input, InputOf<Branches>> && ...), "branches must read the same kind of map");

  static constexpr Shape out(Shape x) {
    const std::array<Shape, sizeof...(Branches)> shapes{Branches::out(x)...};
    Shape sum = shapes[0].channels(0);
    for (const Shape& s : shapes) {
      if (s.channels(0) != sum.channels(0)) {
        fail(ErrorKind::input, "Concat: a branch gives {}x{} pixels, the first one {}x{}", s.h, s.w, sum.h, sum.w);
      }
    }
    for (const Shape& s : shapes) sum.c += s.c;
    return sum;
  }

  static constexpr std::size_t workspace(Shape x) { return std::max({Branches::workspace(x)...}); }

  static auto input(const auto& device, const Weights& weights) { return First::input(device, weights); }

  void load(const auto& device, const Weights& weights, const auto&... output) {
    std::apply([&](auto&... branch) { (branch.load(device, weights, output...), ...); }, branches);
  }

  template <class Y>
  void forward(const auto& device, ConstView<Input> x, View<Y> y, Arena arena) const {
    int first = 0;
    const auto run = [&](const auto& branch) {
      const int channels = branch.out(x.shape).c;
      branch.forward(device, x, y.channels(first, channels), arena);
      first += channels;
    };
    std::apply([&](const auto&... branch) { (run(branch), ...); }, branches);
  }

  static constexpr void each(Shape x, auto&& visit) { (visit.template layer<Branches>(x), ...); }

  std::tuple<Branches...> branches;
};

}  // namespace wajah
