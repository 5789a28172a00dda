#include <wajah/layers/max_pool2d.hpp>

#include "compare.hpp"
#include "random_shapes.hpp"

namespace wajah {
namespace {

constexpr Tolerance exact{};

TEST_CASE("max_pool2d: channels on and beside the vector width") {
  for (const int c : beside_vectors) {
    for (const Gaps gaps : every_gap) {
      compare<MaxPool2d<Window{2, 2, 2}, Pad::same>>("2x2/2 same", {}, {2, 5, 7, c}, exact, gaps);
    }
  }
}

TEST_CASE("max_pool2d: maps, windows and padding") {
  for (int side = 1; side <= 17; ++side) {
    for (const int other : {3, 8, 11}) {
      const Shape x{2, side, other, 10};
      compare<MaxPool2d<Window{2, 2, 2}, Pad::same>>("2x2/2 same", {}, x, exact);
      compare<MaxPool2d<Window{3, 3, 2}, Pad::same>>("3x3/2 same", {}, x, exact);
      compare<MaxPool2d<Window{3, 3, 1}, Pad::half>>("3x3 half", {}, x, exact);
      compare<MaxPool2d<Window{2, 4, 1}, Pad::same>>("2x4 same", {}, x, exact);
      if (side >= 3) compare<MaxPool2d<Window{3, 3, 2}, Pad::valid>>("3x3/2 valid", {}, x, exact);
    }
  }
}

TEST_CASE("max_pool2d: random shapes") {
  Draw draw(1);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Shape x_is{draw.up_to(3), draw.up_to(20), draw.up_to(20), draw.up_to(150)};
    const Window window = draw.window(5);
    const Pad pad = draw.pad();
    const Shape y_is = windowed(x_is, window, pad);
    if (y_is.h < 1 || y_is.w < 1) continue;
    compare_on_map<float, float>("max_pool2d", draw, x_is, y_is, exact, [&](const auto& device, auto x, auto y) {
      max_pool2d(device, MaxPool2dArgs{x, y, window, pad});
    });
  }
}

TEST_CASE("max_pool2d: padding is never the largest") {
  const std::vector<float> x(9, -5.0F);
  std::vector<float> y(4);
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    const MaxPool2d<Window{3, 3, 2}, Pad::same> layer;
    layer.forward(cpu, {x.data(), {1, 3, 3, 1}}, {y.data(), {1, 2, 2, 1}}, Arena{});
    check_close(name, y, std::vector<float>(4, -5.0F), exact);
  });
}

TEST_CASE("MaxPool2d: a computable shape, or a sentence") {
  static_assert(MaxPool2d<Window{2, 2, 2}, Pad::same>::out({1, 5, 4, 9}) == Shape{1, 3, 2, 9});
  static_assert(MaxPool2d<Window{3, 3, 2}, Pad::valid>::out({1, 77, 77, 64}) == Shape{1, 38, 38, 64});
  using Layer = MaxPool2d<Window{3, 3, 2}, Pad::valid>;
  CHECK_THROWS_WITH_AS((void)Layer::out({1, 2, 9, 1}), "MaxPool2d: input of 2x9 pixels is smaller than its window",
                       Error);
}

}  // namespace
}  // namespace wajah
