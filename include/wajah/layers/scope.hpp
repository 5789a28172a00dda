// Scope: a layer whose weights lie under a name: Scope<"Branch_1", Sequential<...>>.
#pragma once

#include <wajah/layer.hpp>

namespace wajah {

template <Name Prefix, class Inner>
struct Scope {
  using Input = InputOf<Inner>;

  static constexpr Shape out(Shape x) { return Inner::out(x); }
  static constexpr std::size_t workspace(Shape x) { return Inner::workspace(x); }
  static auto input(const auto& device, const Weights& weights) {
    return Inner::input(device, weights.scope(Prefix.view()));
  }
  void load(const auto& device, const Weights& weights, const auto&... output) {
    inner.load(device, weights.scope(Prefix.view()), output...);
  }
  template <class Y>
  void forward(const auto& device, ConstView<Input> x, View<Y> y, Arena arena, const auto&... epilogue) const {
    inner.forward(device, x, y, arena, epilogue...);
  }
  static constexpr void each(Shape x, auto&& visit) { visit.template layer<Inner>(x, Prefix.view(), 0); }

  Inner inner;
};

}  // namespace wajah
