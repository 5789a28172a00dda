#include <wajah/layers/conv2d_half.hpp>

#include "conv2d_cases.hpp"
#include "half_maps.hpp"
#include "random_shapes.hpp"

namespace wajah {
namespace {

// Builds of CPUs that compute in float differ by the order of their sums and the last rounding; those of half
// arithmetic by chains of 64 sums in halves as well. The scalar build imitates half arithmetic, and rounds products
// besides.
Tolerance tolerance_on(const Cpu& cpu) {
  const bool halves = cpu.isa() == Isa::scalar || (cpu.isa() >= Isa::avx512 && has_half_arithmetic());
  return halves ? Tolerance{6e-3, 6e-3} : Tolerance{1e-5, 1e-3};
}

// One convolution with everything a layer may ask for drawn by chance: activation, residual (in place or not), gaps,
// and whether y is words or floats. The definition computes with the rounded numbers, so that what is left are the
// order of float32 sums and one rounding.
class Trial {
 public:
  Trial(const Conv2dCase& c, Arithmetic format, std::mt19937& random)
      : case_(c),
        format_(format),
        kind_(static_cast<ActivationKind>(random() % 4)),
        residual_(random() % 2 == 0),
        to_floats_(random() % 4 == 0),
        in_place_(!to_floats_ && random() % 2 == 0),
        y_gap_(gap(random)),
        touch_(random() % 2 == 0 ? Touch::first : Touch::last),
        weights_(random_words(format, random, static_cast<std::size_t>(c.window.h * c.window.w * c.x.c * c.out),
                              1 / std::sqrt(static_cast<float>(c.window.h * c.window.w * c.x.c)))),
        biases_(random_numbers(random, static_cast<std::size_t>(c.out), 0.5F)),
        slopes_(random_numbers(random, static_cast<std::size_t>(c.out), 2.0F)),
        x_values_(random_words(format, random, c.x.size())),
        add_values_(random_words(format, random, c.y().size())),
        x_(format, c.x, gap(random), touch_),
        add_(format, c.y(), gap(random), touch_) {
    x_.fill(x_values_);
    add_.fill(add_values_);
  }

  void run(const auto& cuda) const {
    check(cuda, by_definition(), describe("conv2d_half", case_) + " of " + name_of_words(format_), {1e-5, 1e-5},
          rounding(format_));
  }

  void run_on_cpus(Draw& draw) const {
    const std::vector<float> expected = by_definition();
    for_each_isa(draw, [&](const Cpu& cpu, const std::string& isa) {
      const Tolerance tolerance = tolerance_on(cpu);
      check(cpu, expected, describe("conv2d_half", case_) + " on " + isa, tolerance, tolerance);
    });
  }

 private:
  void check(const auto& device, const std::vector<float>& expected, const std::string& what, Tolerance of_floats,
             Tolerance of_words) const {
    if (to_floats_) {
      GuardedMap y(case_.y(), y_gap_, touch_);
      compute(device, {nullptr, y.view().shape, y.view().stride}, y.view().data, add_.view());
      check_close(what + " to floats", y.view(), View<float>(const_cast<float*>(expected.data()), case_.y()),
                  of_floats);
      CHECK_MESSAGE(y.gaps_untouched(), what << " wrote between the channels");
      return;
    }
    HalfMap y(format_, case_.y(), y_gap_, touch_);
    if (in_place_) y.copy(add_values_);
    compute(device, y.view(), nullptr, in_place_ ? y.view() : add_.view());
    check_close(what, y.values(), expected, of_words);
    CHECK_MESSAGE(y.gaps_untouched(), what << " wrote between the channels");
  }

  // None, whole vectors, or what puts pixels off 16 bytes.
  static int gap(std::mt19937& random) {
    constexpr int gaps[] = {0, 0, 8, 3};
    return gaps[random() % 4];
  }

  [[nodiscard]] Conv2dWeights weights() const {
    return {case_.x.c, case_.out, case_.window, weights_.data(), biases_.data(), {kind_, slopes_.data()}};
  }

  [[nodiscard]] std::vector<float> by_definition() const {
    std::vector<float> y(case_.y().size());
    Epilogue epilogue;
    if (residual_) epilogue = {{add_values_.data(), case_.y()}, 0.25F};
    conv2d(Reference{}, Conv2dArgs{{x_values_.data(), case_.x},
                                   {y.data(), case_.y()},
                                   case_.window,
                                   case_.pad,
                                   weights_.data(),
                                   biases_.data(),
                                   {kind_, slopes_.data()},
                                   epilogue});
    return y;
  }

  void compute(const auto& device, View<std::uint16_t> y, float* floats, ConstView<std::uint16_t> add) const {
    PackedConv2d packed = pack_conv2d_half(device, weights());
    const auto panels = guarded(device, packed.weights, touch_), biases = guarded(device, packed.biases, touch_),
               slopes = guarded(device, packed.slopes, touch_);
    HalfEpilogue epilogue;
    if (residual_) epilogue = {add, 0.25F};
    conv2d_half(device, Conv2dHalfArgs{x_.view(),
                                       y,
                                       floats,
                                       case_.window,
                                       case_.pad,
                                       panels.template as<std::uint16_t>(),
                                       biases.template as<float>(),
                                       {kind_, slopes.template as<float>()},
                                       epilogue});
  }

