#include <wajah/layers/conv2d.hpp>

#include "compare.hpp"
#include "conv2d_cases.hpp"
#include "random_shapes.hpp"
#ifdef WAJAH_CUDA_HOST
#include "cuda_host/emulated_cudnn.hpp"
#endif

namespace wajah {
namespace {

using Case = Conv2dCase;

// One convolution with everything a layer may ask for drawn by chance: activation, residual (in place or not), gaps.
class Trial {
 public:
  Trial(const Case& c, std::mt19937& random)
      : case_(c),
        y_(c.y()),
        kind_(static_cast<ActivationKind>(random() % 4)),
        residual_(random() % 2 == 0),
        in_place_(random() % 2 == 0),
        x_gap_(random() % 2 == 0 ? 0 : 3),
        y_gap_(random() % 2 == 0 ? 0 : 5),
        touch_(random() % 2 == 0 ? GuardedMap::Touch::first : GuardedMap::Touch::last),
        weights_(random_numbers(random, static_cast<std::size_t>(c.window.h * c.window.w * c.x.c * c.out),
                                1 / std::sqrt(static_cast<float>(c.window.h * c.window.w * c.x.c)))),
        biases_(random_numbers(random, static_cast<std::size_t>(c.out), 0.5F)),
        slopes_(random_numbers(random, static_cast<std::size_t>(c.out), 2.0F)),
        x_(c.x, x_gap_, touch_) {
    x_.fill(random);
  }

  [[nodiscard]] bool possible() const { return y_.h > 0 && y_.w > 0; }

  void run(std::mt19937& random) const {
    const Expected expected(*this, random);
    const auto check = [&](const auto& device, const std::string& name, Tolerance tolerance) {
      expected.check(device, name, tolerance);
    };
    for_each_cpu([&](const Cpu& cpu, const std::string& name) { check(cpu, name, {1e-5, 1e-5}); });
    on_emulated_cuda([&](const auto& cuda) { check(cuda, "its CUDA kernel", {1e-5, 1e-5}); });
    // Rounded to 10 or 7 bits of mantissa, of numbers up to 1 and weights that sum up to no more.
    on_emulated_cuda([&](const auto& cuda) { check(cuda, "its CUDA kernel", {2e-3, 2e-3}); }, Arithmetic::tf32);
    on_emulated_cuda([&](const auto& cuda) { check(cuda, "its CUDA kernel", {2e-3, 2e-3}); }, Arithmetic::fp16);
    on_emulated_cuda([&](const auto& cuda) { check(cuda, "its CUDA kernel", {2e-2, 2e-2}); }, Arithmetic::bf16);
#ifdef WAJAH_CUDA_HOST
    check_cudnn(expected);
#endif
  }

  void run_on_cpus(Draw& draw) const {
    const Expected expected(*this, draw.random());
    for_each_isa(draw, [&](const Cpu& cpu, const std::string& name) { expected.check(cpu, name, {1e-5, 1e-5}); });
  }

 private:
  // What the reference gives, with what was added.
  struct Expected {
    Expected(const Trial& t, std::mt19937& random) : trial(t), add(t.y_, 2, t.touch_), map(t.y_, 0, t.touch_) {
      add.fill(random);
      trial.compute(Reference{}, add, map);
    }

    void check(const auto& device, const std::string& name, Tolerance tolerance) const {
      GuardedMap y(trial.y_, trial.y_gap_, trial.touch_);
      trial.compute(device, add, y);
      const std::string what = describe("conv2d", trial.case_) + " on " + name;
      check_close(what, y.view(), map.view(), tolerance);
      CHECK_MESSAGE(y.gaps_untouched(), what << " wrote between the channels");
    }

    const Trial& trial;
    GuardedMap add, map;
  };

#ifdef WAJAH_CUDA_HOST
  // What is said to cuDNN, by one that computes what it is told: each trial in another arithmetic, and as a whole or
  // sums alone.
  static void check_cudnn(const Expected& expected) {
    static int turn = 0;
    const auto arithmetic = static_cast<Arithmetic>(turn % 4);
    fake_cudnn_state().refuses_whole = turn / 4 % 2 != 0;
    ++turn;
    const double tolerance = arithmetic == Arithmetic::fp32 ? 1e-5 : arithmetic == Arithmetic::bf16 ? 2e-2 : 2e-3;
    expected.check(emulated_cudnn(arithmetic), "cuDNN's graph in " + std::string(name_of(arithmetic)),
                   {tolerance, tolerance});
  }
#endif

