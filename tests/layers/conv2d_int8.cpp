#include <wajah/layers/byte_steps.hpp>
#include <wajah/layers/conv2d_int8.hpp>
#include <wajah/layers/pack.hpp>

#include "compare.hpp"
#include "random_shapes.hpp"

#include <map>

namespace wajah {
namespace {

using Bytes = GuardedMapOf<std::uint8_t>;

struct Case {
  Shape x;
  int out = 1;
  Window window;
  Pad pad = Pad::valid;
};

std::string describe(const Case& c) {
  const char* pads[] = {"valid", "same", "half"};
  return fmt::format("conv2d_int8 {}x{}x{}x{} -> {}, {}x{}/{} {}", c.x.n, c.x.h, c.x.w, c.x.c, c.out, c.window.h,
                     c.window.w, c.window.stride, pads[static_cast<int>(c.pad)]);
}

// With any bytes up to the largest.
void fill(Bytes& x, std::mt19937& random, int largest) {
  x.fill(random);
  const View<std::uint8_t> view = x.view();
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(view.shape.pixels()); ++i) {
    for (int c = 0; c < view.shape.c; ++c) view.data[i * view.stride + c] &= static_cast<std::uint8_t>(largest);
  }
}

enum class Values { any, largest };  // largest: what 16-bit sums of products would overflow at

// Sums alone: multipliers of 1, no offsets, so that the kernel gives the very integers.
class Trial {
 public:
  // largest: of the weights, which says how large the bytes of x may be.
  Trial(const Case& c, Values values, int largest, std::mt19937& random)
      : case_(c),
        largest_(largest),
        largest_byte_(largest == 127 ? 255 : 127),
        y_{c.x.n, reach(c.x.h, c.window.h, c.window.stride, c.pad).out,
           reach(c.x.w, c.window.w, c.window.stride, c.pad).out, c.out},
        zero_point_(random() % 2 == 0 ? 0 : static_cast<int>(random() % (static_cast<unsigned>(largest_byte_) + 1))),
        y_gap_(random() % 2 == 0 ? 0 : 5),
        touch_(random() % 2 == 0 ? Touch::first : Touch::last),
        weights_(static_cast<std::size_t>(c.window.h * c.window.w * c.x.c * c.out)),
        ones_(static_cast<std::size_t>(round_up(c.out)), 1.0F),
        offsets_(static_cast<std::size_t>(round_up(c.out))),
        x_(c.x, random() % 2 == 0 ? 0 : 4, touch_) {
    fill(x_, random, largest_byte_);
    const auto most = static_cast<std::int8_t>(largest);
    for (auto& w : weights_) {
      w = static_cast<std::int8_t>(static_cast<int>(random() % static_cast<unsigned>(2 * largest + 1)) - largest);
    }
    if (values == Values::largest) {
      for (auto& w : weights_) w = w < 0 ? static_cast<std::int8_t>(-largest) : most;
      std::ranges::fill(weights_.begin(), weights_.begin() + static_cast<std::ptrdiff_t>(weights_.size() / 2), most);
      const View<std::uint8_t> x = x_.view();
      const auto most_byte = static_cast<std::uint8_t>(largest_byte_);
      for (int i = 0; i < c.x.n * c.x.h * c.x.w; ++i) std::fill_n(x.data + i * x.stride, c.x.c, most_byte);
    }
  }

  [[nodiscard]] bool possible() const { return y_.h > 0 && y_.w > 0; }

  // With `draw` on CPUs alone, each with a number of threads.
  void run(Draw* draw = nullptr) const {
    GuardedMap expected(y_, 0, touch_);
    conv2d_int8(Reference{}, args(expected.view(), weights_.data(), offsets_.data()));
    const auto check = [&](const Cpu& cpu, const std::string& name) {
      if (largest_byte_weight(cpu.isa()) == largest_) run_on(cpu, name, expected);
    };
    if (draw != nullptr) return for_each_isa(*draw, check);
    for_each_cpu(check);
#ifdef WAJAH_CUDA_HOST
    on_emulated_cuda([&](const auto& cuda) {
      const std::vector<std::int8_t> columns =
          int8_columns(weights_.data(), case_.window.h * case_.window.w * case_.x.c, case_.out);
      const Buffer packed = cuda.uploaded(columns.data(), columns.size());
      const std::vector<float> offsets = without_zero_point();
      GuardedMap y(y_, y_gap_, touch_);
      conv2d_int8(cuda, args(y.view(), packed.template as<std::int8_t>(), offsets.data()));
      check_close(describe(case_) + " by its CUDA kernel", y.view(), expected.view(), {0, 0});
      CHECK_MESSAGE(y.gaps_untouched(), describe(case_) << " by its CUDA kernel wrote between the channels");
      check_copy(cuda, args(y.view(), packed.template as<std::int8_t>(), offsets.data()));
    });
#endif
  }

