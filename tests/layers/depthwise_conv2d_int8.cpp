#include <wajah/layers/depthwise_conv2d_int8.hpp>
#include <wajah/layers/pack.hpp>

#include "compare.hpp"
#include "random_shapes.hpp"

namespace wajah {
namespace {

using Bytes = GuardedMapOf<std::uint8_t>;

struct Case {
  Shape x;
  Window window;
  Pad pad = Pad::half;
  Quantisation input;  // where it has no zero point, channels have their own steps every other time
  ActivationKind kind = ActivationKind::identity;
};

std::string describe(const Case& c) {
  const char* pads[] = {"valid", "same", "half"};
  return fmt::format("depthwise_conv2d_int8 {}x{}x{}x{}, {}x{}/{} {}, zero point {}", c.x.n, c.x.h, c.x.w, c.x.c,
                     c.window.h, c.window.w, c.window.stride, pads[static_cast<int>(c.pad)], c.input.zero_point);
}

// About `scale`, or none.
std::vector<float> own_scales(std::mt19937& random, Quantisation is, int channels) {
  if (is.zero_point != 0 || random() % 2 == 0) return {};
  std::uniform_real_distribution<float> factor(0.2F, 2);
  std::vector<float> scales(static_cast<std::size_t>(channels));
  for (float& scale : scales) scale = is.scale * factor(random);
  return scales;
}

float scale_of(const ChannelSteps& steps, std::size_t channel) {
  return steps.scales.empty() ? steps.scale : steps.scales[channel];
}

const Quantisation inputs[] = {{0.01F, 0}, {0.01F, 128}, {0.02F, 255}, {0.03F, 50, 127}};

// A layer on bytes, beside what the float one gives on the numbers that the bytes stand for.
class Trial {
 public:
  Trial(const Case& c, Gaps gaps, std::mt19937& random)
      : case_(c),
        gaps_(gaps),
        touch_(random() % 2 == 0 ? Touch::first : Touch::last),
        input_{c.input, own_scales(random, c.input, c.x.c)},
        output_scales_(own_scales(random, {0.01F, 0}, c.x.c)),
        weights_(random_numbers(random, static_cast<std::size_t>(c.window.h * c.window.w * c.x.c), 0.3F)),
        biases_(random_numbers(random, static_cast<std::size_t>(c.x.c), 0.3F)),
        x_(c.x, gaps.x, touch_),
        exact_(windowed(c.x, c.window, c.pad).size()) {
    x_.fill(random);
    std::vector<float> numbers;
    reference::each_pixel(c.x, [&](int n, int y, int x) {
      for (int i = 0; i < c.x.c; ++i) {
        numbers.push_back(static_cast<float>(x_.view().pixel(n, y, x)[i] - c.input.zero_point) *
                          scale_of(input_, static_cast<std::size_t>(i)));
      }
    });
    depthwise_conv2d(Reference{}, DepthwiseConv2dArgs{{numbers.data(), c.x},
                                                      {exact_.data(), y_is()},
                                                      c.window,
                                                      c.pad,
                                                      weights_.data(),
                                                      biases_.data(),
                                                      {c.kind, nullptr}});
  }

  // To floats, and to bytes of some steps, on every device.
  void run() const {
    const auto check = [&](const auto& device, const std::string& name) {
      check_floats(device, name);
      check_bytes(device, name, {{0.01F, 0}, output_scales_});
      check_bytes(device, name, {{0.02F, 100}, {}});
      check_bytes(device, name, {{0.05F, 30, 127}, {}});
    };
    for_each_cpu(check);
    on_emulated_cuda([&](const auto& cuda) { check(cuda, "its CUDA kernel"); });
  }

 private:
  [[nodiscard]] Shape y_is() const { return windowed(case_.x, case_.window, case_.pad); }

  void check_floats(const auto& device, const std::string& name) const {
    GuardedMap y(y_is(), gaps_.y, touch_);
    run_on(device, nullptr, y.view(), nullptr);
    check_close(describe(case_) + " on " + name, ConstView<float>(y.view()), ConstView<float>(exact_.data(), y_is()),
                {1e-5, 1e-5});
    CHECK_MESSAGE(y.gaps_untouched(), describe(case_) << " on " << name << " wrote between the channels");
  }

