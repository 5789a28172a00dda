#include <wajah/layers/depthwise_conv2d.hpp>

#include "compare.hpp"
#include "random_shapes.hpp"

namespace wajah {
namespace {

Weights weights_for(int height, int width, int channels) {
  std::mt19937 random(7);
  Weights::Builder builder("test");
  const auto count = static_cast<std::size_t>(channels);
  builder
      .add("dw/weights", {height, width, channels},
           random_numbers(random, count * static_cast<std::size_t>(height * width), 0.3F))
      .add("dw/biases", {channels}, random_numbers(random, count, 0.3F))
      .add("slopes/alpha", {channels}, random_numbers(random, count, 2));
  return std::move(builder).build();
}

constexpr Tolerance close{1e-6, 1e-6};

template <int C>
void check_channels() {
  const Weights weights = weights_for(3, 3, C);
  for (const Gaps gaps : every_gap) {
    compare<DepthwiseConv2d<"dw", C, Window{3, 3}, Pad::half, PRelu<"slopes">>>("dw", weights, {2, 5, 7, C}, close,
                                                                                gaps);
  }
}

TEST_CASE("depthwise_conv2d: channels on and beside the vector width") {
  check_channels<1>();
  check_channels<12>();
  check_channels<13>();
  check_channels<15>();
  check_channels<16>();
  check_channels<17>();
  check_channels<31>();
  check_channels<127>();
  check_channels<128>();
}

TEST_CASE("depthwise_conv2d: maps, strides and padding") {
  const Weights weights = weights_for(3, 3, 20);
  for (int side = 1; side <= 17; ++side) {
    const Shape x{1, side, 18 - side, 20};
    compare<DepthwiseConv2d<"dw", 20, Window{3, 3}, Pad::same, Relu>>("dw same", weights, x, close);
    compare<DepthwiseConv2d<"dw", 20, Window{3, 3, 2}, Pad::same, Relu6>>("dw same/2", weights, x, {1e-5, 1e-6}, {}, 30);
    compare<DepthwiseConv2d<"dw", 20, Window{3, 3, 2}, Pad::half>>("dw half/2", weights, x, close);
    if (side >= 3 && side <= 15) compare<DepthwiseConv2d<"dw", 20, Window{3, 3}, Pad::valid>>("dw", weights, x, close);
  }
}

TEST_CASE("depthwise_conv2d: random shapes") {
  Draw draw(1);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Shape x_is{draw.up_to(3), draw.up_to(20), draw.up_to(20), draw.up_to(150)};
    const Window window = draw.depthwise_window();
    const Pad pad = draw.pad();
    const Shape y_is = windowed(x_is, window, pad);
    if (y_is.h < 1 || y_is.w < 1) continue;
    const auto channels = static_cast<std::size_t>(x_is.c);
    const auto weights = random_numbers(draw.random(), static_cast<std::size_t>(window.h * window.w) * channels, 0.3F),
               biases = random_numbers(draw.random(), channels, 0.3F), slopes = random_numbers(draw.random(), channels, 2);
    const auto kind = static_cast<ActivationKind>(draw.between(0, 3));
    const Touch touch = draw.touch();
    compare_on_map<float, float>(
        fmt::format("depthwise_conv2d {}x{}/{}", window.h, window.w, window.stride), draw, x_is, y_is, {1e-5, 1e-5},
        [&](const auto& device, auto x, auto y) {
          auto packed = pack_depthwise_conv2d(
              device, DepthwiseConv2dWeights{x_is.c, window, weights.data(), biases.data(), {kind, slopes.data()}});
          const auto taps = guarded(device, packed.weights, touch), added = guarded(device, packed.biases, touch),
                     steep = guarded(device, packed.slopes, touch);
          depthwise_conv2d(device, DepthwiseConv2dArgs{x, y, window, pad, taps.template as<float>(),
                                                       added.template as<float>(), {kind, steep.template as<float>()}});
        });
  }
}

TEST_CASE("depthwise_conv2d: a window as large as the map") {
  const Weights weights = weights_for(7, 7, 40);
  compare<DepthwiseConv2d<"dw", 40, Window{7, 7}, Pad::valid>>("dw 7x7", weights, {3, 7, 7, 40}, {1e-5, 1e-5});
}

TEST_CASE("DepthwiseConv2d: a computable shape, or a sentence") {
  using Layer = DepthwiseConv2d<"dw", 8, Window{3, 3, 2}, Pad::half>;
  static_assert(Layer::out({1, 56, 56, 8}) == Shape{1, 28, 28, 8});
  static_assert(Layer::macs({1, 4, 4, 8}) == 2 * 2 * 8 * 9);
  CHECK_THROWS_WITH_AS((void)Layer::out({1, 56, 56, 9}), "dw: input has 9 channels, expected 8", Error);
}

}  // namespace
}  // namespace wajah
