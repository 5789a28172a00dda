// What every layer header starts from. A layer is a struct with four functions:
//
//   static constexpr Shape out(Shape x)                 shape of y; throws Error if x does not fit (a compile error in a
//                                                       static_assert)
//   static constexpr std::size_t workspace(Shape x)     bytes of scratch besides x and y
//   void load(const auto& device, const Weights& w)     takes tensors by name, checks shapes, packs for the device
//   void forward(const auto& device, ConstView<float> x, View<float> y, Arena scratch) const      never allocates
//
// and, for describe() and the benchmarks, its `name` and `macs(Shape x)`, the multiply-accumulates of one forward call.
// A layer that can close a residual takes an epilogue as a fifth argument of forward. One that reads bytes or words
// says so (Input = std::uint8_t or std::uint16_t), and what bytes mean (input(weights)); one that writes them has an
// overload of forward for them, and for bytes of load with what they shall mean as a third argument.
#pragma once

#include <wajah/cpu.hpp>

#ifndef WAJAH_KERNEL_ISA

#include <wajah/error.hpp>
#include <wajah/weights.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace wajah {

// A string literal as a template argument: Conv2d<"conv1", ...>.
template <std::size_t N>
struct Name {
  char text[N]{};

  constexpr Name(const char (&literal)[N]) { std::copy_n(literal, N, text); }  // NOLINT(google-explicit-constructor)
  [[nodiscard]] constexpr std::string_view view() const { return {text, N - 1}; }
};

// The numbers of the map that a layer reads: float, unless it says otherwise.
template <class Layer>
struct InputOfLayer {
  using type = float;
};
template <class Layer>
  requires requires { typename Layer::Input; }
struct InputOfLayer<Layer> {
  using type = typename Layer::Input;
};
template <class Layer>
using InputOf = typename InputOfLayer<Layer>::type;

// Throws Error (input) unless x has `channels` channels; names the layer. In a constant expression: a compile error.
constexpr void require_channels(std::string_view layer, Shape x, int channels) {
  if (x.c != channels) {
    fail(ErrorKind::input, "{}: input has {} channels, expected {}", layer, x.c, channels);
  }
}

// Throws Error (input) unless the map is large enough for a window to fit once.
constexpr void require_output(std::string_view layer, Shape x, Shape y) {
  if (y.h < 1 || y.w < 1) {
    fail(ErrorKind::input, "{}: input of {}x{} pixels is smaller than its window", layer, x.h, x.w);
  }
}

}  // namespace wajah

#endif