  // Half a step is lost by rounding, and no more.
  void check_bytes(const auto& device, const std::string& name, const ChannelSteps& output) const {
    Bytes y(y_is(), gaps_.y, touch_);
    run_on(device, &output, {nullptr, y_is(), y.view().stride}, y.view().data);
    CHECK_MESSAGE(y.gaps_untouched(), describe(case_) << " on " << name << " wrote between the channels");
    std::vector<float> got, expected;
    for (std::size_t i = 0; i < exact_.size(); ++i) {
      const float scale = scale_of(output, i % static_cast<std::size_t>(case_.x.c));
      expected.push_back(std::clamp(exact_[i] / scale + static_cast<float>(output.zero_point), 0.0F,
                                    static_cast<float>(output.largest)));
    }
    reference::each_pixel(y_is(), [&](int n, int row, int x) {
      const std::uint8_t* pixel = y.view().pixel(n, row, x);
      got.insert(got.end(), pixel, pixel + y_is().c);
    });
    check_close(describe(case_) + " to bytes on " + name, got, expected, {0.5 + 1e-3, 0});
  }

  void run_on(const auto& device, const ChannelSteps* output, View<float> y, std::uint8_t* bytes) const {
    PackedDepthwiseConv2dInt8 packed = pack_depthwise_conv2d_int8(
        device, DepthwiseConv2dWeights{case_.x.c, case_.window, weights_.data(), biases_.data(), {case_.kind, nullptr}},
        input_, output);
    const auto taps = guarded(device, packed.weights, touch_), added = guarded(device, packed.biases, touch_);
    depthwise_conv2d_int8(device, DepthwiseConv2dInt8Args{x_.view(), y, bytes, case_.window, case_.pad,
                                                          taps.template as<float>(), added.template as<float>(),
                                                          packed.floor, packed.ceiling, case_.input.zero_point});
  }

