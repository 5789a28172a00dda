#include <wajah/cuda.hpp>
#include <wajah/layers/conv2d_to_half.hpp>

#include "conv2d_cases.hpp"
#include "half_maps.hpp"

namespace wajah {
namespace {

// Against conv2d's definition: products and sums are float32, so that one rounding is left.
void run_in(Arithmetic format, const Conv2dCase& c, std::mt19937& random) {
  const auto kind = static_cast<ActivationKind>(random() % 4);
  const auto channels = static_cast<std::size_t>(c.out);
  const auto weights = random_numbers(random, static_cast<std::size_t>(c.window.h * c.window.w * c.x.c) * channels,
                                      1 / std::sqrt(static_cast<float>(c.window.h * c.window.w * c.x.c))),
             biases = random_numbers(random, channels, 0.5F), slopes = random_numbers(random, channels, 2.0F),
             added = random_words(format, random, c.y().size());
  GuardedMap x(c.x, random() % 2 == 0 ? 0 : 3, Touch::last);
  x.fill(random);
  HalfMap add(format, c.y(), 0, Touch::first), y(format, c.y(), random() % 2 == 0 ? 0 : 5, Touch::last);
  add.fill(added);
  const bool residual = random() % 2 == 0;
  const Conv2dWeights from{c.x.c, c.out, c.window, weights.data(), biases.data(), {kind, slopes.data()}};
  std::vector<float> expected(c.y().size());
  Epilogue epilogue;
  if (residual) epilogue = {{added.data(), c.y()}, 0.25F};
  conv2d(Reference{}, Conv2dArgs{x.view(),
                                 {expected.data(), c.y()},
                                 c.window,
                                 c.pad,
                                 weights.data(),
                                 biases.data(),
                                 {kind, slopes.data()},
                                 epilogue});
  on_emulated_cuda(
      [&](const auto& cuda) {
        // Weights are float32 whatever the channels.
        const PackedConv2d packed = pack_conv2d(static_cast<const Cuda&>(cuda).on_own_stream(Arithmetic::fp32), from);
        HalfEpilogue closing;
        if (residual) closing = {add.view(), 0.25F};
        conv2d_to_half(cuda, Conv2dToHalfArgs{x.view(),
                                              y.view(),
                                              c.window,
                                              c.pad,
                                              packed.weights.template as<float>(),
                                              packed.biases.template as<float>(),
                                              {kind, packed.slopes.template as<float>()},
                                              closing});
        const std::string what = describe("conv2d_to_half", c) + " of " + name_of_words(format);
        check_close(what, y.values(), expected, rounding(format));
        CHECK_MESSAGE(y.gaps_untouched(), what << " wrote between the channels");
      },
      format);
}

void run(const Conv2dCase& c, std::mt19937& random) {
  if (!c.possible()) return;
  for (const Arithmetic format : word_formats) run_in(format, c, random);
}

TEST_CASE("conv2d_to_half: windows, strides and padding on small maps") {
  std::mt19937 random(1);
  each_small_map(random, [&](Conv2dCase c) {
    c.x.c = 3;
    run(c, random);
  });
}

TEST_CASE("conv2d_to_half: channels on and beside the vector width") {
  std::mt19937 random(2);
  each_channel_count([&](const Conv2dCase& c) { run(c, random); });
}

TEST_CASE("conv2d_to_half: the shapes of the networks") {
  std::mt19937 random(3);
  for (const Conv2dCase& c : conv2d_cases_of_networks) run(c, random);
}

TEST_CASE("Conv2dToHalf: takes its tensors by name") {
  std::mt19937 random(5);
  Weights::Builder builder("test");
  builder.add("conv/weights", {3, 3, 3, 32}, random_numbers(random, 864, 0.2F))
      .add("conv/biases", {32}, random_numbers(random, 32, 0.2F));
  const Weights weights = std::move(builder).build();
  using Layer = Conv2dToHalf<"conv", 3, 32, Window{3, 3, 2}, Pad::valid, Relu>;
  constexpr Shape shape{1, 7, 9, 3};
  static_assert(Layer::out(shape) == Shape{1, 3, 4, 32});
  const std::vector<float> numbers = random_numbers(random, shape.size(), 1);
  Layer::Exact exact;
  exact.load(Reference{}, weights);
  std::vector<float> expected(Layer::out(shape).size());
  exact.forward(Reference{}, {numbers.data(), shape}, {expected.data(), Layer::out(shape)}, Arena{});
  for (const Arithmetic format : word_formats) {
    on_emulated_cuda(
        [&](const auto& cuda) {
          HalfMap y(format, Layer::out(shape), 0, Touch::first);
          Layer layer;
          layer.load(cuda, weights);
          layer.forward(cuda, ConstView<float>(numbers.data(), shape), y.view(), Arena{});
          check_close("Conv2dToHalf", y.values(), expected, rounding(format));
        },
        format);
  }
}

}  // namespace
}  // namespace wajah
