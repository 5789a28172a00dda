#include <wajah/layers/depthwise_conv2d_half.hpp>

#include "half_maps.hpp"
#include "random_shapes.hpp"

namespace wajah {
namespace {

struct Case {
  Shape x;
  Window window;
  Pad pad = Pad::half;
};

void run_in(Arithmetic format, const Case& c, Gaps gaps, std::mt19937& random) {
  const Shape y_is = windowed(c.x, c.window, c.pad);
  if (y_is.h < 1 || y_is.w < 1) return;
  const auto channels = static_cast<std::size_t>(c.x.c);
  const auto weights = random_numbers(random, static_cast<std::size_t>(c.window.h * c.window.w) * channels, 0.3F),
             biases = random_numbers(random, channels, 0.3F), slopes = random_numbers(random, channels, 2),
             numbers = random_words(format, random, c.x.size());
  const auto kind = static_cast<ActivationKind>(random() % 4);
  std::vector<float> expected(y_is.size());
  depthwise_conv2d(Reference{}, DepthwiseConv2dArgs{{numbers.data(), c.x},
                                                    {expected.data(), y_is},
                                                    c.window,
                                                    c.pad,
                                                    weights.data(),
                                                    biases.data(),
                                                    {kind, slopes.data()}});
  on_emulated_cuda(
      [&](const auto& cuda) {
        const auto touch = random() % 2 == 0 ? Touch::first : Touch::last;
        HalfMap x(format, c.x, gaps.x, touch), y(format, y_is, gaps.y, touch);
        x.fill(numbers);
        const PackedDepthwiseConv2d packed = pack_depthwise_conv2d(
            cuda, DepthwiseConv2dWeights{c.x.c, c.window, weights.data(), biases.data(), {kind, slopes.data()}});
        depthwise_conv2d_half(cuda, DepthwiseConv2dHalfArgs{x.view(),
                                                            y.view(),
                                                            c.window,
                                                            c.pad,
                                                            packed.weights.template as<float>(),
                                                            packed.biases.template as<float>(),
                                                            {kind, packed.slopes.template as<float>()}});
        const std::string what = fmt::format("depthwise_conv2d_half {}x{}x{}x{}, {}x{}/{}, of {}", c.x.n, c.x.h, c.x.w,
                                             c.x.c, c.window.h, c.window.w, c.window.stride, name_of_words(format));
        check_close(what, y.values(), expected, rounding(format, 1e-6));
        CHECK_MESSAGE(y.gaps_untouched(), what << " wrote between the channels");
      },
      format);
}

void run(const Case& c, std::mt19937& random, Gaps gaps = {}) {
  for (const Arithmetic format : word_formats) run_in(format, c, gaps, random);
}

TEST_CASE("depthwise_conv2d_half: channels on and beside the vector width") {
  std::mt19937 random(1);
  for (const int c : beside_vectors) {
    for (const Gaps gaps : {Gaps{0, 0}, {3, 0}, {0, 5}, {8, 8}}) run({{2, 5, 7, c}, {3, 3}}, random, gaps);
  }
}

TEST_CASE("depthwise_conv2d_half: maps, strides and padding") {
  std::mt19937 random(2);
  for (int side = 1; side <= 17; ++side) {
    for (const Pad pad : {Pad::valid, Pad::same, Pad::half}) {
      for (const int stride : {1, 2}) run({{1, side, 18 - side, 24}, {3, 3, stride}, pad}, random);
    }
  }
}

TEST_CASE("depthwise_conv2d_half: a window as large as the map") {
  std::mt19937 random(3);
  run({{3, 7, 7, 40}, {7, 7}, Pad::valid}, random);
  run({{1, 7, 7, 512}, {7, 7}, Pad::valid}, random);
}

TEST_CASE("DepthwiseConv2dHalf: takes its tensors by name") {
  std::mt19937 random(4);
  Weights::Builder builder("test");
  builder.add("dw/weights", {3, 3, 16}, random_numbers(random, 144, 0.3F))
      .add("dw/biases", {16}, random_numbers(random, 16, 0.3F));
  const Weights weights = std::move(builder).build();
  using Layer = DepthwiseConv2dHalf<"dw", 16, Window{3, 3, 2}, Pad::half, Relu6>;
  constexpr Shape shape{1, 9, 9, 16};
  static_assert(Layer::out(shape) == Shape{1, 5, 5, 16});
  const std::vector<float> numbers = random_words(Arithmetic::bf16, random, shape.size());
  Layer::Exact exact;
  exact.load(Reference{}, weights);
  std::vector<float> expected(Layer::out(shape).size());
  exact.forward(Reference{}, {numbers.data(), shape}, {expected.data(), Layer::out(shape)}, Arena{});
  on_emulated_cuda(
      [&](const auto& cuda) {
        HalfMap x(Arithmetic::bf16, shape, 0, Touch::first), y(Arithmetic::bf16, Layer::out(shape), 0, Touch::last);
        x.fill(numbers);
        Layer layer;
        layer.load(cuda, weights);
        layer.forward(cuda, x.view(), y.view(), Arena{});
        check_close("DepthwiseConv2dHalf", y.values(), expected, rounding(Arithmetic::bf16));
      },
      Arithmetic::bf16);
}

}  // namespace
}  // namespace wajah
