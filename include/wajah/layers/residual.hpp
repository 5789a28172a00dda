// Residual: y = activation(x + Scale * body(x)), He et al. 2016, with the scale of Inception-ResNet (Szegedy et al. 2017).
// The sum is the epilogue of the body's last convolution, which must have the wanted activation, so it costs no pass over
// the map; y may be x itself. It reads and writes what the body reads.
#pragma once

#include <wajah/layer.hpp>
#include <wajah/layers/epilogue.hpp>

#include <ratio>

namespace wajah {

// Scale is a std::ratio because floating-point template arguments would make two spellings of 0.1 two types.
template <class Body, class Scale = std::ratio<1>>
struct Residual {
  using Input = InputOf<Body>;
  static constexpr float scale = static_cast<float>(static_cast<double>(Scale::num) / static_cast<double>(Scale::den));

  static constexpr Shape out(Shape x) {
    if (Body::out(x) != x) {
      const Shape y = Body::out(x);
      fail(ErrorKind::input, "Residual: the body gives {}x{}x{}, its input is {}x{}x{}", y.h, y.w, y.c, x.h, x.w, x.c);
    }
    return x;
  }
  static constexpr std::size_t workspace(Shape x) { return Body::workspace(x); }
  void load(const auto& device, const Weights& weights) { body.load(device, weights); }
  void forward(const auto& device, ConstView<Input> x, View<Input> y, Arena arena) const {
    body.forward(device, x, y, arena, EpilogueOf<Input>{x, scale});
  }
  static constexpr void each(Shape x, auto&& visit) { visit.template layer<Body>(x); }

  Body body;
};

}  // namespace wajah
