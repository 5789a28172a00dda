// The convolution by warpgroups against the definition, on the shapes of tests/layers/conv2d.cpp with as many channels
// as it takes, and with many images; on the host, and on a card where there is one (./test --gpu).
#include <wajah/layers/conv2d_half.hpp>

#include <set>

#include "check.hpp"
#include "cuda_host/emulated_cuda.hpp"
#include "device.hpp"
#include "layers/conv2d_cases.hpp"
#include "reference.hpp"

namespace wajah {

// kernels/cuda/conv2d_warpgroup.hpp
namespace cuda_host {
int warpgroup_columns(const Conv2dHalfArgs& args, const Launch& on);
bool conv2d_warpgroup(const Conv2dHalfArgs& args, const Launch& on);
}  // namespace cuda_host
namespace cuda {
int warpgroup_columns(const Conv2dHalfArgs& args, const Launch& on);
bool conv2d_warpgroup(const Conv2dHalfArgs& args, const Launch& on);
}  // namespace cuda

namespace {

struct Kernel {
  int (*columns)(const Conv2dHalfArgs& args, const Launch& on);
  bool (*run)(const Conv2dHalfArgs& args, const Launch& on);
};
constexpr Kernel on_host{&cuda_host::warpgroup_columns, &cuda_host::conv2d_warpgroup};

Cuda host_card(Arithmetic arithmetic) {
  CudaOptions options;
  options.memory_fraction = 1;
  options.arithmetic = arithmetic;
  options.warpgroup_products = true;
  return Cuda(options, host_driver());
}

// 16-bit words with `gap` others between pixels, here and on a card, where they end at memory that may not be read.
class HalfMap {
 public:
  HalfMap(const Cuda& device, Shape shape, int gap)
      : device_(device),
        stride_(shape.c + gap),
        words_(shape.pixels() * static_cast<std::size_t>(stride_) - static_cast<std::size_t>(gap), untouched),
        memory_(device.allocate(words_.size() * sizeof(std::uint16_t))),
        shape_(shape) {}

  [[nodiscard]] View<std::uint16_t> on_card() const { return {memory_.as<std::uint16_t>(), shape_, stride_}; }
  void upload() { device_.upload(memory_.as<>(), words_.data(), words_.size() * sizeof(std::uint16_t)); }
  void download() { device_.download(words_.data(), memory_.as<>(), words_.size() * sizeof(std::uint16_t)); }

  // Number i of those that are in no gap.
  [[nodiscard]] std::uint16_t& operator[](std::size_t i) {
    const auto channels = static_cast<std::size_t>(shape_.c);
    return words_[i / channels * static_cast<std::size_t>(stride_) + i % channels];
  }
  [[nodiscard]] bool gaps_untouched() const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if (i % static_cast<std::size_t>(stride_) >= static_cast<std::size_t>(shape_.c) && words_[i] != untouched) {
        return false;
      }
    }
    return true;
  }

 private:
  static constexpr std::uint16_t untouched = 0x7FC1;  // not a number in either format
  Cuda device_;
  int stride_;
  std::vector<std::uint16_t> words_;
  Buffer memory_;
  Shape shape_;
};

class Trial {
 public:
  Trial(const Conv2dCase& c, const Cuda& device, std::mt19937& random)
      : case_(c),
        device_(device),
        bfloat_(device.launch().arithmetic == Arithmetic::bf16),
        y_(c.y()),
        kind_(static_cast<ActivationKind>(random() % 4)),
        residual_(random() % 2 == 0),
        in_place_(random() % 2 == 0),
        floats_(!in_place_ && random() % 4 == 0),
        captured_(random() % 4 == 0),
        x_gap_(random() % 2 == 0 ? 0 : 8),
        y_gap_(random() % 2 == 0 ? 0 : 24),
        random_(random) {}