  Case case_;
  Gaps gaps_;
  Touch touch_;
  ChannelSteps input_;
  std::vector<float> output_scales_;
  std::vector<float> weights_, biases_;
  Bytes x_;
  std::vector<float> exact_;
};

TEST_CASE("depthwise_conv2d_int8: channels on and beside the vector width") {
  std::mt19937 random(1);
  for (const int channels : beside_vectors) {
    for (const Gaps gaps : every_gap) {
      Trial({{2, 5, 7, channels}, {3, 3}, Pad::half, inputs[random() % 4], ActivationKind::relu6}, gaps, random).run();
    }
  }
}

TEST_CASE("depthwise_conv2d_int8: maps, strides, padding and every kind of zero point") {
  std::mt19937 random(2);
  for (int side = 1; side <= 17; ++side) {
    for (const Pad pad : {Pad::valid, Pad::same, Pad::half}) {
      for (const int stride : {1, 2}) {
        const Case c{{1, side, 18 - side, 20}, {3, 3, stride}, pad, inputs[random() % 4], ActivationKind::relu};
        if (windowed(c.x, c.window, c.pad).size() > 0) Trial(c, {}, random).run();
      }
    }
  }
  for (const Quantisation input : inputs) {
    for (const auto kind : {ActivationKind::identity, ActivationKind::relu, ActivationKind::relu6}) {
      Trial({{2, 6, 5, 12}, {3, 3}, Pad::same, input, kind}, {}, random).run();
      Trial({{2, 6, 5, 12}, {5, 4, 2}, Pad::same, input, kind}, {}, random).run();
    }
  }
}

TEST_CASE("depthwise_conv2d_int8: a window as large as the map") {
  std::mt19937 random(3);
  Trial({{3, 7, 7, 40}, {7, 7}, Pad::valid, inputs[0]}, {}, random).run();
  Trial({{1, 7, 7, 512}, {7, 7}, Pad::valid, inputs[1]}, {3, 2}, random).run();
}

// In steps of x and y already: weights so small that sums lie within the bytes of y.
TEST_CASE("depthwise_conv2d_int8: random shapes") {
  Draw draw(17);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Shape x_is{draw.up_to(3), draw.up_to(20), draw.up_to(20), draw.up_to(150)};
    const Window window = draw.depthwise_window();
    const Pad pad = draw.pad();
    const Shape y_is = windowed(x_is, window, pad);
    if (y_is.h < 1 || y_is.w < 1) continue;
    const auto channels = static_cast<std::size_t>(x_is.c);
    const auto weights = random_numbers(draw.random(), static_cast<std::size_t>(window.h * window.w) * channels, 0.3F),
               biases = random_numbers(draw.random(), channels, 100);
    const int zero_point = draw.between(0, 255);
    const Touch touch = draw.touch();
    const auto run = [&](const auto& device, ConstView<std::uint8_t> x, View<float> y, std::uint8_t* bytes) {
      const auto compute = [&](const float* taps, const float* added) {
        depthwise_conv2d_int8(device,
                              DepthwiseConv2dInt8Args{x, y, bytes, window, pad, taps, added, 10, 240, zero_point});
      };
      if constexpr (requires { device.isa(); }) {
        const Buffer rows = pack_rows(device, weights.data(), window.h * window.w, x_is.c),
                     row = pack_rows(device, biases.data(), 1, x_is.c);
        compute(guarded(device, rows, touch).template as<float>(), guarded(device, row, touch).template as<float>());
      } else {
        compute(weights.data(), biases.data());
      }
    };
    const std::string name = fmt::format("depthwise_conv2d_int8 {}x{}/{}", window.h, window.w, window.stride);
    compare_on_map<std::uint8_t, float>(name, draw, x_is, y_is, {1e-3, 1e-5},
                                        [&](const auto& device, auto x, auto y) { run(device, x, y, nullptr); });
    // Sums that lie between two bytes may go to either.
    compare_on_map<std::uint8_t, std::uint8_t>(
        name + " to bytes", draw, x_is, y_is, {1, 0},
        [&](const auto& device, auto x, auto y) { run(device, x, View<float>(nullptr, y.shape, y.stride), y.data); });
  }
}

TEST_CASE("DepthwiseConv2dInt8: its tensors, and a sentence where a range or a meaning is missing") {
  std::mt19937 random(4);
  Weights::Builder builder("file");
  builder.add("dw/weights", {3, 3, 16}, random_numbers(random, 144, 0.3F))
      .add("dw/biases", {16}, random_numbers(random, 16, 0.3F));
  const Weights unmeasured = std::move(builder).build();
  using Layer = DepthwiseConv2dInt8<"dw", 16, Window{3, 3, 2}, Pad::half, Relu6>;
  static_assert(Layer::out({1, 9, 9, 16}) == Shape{1, 5, 5, 16});
  static_assert(Layer::macs({1, 9, 9, 16}) == 5 * 5 * 16 * 9);
  Layer layer;
  const auto message = [&] {
    try {
      layer.load(Cpu(1), unmeasured);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::model);
      return std::string(error.what());
    }
    return std::string();
  }();
  CHECK(message.find("file: no tensor 'dw/input.range'") != std::string::npos);
  CHECK(message.find("'wajah models quantise") != std::string::npos);

  const float slopes[16] = {};
  const ChannelSteps of_three{{}, {1, 1, 1}};
  CHECK_THROWS_WITH_AS((void)pack_depthwise_conv2d_int8(Cpu(1), {16, {}, slopes, slopes, {}}, of_three, nullptr),
                       doctest::Contains("steps of 3 channels, expected 16"), Error);
  CHECK_THROWS_WITH_AS(
      (void)pack_depthwise_conv2d_int8(Cpu(1), {16, {}, slopes, slopes, {ActivationKind::prelu, slopes}}, {}, nullptr),
      doctest::Contains("PReLU"), Error);
}

}  // namespace
}  // namespace wajah