 private:
  // With a residual and once more in bytes: the floats that it has without them, and those as quantise makes bytes.
  void check_copy(const auto& cuda, Conv2dInt8Args args) const {
    std::mt19937 random(8);
    GuardedMap add(y_, 3, touch_), alone(y_, y_gap_, touch_), both(y_, y_gap_, touch_);
    add.fill(random, 64);
    args.epilogue = {add.view(), 0x1p-9F};
    args.y = alone.view();
    conv2d_int8(cuda, args);
    Bytes copy(y_, y_gap_, touch_), expected(y_, 0, touch_);
    const Quantisation is{2.0F, zero_point_, largest_byte_};
    args.y = both.view();
    args.copy = {copy.view().data, copy.view().stride, is};
    conv2d_int8(cuda, args);
    quantise(Reference{}, QuantiseArgs{alone.view(), expected.view(), is});
    check_close(describe(case_) + " and its copy, floats", both.view(), alone.view(), {0, 0});
    check_close(describe(case_) + " and its copy, bytes", copy.view(), expected.view(), {0, 0});
    CHECK_MESSAGE(copy.gaps_untouched(), describe(case_) << ": its copy wrote between the channels");
  }

  void run_on(const Cpu& cpu, const std::string& name, const GuardedMap& expected) const {
    const int taps = case_.window.h * case_.window.w;
    const int padding = case_.window.w * case_.x.c;
    const Buffer packed = cpu.allocate(packed_int8_bytes(taps, case_.x.c, case_.out) + static_cast<std::size_t>(padding));
    pack_panels_int8(cpu, PackPanelsInt8Args{weights_.data(), packed.as<std::int8_t>(), taps, case_.x.c, case_.out,
                                             padding, zero_point_});
    const std::vector<float> offsets = without_zero_point();
    const GuardedBytes panels = guarded(cpu, packed, touch_);
    const GuardedBytes added(offsets.data(), offsets.size() * sizeof(float), touch_);
    GuardedMap y(y_, y_gap_, touch_);
    conv2d_int8(cpu, args(y.view(), panels.as<std::int8_t>(), added.as<float>()));
    check_close(describe(case_) + " on " + name, y.view(), expected.view(), {0, 0});
    CHECK_MESSAGE(y.gaps_untouched(), describe(case_) << " on " << name << " wrote between the channels");
  }

  // The sums of weights stay below 2^24 here, where floats are exact.
  [[nodiscard]] std::vector<float> without_zero_point() const {
    std::vector<float> offsets(offsets_.size());
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      offsets[i % static_cast<std::size_t>(case_.out)] -= static_cast<float>(zero_point_ * weights_[i]);
    }
    return offsets;
  }

  [[nodiscard]] Conv2dInt8Args args(View<float> y, const std::int8_t* weights, const float* offsets) const {
    return {x_.view(), y, nullptr, case_.window, case_.pad, weights, ones_.data(), offsets, -INFINITY, INFINITY,
            zero_point_, {}, {}};
  }

  Case case_;
  int largest_, largest_byte_;
  Shape y_;
  int zero_point_, y_gap_;
  Touch touch_;
  std::vector<std::int8_t> weights_;
  std::vector<float> ones_, offsets_;
  Bytes x_;
};

void run(const Case& c, std::mt19937& random, Values values = Values::any) {
  for (const int largest : {64, 127}) {
    if (const Trial trial(c, values, largest, random); trial.possible()) trial.run();
  }
}

TEST_CASE("conv2d_int8: windows, strides and padding on small maps") {
  std::mt19937 random(1);
  for (const Window window : {Window{1, 1}, {2, 2}, {3, 3}, {1, 3}, {3, 1}, {1, 7}, {7, 1}, {5, 5}}) {
    for (const int stride : {1, 2}) {
      for (const Pad pad : {Pad::valid, Pad::same, Pad::half}) {
        for (int side = 1; side <= 17; side += side < 4 ? 1 : 4) {
          const int n = 1 + static_cast<int>(random() % 3);
          const int other = 1 + static_cast<int>(random() % 17);
          run({{n, side, other, 8}, 17, {window.h, window.w, stride}, pad}, random);
        }
      }
    }
  }
}