  // How wide the tiles are that it took.
  int run(const Kernel& kernel) {
    const auto taps = static_cast<std::size_t>(case_.window.h * case_.window.w);
    const std::vector<float> weights = rounded(taps * static_cast<std::size_t>(case_.x.c * case_.out),
                                               1 / std::sqrt(static_cast<float>(taps) * static_cast<float>(case_.x.c)));
    const std::vector<float> biases = random_numbers(random_, static_cast<std::size_t>(case_.out), 0.5F),
                             slopes = random_numbers(random_, static_cast<std::size_t>(case_.out), 2.0F);
    const std::vector<float> x = rounded(case_.x.size(), 1), add = rounded(y_.size(), 1);
    const Conv2dWeights from{case_.x.c, case_.out, case_.window, weights.data(), biases.data(), {kind_, slopes.data()}};

    HalfMap x_map(device_, case_.x, x_gap_), add_map(device_, y_, 0), y_map(device_, y_, y_gap_);
    for (HalfMap* map : {&add_map, &y_map}) put(*map, add);
    const Buffer float_map = device_.allocate(y_.size() * sizeof(float));
    const PackedConv2d packed = pack_conv2d_half(device_, from);
    Conv2dHalfArgs args{x_map.on_card(),
                        y_map.on_card(),
                        nullptr,
                        case_.window,
                        case_.pad,
                        packed.weights.as<std::uint16_t>(),
                        packed.biases.as<float>(),
                        {kind_, packed.slopes.as<float>()},
                        {}};
    if (residual_) args.epilogue = {in_place_ ? y_map.on_card() : add_map.on_card(), 0.25F};
    if (floats_) {
      args.floats = float_map.as<float>();
      args.y.stride = y_.c;
    }
    Launch on = device_.launch();
    on.processors = 1;  // so that small layers keep the card busy
    const int columns = kernel.columns(args, on);
    const auto launch = [&] { REQUIRE_MESSAGE(kernel.run(args, on), describe("conv2d by warpgroups", case_)); };
    if (captured_) {
      put(x_map, std::vector<float>(x.size()));
      const CudaGraph graph = device_.capture(launch);
      put(x_map, x);
      graph.launch();
    } else {
      put(x_map, x);
      launch();
    }
    check(computed(y_map, float_map), expected(from, x, add));
    CHECK(y_map.gaps_untouched());
    return columns;
  }

 private:
  [[nodiscard]] std::vector<float> expected(const Conv2dWeights& from, const std::vector<float>& x,
                                            const std::vector<float>& add) const {
    const PackedConv2d packed = pack_conv2d(Reference{}, from);
    std::vector<float> y(y_.size());
    Epilogue epilogue;
    if (residual_) epilogue = {{add.data(), y_}, 0.25F};
    conv2d(Reference{}, Conv2dArgs{{x.data(), case_.x},
                                   {y.data(), y_},
                                   case_.window,
                                   case_.pad,
                                   packed.weights.as<float>(),
                                   packed.biases.as<float>(),
                                   {kind_, packed.slopes.as<float>()},
                                   epilogue});
    return y;
  }
  std::vector<float> computed(HalfMap& y_map, const Buffer& float_map) const {
    std::vector<float> y(y_.size());
    y_map.download();
    if (floats_) {
      device_.download(y.data(), float_map.as<>(), y.size() * sizeof(float));
    } else {
      for (std::size_t i = 0; i < y.size(); ++i) y[i] = value(y_map[i]);
    }
    return y;
  }
  // Products of the same words, summed in float32 and rounded once.
  void check(const std::vector<float>& got, const std::vector<float>& expected) const {
    const double rounding = floats_ ? 0 : bfloat_ ? 0x1p-8 : 0x1p-11;
    check_close(describe("conv2d by warpgroups", case_) + (bfloat_ ? " in bf16" : " in fp16"), got, expected,
                {2e-5, rounding + 1e-5});
  }

  [[nodiscard]] float value(unsigned word) const {
    return bfloat_ ? shim::BfloatKind::value(word) : shim::HalfKind::value(word);
  }
  [[nodiscard]] std::uint16_t word(float x) const {
    return static_cast<std::uint16_t>(bfloat_ ? shim::bfloat_of(x) : shim::half_of(x));
  }
  // Numbers that 16 bits hold.
  std::vector<float> rounded(std::size_t count, float scale) {
    std::vector<float> numbers = random_numbers(random_, count, scale);
    for (float& x : numbers) x = value(word(x));
    return numbers;
  }
  void put(HalfMap& map, const std::vector<float>& numbers) const {
    for (std::size_t i = 0; i < numbers.size(); ++i) map[i] = word(numbers[i]);
    map.upload();
  }

  Conv2dCase case_;
  const Cuda& device_;
  bool bfloat_;
  Shape y_;
  ActivationKind kind_;
  bool residual_, in_place_, floats_, captured_;
  int x_gap_, y_gap_;
  std::mt19937& random_;
};

// The list of all convolutions, with channels for this kernel; the networks' are its own already.
std::vector<Conv2dCase> small_maps(std::mt19937& random) {
  std::vector<Conv2dCase> cases;
  each_small_map(random, [&](Conv2dCase c) {
    c.x.c = 40;
    c.out = 56;
    cases.push_back(c);
  });
  return cases;
}
std::vector<Conv2dCase> of_networks() {
  std::vector<Conv2dCase> cases;
  for (const Conv2dCase& c : conv2d_cases_of_networks) {
    if (c.x.c >= 32 && c.out >= 48) cases.push_back(c);
  }
  return cases;
}