  Conv2dCase case_;
  Arithmetic format_;
  ActivationKind kind_;
  bool residual_, to_floats_, in_place_;
  int y_gap_;
  Touch touch_;
  std::vector<float> weights_, biases_, slopes_, x_values_, add_values_;
  HalfMap x_, add_;
};

void run(const Conv2dCase& c, std::mt19937& random) {
  if (!c.possible()) return;
  for (const Arithmetic format : word_formats) {
    const Trial trial(c, format, random);
    on_emulated_cuda([&](const auto& cuda) { trial.run(cuda); }, format);
  }
}

TEST_CASE("conv2d_half: windows, strides and padding on small maps") {
  std::mt19937 random(1);
  each_small_map(random, [&](Conv2dCase c) {
    run(c, random);
    c.x.c = 8;  // where 16 bytes are copied
    run(c, random);
  });
}

TEST_CASE("conv2d_half: channels on and beside the vector width") {
  std::mt19937 random(2);
  each_channel_count([&](const Conv2dCase& c) { run(c, random); });
}

TEST_CASE("conv2d_half: the shapes of the networks") {
  std::mt19937 random(3);
  for (const Conv2dCase& c : conv2d_cases_of_networks) run(c, random);
}

TEST_CASE("conv2d_half: random shapes") {
  Draw draw(14);
  for (int i = shapes_to_draw(20); i > 0; --i) {
    const Shape x{draw.up_to(3), draw.up_to(20), draw.up_to(20), 8 * draw.up_to(24)};
    const Conv2dCase c{x, draw.up_to(110), draw.window(7), draw.pad()};
    if (c.possible()) Trial(c, Arithmetic::fp16, draw.random()).run_on_cpus(draw);
  }
}

TEST_CASE("conv2d_half: no images are no work, and only a card on 16 bits packs for it") {
  const std::vector<float> weights(9 * 8 * 8), biases(8);
  const Conv2dWeights from{8, 8, {3, 3}, weights.data(), biases.data(), {}};
  on_emulated_cuda(
      [&](const auto& cuda) {
        const PackedConv2d packed = pack_conv2d_half(cuda, from);
        CHECK_NOTHROW(conv2d_half(cuda, Conv2dHalfArgs{.x = {nullptr, {0, 3, 3, 8}},
                                                       .y = {nullptr, {0, 3, 3, 8}},
                                                       .window = {3, 3},
                                                       .pad = Pad::same,
                                                       .weights = packed.weights.template as<std::uint16_t>(),
                                                       .biases = packed.biases.template as<float>()}));
      },
      Arithmetic::fp16);
  on_emulated_cuda(
      [&](const auto& cuda) {
        CHECK_THROWS_WITH_AS((void)pack_conv2d_half(cuda, from),
                             "maps of 16 bits: the card is to compute in tf32, expected fp16 or bf16", Error);
      },
      Arithmetic::tf32);
}

TEST_CASE("conv2d_half: more than a half can hold is infinite") {
  const std::vector<float> weights(8 * 8, 1.0F), biases(8), x(8, 30000.0F);
  on_emulated_cuda(
      [&](const auto& cuda) {
        HalfMap from(Arithmetic::fp16, {1, 1, 1, 8}, 0, Touch::last),
            to(Arithmetic::fp16, {1, 1, 1, 8}, 0, Touch::last);
        from.fill(x);
        const PackedConv2d packed = pack_conv2d_half(cuda, {8, 8, {}, weights.data(), biases.data(), {}});
        conv2d_half(cuda, Conv2dHalfArgs{.x = from.view(),
                                         .y = to.view(),
                                         .weights = packed.weights.template as<std::uint16_t>(),
                                         .biases = packed.biases.template as<float>()});
        for (const float value : to.values()) CHECK(value == INFINITY);
      },
      Arithmetic::fp16);
}

TEST_CASE("Conv2dHalf: takes its tensors by name, and writes words or floats") {
  std::mt19937 random(5);
  Weights::Builder builder("test");
  builder.add("conv/weights", {3, 3, 8, 6}, random_numbers(random, 432, 0.2F))
      .add("conv/biases", {6}, random_numbers(random, 6, 0.2F))
      .add("slopes/alpha", {6}, random_numbers(random, 6, 0.2F));
  const Weights weights = std::move(builder).build();
  using Layer = Conv2dHalf<"conv", 8, 6, Window{3, 3}, Pad::same, PRelu<"slopes">>;
  static_assert(Layer::out({2, 7, 9, 8}) == Shape{2, 7, 9, 6} && Layer::macs({1, 7, 7, 8}) == 49 * 6 * 72);
  const Shape shape{1, 5, 5, 8};
  const std::vector<float> numbers = random_words(Arithmetic::fp16, random, shape.size());
  Layer::Exact exact;
  exact.load(Reference{}, weights);
  std::vector<float> expected(Layer::out(shape).size());
  exact.forward(Reference{}, {numbers.data(), shape}, {expected.data(), Layer::out(shape)}, Arena{});
  on_emulated_cuda(
      [&](const auto& cuda) {
        HalfMap x(Arithmetic::fp16, shape, 0, Touch::first), y(Arithmetic::fp16, Layer::out(shape), 0, Touch::first);
        x.fill(numbers);
        Layer layer;
        layer.load(cuda, weights);
        layer.forward(cuda, x.view(), y.view(), Arena{});
        check_close("to words", y.values(), expected, {2e-3, 2e-3});  // its weights are rounded, the definition's not
        GuardedMap floats(Layer::out(shape), 0, Touch::last);
        layer.forward(cuda, x.view(), floats.view(), Arena{});
        check_close("to floats", floats.view(), View<float>(expected.data(), Layer::out(shape)), {2e-3, 2e-3});
      },
      Arithmetic::fp16);
}

}  // namespace
}  // namespace wajah