TEST_CASE("conv2d_int8: channels on and beside the vector width") {
  std::mt19937 random(2);
  for (const int in : {4, 12, 16, 20, 28, 60, 64, 68}) {
    for (const int out : beside_vectors) {
      run({{1, 3, 5, in}, out, {1, 1}, Pad::valid}, random);
      run({{2, 4, 3, in}, out, {3, 3}, Pad::same}, random);
    }
  }
}

TEST_CASE("conv2d_int8: random shapes") {
  Draw draw(11);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Shape x{draw.up_to(3), draw.up_to(20), draw.up_to(20), 4 * draw.up_to(20)};
    const Case c{x, draw.up_to(110), draw.window(5), draw.pad()};
    if (const Trial trial(c, Values::any, draw.one_of({64, 127}), draw.random()); trial.possible()) trial.run(&draw);
  }
}

TEST_CASE("conv2d_int8: the largest bytes and weights are summed without saturating") {
  std::mt19937 random(3);
  run({{1, 3, 4, 64}, 33, {3, 3}, Pad::same}, random, Values::largest);
  run({{1, 2, 2, 128}, 48, {1, 1}, Pad::valid}, random, Values::largest);
}

TEST_CASE("conv2d_int8: the shapes of the networks") {
  std::mt19937 random(4);
  const Case cases[] = {
      {{1, 21, 21, 32}, 32, {3, 3}, Pad::valid},    {{1, 14, 14, 32}, 64, {3, 3}, Pad::same},
      {{1, 13, 13, 64}, 80, {1, 1}, Pad::valid},    {{1, 12, 12, 80}, 192, {3, 3}, Pad::valid},
      {{1, 17, 17, 32}, 32, {3, 3}, Pad::same},     {{1, 17, 17, 96}, 96, {3, 3, 2}, Pad::valid},
      {{2, 8, 8, 128}, 128, {1, 7}, Pad::same},     {{2, 8, 8, 128}, 128, {7, 1}, Pad::same},
      {{1, 8, 8, 896}, 128, {1, 1}, Pad::same},     {{3, 3, 3, 192}, 192, {1, 3}, Pad::same},
      {{3, 3, 3, 192}, 192, {3, 1}, Pad::same},     {{1, 3, 3, 1792}, 96, {1, 1}, Pad::same},
      // Beside the sizes of matrix tiles: 16 and 32 pixels, 64 bytes, 36 of these at once.
      {{1, 1, 15, 64}, 16, {1, 1}, Pad::valid},     {{1, 1, 16, 64}, 17, {1, 1}, Pad::valid},
      {{1, 1, 17, 60}, 32, {1, 1}, Pad::valid},     {{1, 1, 31, 68}, 33, {1, 1}, Pad::valid},
      {{1, 4, 8, 128}, 48, {1, 1}, Pad::valid},     {{3, 1, 11, 64}, 64, {1, 1}, Pad::valid},
      {{1, 4, 4, 256}, 40, {3, 3}, Pad::same},      {{1, 5, 5, 264}, 40, {3, 3}, Pad::same},
      {{2, 5, 5, 512}, 24, {3, 3}, Pad::same},      {{1, 2, 20, 2308}, 20, {1, 1}, Pad::valid},
  };
  for (const Case& c : cases) run(c, random);
}

// A whole convolution against the float one: what bytes lose is at most half a step of x and of every weight.

struct Fixture {
  std::mt19937 random{5};
  std::vector<float> weights = random_numbers(random, 9 * 8 * 20, 0.2F), biases = random_numbers(random, 20, 0.5F);
  Quantisation input;
  Bytes x{{2, 7, 6, 8}, 0, Touch::last};

  // Bytes that every instruction set takes.
  explicit Fixture(int zero_point = 0) : input{0.02F, zero_point, 127} { fill(x, random, input.largest); }

  [[nodiscard]] Conv2dWeights conv(ActivationKind kind) const {
    return {8, 20, {3, 3}, weights.data(), biases.data(), {kind, nullptr}};
  }