// Channels on and beside the steps of depth and the tiles of columns.
std::vector<Conv2dCase> channels() {
  std::vector<Conv2dCase> cases;
  for (const int in : {32, 40, 48, 56, 64, 72, 80, 96, 120, 128, 136, 192}) {
    for (const int out : {48, 56, 64, 72, 128}) {
      cases.push_back({{1, 3, 5, in}, out, {1, 1}, Pad::valid});
      cases.push_back({{2, 4, 3, in}, out, {3, 3}, Pad::same});
    }
  }
  return cases;
}

// Rows on and beside the tile, many images, and more steps than stages.
const Conv2dCase rows[] = {
    {{1, 1, 127, 64}, 64, {1, 1}, Pad::valid},  {{1, 1, 128, 64}, 64, {1, 1}, Pad::valid},
    {{1, 1, 129, 64}, 64, {1, 1}, Pad::valid},  {{16, 8, 8, 64}, 64, {1, 7}, Pad::same},
    {{16, 8, 8, 64}, 64, {7, 1}, Pad::same},    {{29, 3, 3, 192}, 192, {1, 3}, Pad::same},
    {{17, 3, 3, 96}, 192, {3, 1}, Pad::same},   {{16, 5, 7, 32}, 64, {3, 3, 2}, Pad::same},
    {{33, 1, 1, 448}, 128, {1, 1}, Pad::valid}, {{2, 17, 17, 64}, 96, {3, 3, 2}, Pad::valid},
};

// Large layers of the networks, in tiles of every width.
const Conv2dCase large[] = {
    {{1, 20, 20, 32}, 64, {3, 3}, Pad::same},   {{1, 20, 20, 64}, 80, {1, 1}, Pad::valid},
    {{1, 14, 14, 80}, 192, {3, 3}, Pad::valid}, {{1, 12, 12, 192}, 256, {3, 3, 2}, Pad::valid},
    {{2, 17, 17, 256}, 96, {1, 1}, Pad::same},  {{1, 17, 17, 192}, 192, {3, 3}, Pad::same},
    {{2, 17, 17, 96}, 256, {1, 1}, Pad::same},  {{2, 8, 8, 896}, 256, {1, 1}, Pad::same},
    {{3, 8, 8, 256}, 896, {1, 1}, Pad::same},   {{3, 8, 8, 128}, 128, {1, 7}, Pad::same},
    {{4, 3, 3, 384}, 1792, {1, 1}, Pad::same},  {{8, 20, 20, 64}, 128, {1, 1}, Pad::same},
};

// The widths of the tiles that they took.
std::set<int> run(std::span<const Conv2dCase> cases, const Cuda& device, const Kernel& kernel, std::mt19937& random) {
  std::set<int> columns;
  for (const Conv2dCase& c : cases) {
    if (c.possible()) columns.insert(Trial(c, device, random).run(kernel));
  }
  return columns;
}

TEST_CASE("conv2d by warpgroups: windows, strides and padding, channels, rows and images") {
  for (const Arithmetic arithmetic : {Arithmetic::fp16, Arithmetic::bf16}) {
    std::mt19937 random(static_cast<unsigned>(arithmetic));
    const Cuda device = host_card(arithmetic);
    run(small_maps(random), device, on_host, random);
    run(of_networks(), device, on_host, random);
    run(channels(), device, on_host, random);
    run(rows, device, on_host, random);
  }
}

TEST_CASE("conv2d by warpgroups: large layers of the networks, in tiles of every width") {
  for (const Arithmetic arithmetic : {Arithmetic::fp16, Arithmetic::bf16}) {
    std::mt19937 random(4);
    CHECK(run(large, host_card(arithmetic), on_host, random) == std::set{64, 128, 192, 256});
  }
}

TEST_CASE("conv2d by warpgroups: conv2d_half takes it where it may, and else what it has always taken") {
  static int made;
  const Cuda device = host_card(Arithmetic::fp16);
  const auto operation = [](const Conv2dHalfArgs& args, const Launch& on) {
    made = 0;
    Launch counted = on;
    counted.make_tensor_map = [](TensorMap* map, const TensorMapPlan& plan) {
      ++made;
      return host_driver().make_tensor_map(map, plan);
    };
    cuda_host::conv2d_half(args, counted);
    return true;
  };
  std::mt19937 random(8);
  const Kernel kernel{&cuda_host::warpgroup_columns, operation};
  (void)Trial({{2, 9, 9, 64}, 64, {3, 3}, Pad::same}, device, random).run(kernel);
  CHECK(made == 2);
  (void)Trial({{2, 9, 9, 64}, 40, {3, 3}, Pad::same}, device, random).run(kernel);
  CHECK(made == 0);
}