  void compute(const auto& device, const GuardedMap& add, GuardedMap& y) const {
    const Conv2dWeights weights{case_.x.c,       case_.out,      case_.window,
                                weights_.data(), biases_.data(), {kind_, slopes_.data()}};
    PackedConv2d packed = pack_conv2d(device, weights);
    const auto panels = guarded(device, packed.weights, touch_), biases = guarded(device, packed.biases, touch_),
               slopes = guarded(device, packed.slopes, touch_);
    Epilogue epilogue;
    if (residual_) {
      epilogue = {add.view(), 0.25F};
      if (in_place_) {
        y.copy(add.view());
        epilogue.add = y.view();
      }
    }
    conv2d(device, Conv2dArgs{x_.view(),
                              y.view(),
                              case_.window,
                              case_.pad,
                              panels.template as<float>(),
                              biases.template as<float>(),
                              {kind_, slopes.template as<float>()},
                              epilogue});
  }

  Case case_;
  Shape y_;
  ActivationKind kind_;
  bool residual_, in_place_;
  int x_gap_, y_gap_;
  GuardedMap::Touch touch_;
  std::vector<float> weights_, biases_, slopes_;
  GuardedMap x_;
};

void run(const Case& c, std::mt19937& random) {
  if (const Trial trial(c, random); trial.possible()) trial.run(random);
}

TEST_CASE("conv2d: windows, strides and padding on small maps") {
  std::mt19937 random(1);
  each_small_map(random, [&](const Case& c) { run(c, random); });
}

TEST_CASE("conv2d: channels on and beside the vector width") {
  std::mt19937 random(2);
  each_channel_count([&](const Case& c) { run(c, random); });
}

TEST_CASE("conv2d: random shapes") {
  Draw draw(4);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Shape x{draw.up_to(3), draw.up_to(20), draw.up_to(20), draw.up_to(70)};
    const Case c{x, draw.up_to(110), draw.window(7), draw.pad()};
    if (const Trial trial(c, draw.random()); trial.possible()) trial.run_on_cpus(draw);
  }
}

TEST_CASE("conv2d: the shapes of the networks") {
  std::mt19937 random(3);
  for (const Case& c : conv2d_cases_of_networks) run(c, random);
}

TEST_CASE("conv2d: no images are no work") {
  const std::vector<float> weights(9 * 4 * 8), biases(8);
  for_each_cpu([&](const Cpu& cpu, const std::string&) {
    for (const Window window : {Window{1, 1}, Window{3, 3}}) {
      const PackedConv2d packed = pack_conv2d(cpu, {4, 8, window, weights.data(), biases.data(), {}});
      CHECK_NOTHROW(conv2d(cpu, Conv2dArgs{{nullptr, {0, 3, 3, 4}},
                                           {nullptr, {0, 3, 3, 8}},
                                           window,
                                           Pad::same,
                                           packed.weights.as<float>(),
                                           packed.biases.as<float>(),
                                           {ActivationKind::identity, packed.slopes.as<float>()},
                                           {}}));
    }
  });
}

TEST_CASE("Conv2d: takes its tensors by name") {
  std::mt19937 random(5);
  Weights::Builder builder("test");
  builder.add("conv/weights", {3, 3, 4, 6}, random_numbers(random, 216, 0.2F))
      .add("conv/biases", {6}, random_numbers(random, 6, 0.2F))
      .add("slopes/alpha", {6}, random_numbers(random, 6, 0.2F));
  const Weights weights = std::move(builder).build();
  const Tolerance close{1e-6, 1e-6};
  compare<Conv2d<"conv", 4, 6, Window{3, 3}, Pad::same>>("identity", weights, {1, 5, 5, 4}, close);
  compare<Conv2d<"conv", 4, 6, Window{3, 3}, Pad::valid, Relu>>("relu", weights, {2, 5, 6, 4}, close);
  compare<Conv2d<"conv", 4, 6, Window{3, 3, 2}, Pad::half, Relu6>>("relu6", weights, {1, 7, 6, 4}, close, {}, 30);
  compare<Conv2d<"conv", 4, 6, Window{3, 3}, Pad::same, PRelu<"slopes">>>("prelu", weights, {1, 5, 5, 4}, close);
  CHECK(weights.unused().empty());
  using Wide = Conv2d<"conv", 4, 7, Window{3, 3}, Pad::same>;
  Wide wide;
  CHECK_THROWS_WITH_AS(wide.load(Cpu(), weights), doctest::Contains("conv/weights"), Error);
}

TEST_CASE("Conv2d: a computable shape, or a sentence") {
  using Layer = Conv2d<"conv", 3, 8, Window{3, 3, 2}, Pad::valid>;
  static_assert(Layer::out({2, 7, 9, 3}) == Shape{2, 3, 4, 8});
  static_assert(Conv2d<"c", 3, 8, Window{3, 3, 2}, Pad::same>::out({2, 7, 8, 3}) == Shape{2, 4, 4, 8});
  static_assert(Layer::macs({1, 7, 7, 3}) == 9 * 3 * 8 * 9);
  CHECK_THROWS_WITH_AS((void)Layer::out({1, 7, 7, 4}), "conv: input has 4 channels, expected 3", Error);
  CHECK_THROWS_WITH_AS((void)Layer::out({1, 2, 7, 3}), "conv: input of 2x7 pixels is smaller than its window", Error);
}

}  // namespace
}  // namespace wajah
