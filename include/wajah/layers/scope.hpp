// Scope: a layer whose weights lie under a name: Scope<"Branch_1", Sequential<...>>.
#pragma once

#include <wajah/layer.hpp>

namespace wajah {

template <Name Prefix, class Inner>
struct Scope {
  static constexpr Shape out(Shape x) { return Inner::out(x); }
  static constexpr std::size_t workspace(Shape x) { return Inner::workspace(x); }
  void load(const auto& device, const Weights& weights) { inner.load(device, weights.scope(Prefix.view())); }
  void forward(const auto& device, ConstView<float> x, View<float> y, Arena arena, const auto&... epilogue) const {
    inner.forward(device, x, y, arena, epilogue...);
  }
  static constexpr void each(Shape x, auto&& visit) { visit.template layer<Inner>(x, Prefix.view(), 0); }

  Inner inner;
};

}  // namespace wajah