#ifdef WAJAH_HAVE_CUDA
// The same for real, and what decides whether the kernel may be more than an option.
TEST_CASE("on a card: convolutions by warpgroups") {
  if (const auto reason = why_not_cuda(0)) {
    MESSAGE("skipped: " << *reason);
    return;
  }
  for (const Arithmetic arithmetic : {Arithmetic::fp16, Arithmetic::bf16}) {
    CudaOptions options;
    options.memory_fraction = 0.1;
    options.arithmetic = arithmetic;
    options.warpgroup_products = true;
    const Cuda device(options);
    if (device.launch().make_tensor_map == nullptr) {
      MESSAGE("skipped: " << device.facts().name << " has no products of warpgroups");
      return;
    }
    const Kernel kernel{&cuda::warpgroup_columns, &cuda::conv2d_warpgroup};
    std::mt19937 random(7);
    run(small_maps(random), device, kernel, random);
    run(of_networks(), device, kernel, random);
    run(channels(), device, kernel, random);
    run(rows, device, kernel, random);
    run(large, device, kernel, random);
  }
}
#endif

TEST_CASE("conv2d by warpgroups: for which layers, and only where the card can and somebody has asked") {
  std::uint16_t* const aligned = nullptr;
  Conv2dHalfArgs args;
  args.x = {aligned, {16, 17, 17, 64}};
  args.y = {aligned, {16, 17, 17, 128}};
  args.window = {3, 3};
  args.pad = Pad::same;
  const Cuda device = host_card(Arithmetic::fp16);
  Launch on = device.launch();
  on.processors = 4;
  REQUIRE(cuda_host::warpgroup_columns(args, on) > 0);
  const auto not_for = [&](auto&& change) {
    Conv2dHalfArgs changed = args;
    change(changed);
    CHECK(cuda_host::warpgroup_columns(changed, on) == 0);
  };
  not_for([](Conv2dHalfArgs& a) { a.x.shape.c = 24; });
  not_for([](Conv2dHalfArgs& a) { a.x.shape.c = 60; });
  not_for([](Conv2dHalfArgs& a) { a.y.shape.c = 60; });
  not_for([](Conv2dHalfArgs& a) { a.y.shape.c = 40; });
  not_for([](Conv2dHalfArgs& a) { a.x.stride = 68; });
  not_for([](Conv2dHalfArgs& a) { ++a.y.data; });
  not_for([](Conv2dHalfArgs& a) { a.floats = reinterpret_cast<float*>(4); });
  not_for([](Conv2dHalfArgs& a) { a.window.stride = 9; });
  not_for([&](Conv2dHalfArgs& a) { a.epilogue.add = {aligned + 1, a.y.shape, 132}; });
  not_for([](Conv2dHalfArgs& a) { a.y.shape = {1, 17, 17, 64}; });  // three tiles, for four multiprocessors
  on.processors = 64;
  CHECK(cuda_host::warpgroup_columns(args, on) > 0);
  on.processors = 200;
  CHECK(cuda_host::warpgroup_columns(args, on) == 0);
  // Inception-ResNet-v1 on an H200: its largest layer, those that close block35, and block17's narrow ones.
  on.processors = 132;
  const auto columns = [&](int images, int side, int in, int out) {
    args.x = {aligned, {images, side, side, in}};
    args.y = {aligned, {images, side, side, out}};
    return cuda_host::warpgroup_columns(args, on);
  };
  CHECK(columns(16, 36, 80, 192) == 192);
  CHECK(columns(16, 17, 96, 256) > 0);
  CHECK(columns(64, 8, 896, 128) == 0);
  CHECK(columns(256, 8, 896, 128) == 128);
  on.processors = 4;
  on.make_tensor_map = nullptr;
  CHECK_FALSE(cuda_host::conv2d_warpgroup(args, on));
}

bool makes_maps(int major, bool option, const char* variable) {
  static int capability;
  capability = major;
  CudaDriver driver = host_driver();
  driver.describe = [](int, CudaFacts* facts) {
    return *facts = {"the host", capability, 0, 1, std::size_t{64} << 20U, std::size_t{64} << 20U}, 0;
  };
  CudaOptions options;
  options.warpgroup_products = option;
  if (variable != nullptr) ::setenv("WAJAH_CUDA_WARPGROUP_PRODUCTS", variable, 1);
  const bool result = Cuda(options, driver).on_own_stream().launch().make_tensor_map != nullptr;
  ::unsetenv("WAJAH_CUDA_WARPGROUP_PRODUCTS");
  return result;
}

TEST_CASE("products of warpgroups: on the one generation that has them, and only if somebody asks") {
  CHECK(makes_maps(9, true, nullptr));
  CHECK(makes_maps(9, false, "1"));
  CHECK_FALSE(makes_maps(9, false, nullptr));
  CHECK_FALSE(makes_maps(9, false, "0"));
  CHECK_FALSE(makes_maps(8, true, "1"));
  CHECK_FALSE(makes_maps(10, true, "1"));
}

}  // namespace
}  // namespace wajah