  // What the float convolution gives on the numbers that the bytes stand for.
  [[nodiscard]] std::vector<float> exact(ActivationKind kind, const Epilogue& epilogue) const {
    std::vector<float> numbers(x.view().shape.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      numbers[i] = static_cast<float>(x.view().data[i] - input.zero_point) * input.scale;
    }
    const PackedConv2d packed = pack_conv2d(Reference{}, conv(kind));
    std::vector<float> y(x.view().shape.channels(20).size());
    conv2d(Reference{}, Conv2dArgs{{numbers.data(), x.view().shape},
                                   {y.data(), x.view().shape.channels(20)},
                                   {3, 3},
                                   Pad::same,
                                   packed.weights.as<float>(),
                                   packed.biases.as<float>(),
                                   {kind, nullptr},
                                   epilogue});
    return y;
  }

  [[nodiscard]] Conv2dInt8Args args(const PackedConv2dInt8& packed, View<float> y, const Epilogue& epilogue = {}) const {
    return {x.view(), y, nullptr, {3, 3}, Pad::same, packed.weights.as<std::int8_t>(), packed.multipliers.as<float>(),
            packed.offsets.as<float>(), packed.floor, packed.ceiling, input.zero_point, epilogue, {}};
  }
};

constexpr double lost_by_weights = 0.5 * 0.2 / 64 * 2.54 * 72;  // half a step each, at the largest x

TEST_CASE("pack_conv2d_int8: floats, with every activation, residual and zero point") {
  for (const int zero_point : {0, 37, 127}) {
    const Fixture fixture(zero_point);
    const Shape shape = fixture.x.view().shape.channels(20);
    GuardedMap add(shape, 2, Touch::last);
    std::mt19937 random(6);
    add.fill(random);
    for (const ActivationKind kind : {ActivationKind::identity, ActivationKind::relu, ActivationKind::relu6}) {
      for (const Epilogue& epilogue : {Epilogue{}, Epilogue{add.view(), 0.25F}}) {
        const std::vector<float> expected = fixture.exact(kind, epilogue);
        std::map<int, std::vector<float>> first;  // by the largest weight
        const auto check = [&](const auto& device, const std::string& name) {
          int largest = 127;
          if constexpr (requires { device.isa(); }) largest = largest_byte_weight(device.isa());
          const PackedConv2dInt8 packed = pack_conv2d_int8(device, fixture.conv(kind), fixture.input, nullptr);
          std::vector<float> y(shape.size());
          conv2d_int8(device, fixture.args(packed, {y.data(), shape}, epilogue));
          check_close("against floats on " + name, y, expected, {lost_by_weights, 0});
          const std::vector<float>& before = first.try_emplace(largest, y).first->second;
          check_close("against others on " + name, y, before, {1e-5, 1e-6});
        };
        for_each_cpu(check);
        on_emulated_cuda([&](const auto& cuda) { check(cuda, "its CUDA kernel"); });
      }
    }
  }
}

TEST_CASE("pack_conv2d_int8: bytes for the next layer") {
  const Fixture fixture;
  const Shape shape = fixture.x.view().shape.channels(20);
  for (const Quantisation output : {Quantisation{0.02F, 0}, Quantisation{0.02F, 100}, Quantisation{0.04F, 50, 127}}) {
    for (const ActivationKind kind : {ActivationKind::identity, ActivationKind::relu, ActivationKind::relu6}) {
      const std::vector<float> exact = fixture.exact(kind, {});
      std::vector<float> expected;
      for (const float y : exact) {
        const float step = std::nearbyint(y / output.scale) + static_cast<float>(output.zero_point);
        expected.push_back(std::clamp(step, 0.0F, static_cast<float>(output.largest)));
      }
      const auto check = [&](const auto& device, const std::string& name) {
        const PackedConv2dInt8 packed = pack_conv2d_int8(device, fixture.conv(kind), fixture.input, &output);
        Bytes y(shape, 3, Touch::last);
        Conv2dInt8Args args = fixture.args(packed, {nullptr, shape, y.view().stride});
        args.bytes = y.view().data;
        conv2d_int8(device, args);
        CHECK(y.gaps_untouched());
        std::vector<float> got;
        for (std::size_t i = 0; i < shape.pixels(); ++i) {
          for (int c = 0; c < shape.c; ++c) got.push_back(y.view().data[static_cast<std::ptrdiff_t>(i) * y.view().stride + c]);
        }
        check_close("bytes on " + name, got, expected, {1 + lost_by_weights / 0.02, 0});
      };
      for_each_cpu(check);
      on_emulated_cuda([&](const auto& cuda) { check(cuda, "its CUDA kernel"); });
    }
  }
}

