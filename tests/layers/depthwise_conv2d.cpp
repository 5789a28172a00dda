#include <wajah/layers/depthwise_conv2d.hpp>

#include "compare.hpp"

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
