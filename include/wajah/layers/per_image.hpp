// PerImage: the layers of a Sequential for one image after another, so that the maps between them are of one image and
// stay in cache. For early layers, whose maps are large and whose weights are few.
#pragma once

#include <wajah/layers/sequential.hpp>

namespace wajah {

template <class... Layers>
struct PerImage {
  using Inner = Sequential<Layers...>;
  using Input = InputOf<Inner>;

  static constexpr Shape out(Shape x) { return Inner::out(x); }
  static constexpr std::size_t workspace(Shape x) { return Inner::workspace(x.images(1)); }
  static auto input(const auto& device, const Weights& weights) { return Inner::input(device, weights); }
  void load(const auto& device, const Weights& weights, const auto&... output) {
    inner.load(device, weights, output...);
  }

  template <class Y>
  void forward(const auto& device, ConstView<Input> x, View<Y> y, Arena arena) const {
    for (int i = 0; i < x.shape.n; ++i) inner.forward(device, x.images(i, 1), y.images(i, 1), arena);
  }

  static constexpr void each(Shape x, auto&& visit) { Inner::each(x, visit); }

  Inner inner;
};

// The same on a Cpu; a card has cores for all images and would wait at every launch, so there they go together. The
// scratch is enough for both; a Cpu touches what one image needs.
template <class... Layers>
struct PerImageOnCpu : PerImage<Layers...> {
  using Inner = Sequential<Layers...>;
  using Input = InputOf<Inner>;

  static constexpr std::size_t workspace(Shape x) { return Inner::workspace(x); }

  template <class Y>
  void forward(const auto& device, ConstView<Input> x, View<Y> y, Arena arena) const {
    if constexpr (requires { device.isa(); }) {
      PerImage<Layers...>::forward(device, x, y, arena);
    } else {
      this->inner.forward(device, x, y, arena);
    }
  }
};

}  // namespace wajah