TEST_CASE("pack_conv2d_int8: bytes whose steps are those of their channels") {
  const Fixture fixture;
  const Shape shape = fixture.x.view().shape.channels(20);
  const Quantisation output{0.02F, 0};
  std::vector<float> scales;
  for (int c = 0; c < 20; ++c) scales.push_back(0.0235F - 0.001F * static_cast<float>(c));
  const std::vector<float> exact = fixture.exact(ActivationKind::relu6, {});
  std::vector<float> expected;
  for (std::size_t i = 0; i < exact.size(); ++i) expected.push_back(std::min(exact[i] / scales[i % 20], 255.0F));
  const auto check = [&](const auto& device, const std::string& name) {
    const PackedConv2dInt8 packed =
        pack_conv2d_int8(device, fixture.conv(ActivationKind::relu6), fixture.input, &output, scales);
    std::vector<std::uint8_t> y(shape.size());
    Conv2dInt8Args args = fixture.args(packed, {nullptr, shape});
    args.bytes = y.data();
    conv2d_int8(device, args);
    check_close("bytes on " + name, std::vector<float>(y.begin(), y.end()), expected,
                {0.5 + lost_by_weights / static_cast<double>(scales.back()), 0});
  };
  for_each_cpu(check);
  on_emulated_cuda([&](const auto& cuda) { check(cuda, "its CUDA kernel"); });
  CHECK_THROWS_WITH_AS((void)pack_conv2d_int8(Cpu(1), fixture.conv(ActivationKind::relu), fixture.input, &output,
                                              std::span(scales).first(19)),
                       doctest::Contains("steps of 19 channels, expected 20"), Error);
}

TEST_CASE("conv2d_int8: the sum of a residual once more in bytes, as quantise would give them") {
  for (const Quantisation to : {Quantisation{0.02F, 0}, Quantisation{0.02F, 90}, Quantisation{0.02F, 90, 127}}) {
    const Fixture fixture;
    const Shape shape = fixture.x.view().shape.channels(20);
    GuardedMap add(shape, 2, Touch::last);
    std::mt19937 random(10);
    add.fill(random);
    const auto check = [&](const auto& device, const std::string& name) {
      const PackedConv2dInt8 packed =
          pack_conv2d_int8(device, fixture.conv(ActivationKind::identity), fixture.input, nullptr);
      std::vector<float> y(shape.size());
      Bytes copy(shape, 3, Touch::last), expected(shape, 0, Touch::last);
      Conv2dInt8Args args = fixture.args(packed, {y.data(), shape}, Epilogue{add.view(), 0.25F});
      args.copy = {copy.view().data, copy.view().stride, to};
      conv2d_int8(device, args);
      quantise(Reference{}, QuantiseArgs{{y.data(), shape}, expected.view(), to});
      check_close("copy on " + name, copy.view(), expected.view(), {0, 0});
      CHECK(copy.gaps_untouched());
    };
    for_each_cpu(check);
    on_emulated_cuda([&](const auto& cuda) { check(cuda, "its CUDA kernel"); });
  }
}

TEST_CASE("pack_conv2d_int8: weights that were stored as int8 come out as they were") {
  std::vector<float> weights;
  std::vector<std::int8_t> stored;
  std::mt19937 random(7);
  for (int i = 0; i < 8 * 16; ++i) {
    stored.push_back(static_cast<std::int8_t>(i < 16 ? 127 : static_cast<int>(random() % 255) - 127));
    weights.push_back(static_cast<float>(stored.back()) * (0.001F * static_cast<float>(i % 16 + 1)));
  }
  const std::vector<float> biases(16);
  const Cpu cpu(1, Isa::scalar);
  const PackedConv2dInt8 packed = pack_conv2d_int8(cpu, {8, 16, {}, weights.data(), biases.data(), {}}, {}, nullptr);
  Buffer direct = cpu.allocate(8 * 16);
  pack_panels_int8(cpu, PackPanelsInt8Args{stored.data(), direct.as<std::int8_t>(), 1, 8, 16, 0, 0});
  CHECK(std::equal(direct.as<std::int8_t>(), direct.as<std::int8_t>() + 8 * 16, packed.weights.as<std::int8_t>()));
  CHECK_THROWS_WITH_AS((void)pack_conv2d_int8(cpu, {8, 16, {}, weights.data(), biases.data(),
                                                    {ActivationKind::prelu, biases.data()}}, {}, nullptr),
                       doctest::Contains("PReLU"), Error);
}

}  // namespace
}  // namespace wajah
