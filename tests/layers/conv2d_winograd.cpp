#include <wajah/layers/conv2d_winograd.hpp>

#include <wajah/layers/tuned.hpp>

#include "compare.hpp"
#include "random_shapes.hpp"

namespace wajah {

inline PackedConv2d pack_conv2d_winograd(const Reference& device, const Conv2dWeights& from, WinogradTile) {
  return pack_conv2d(device, from);
}
// What it has to compute is a convolution; how is not the reference's business.
inline void conv2d_winograd(const Reference& device, const Conv2dWinogradArgs& args) { conv2d(device, args.conv); }

namespace {

struct Kind {
  Window window;
  WinogradTile tile;
  double error;  // of any number, on maps of numbers up to 1
};
constexpr Kind kinds[] = {{{3, 3}, {2, 2}, 1e-5},
                          {{3, 3}, {3, 3}, 2e-5},
                          {{3, 3}, {4, 4}, 3e-5},
                          {{1, 7}, {1, 4}, 5e-5},
                          {{7, 1}, {4, 1}, 5e-5}};
constexpr Pad pads[] = {Pad::valid, Pad::same, Pad::half};

struct Case {
  Kind kind;
  Shape x;
  int out = 1;
  Pad pad = Pad::valid;
};

std::string describe(const Case& c) {
  return fmt::format("conv2d_winograd {}x{}x{}x{} -> {}, {}x{} in tiles of {}x{}, pad {}", c.x.n, c.x.h, c.x.w, c.x.c,
                     c.out, c.kind.window.h, c.kind.window.w, c.kind.tile.rows, c.kind.tile.columns,
                     static_cast<int>(c.pad));
}

// Everything a layer may ask for drawn by chance: activation, residual (in place or not), gaps, guard page. With `draw`
// on one number of threads, drawn too.
void run(const Case& c, std::mt19937& random, Draw* draw = nullptr) {
  const Window window = c.kind.window;
  const Shape shape{c.x.n, reach(c.x.h, window.h, 1, c.pad).out, reach(c.x.w, window.w, 1, c.pad).out, c.out};
  if (shape.h < 1 || shape.w < 1) return;
  const auto touch = random() % 2 == 0 ? Touch::first : Touch::last;
  const auto activation = static_cast<ActivationKind>(random() % 4);
  const bool residual = random() % 2 == 0, in_place = random() % 2 == 0;
  const int gap = random() % 2 == 0 ? 0 : 5;
  const int products = window.h * window.w * c.x.c;
  const auto weights =
      random_numbers(random, static_cast<std::size_t>(products * c.out), 1 / std::sqrt(static_cast<float>(products)));
  const auto biases = random_numbers(random, static_cast<std::size_t>(c.out), 0.5F);
  const auto slopes = random_numbers(random, static_cast<std::size_t>(c.out), 2.0F);
  GuardedMap x(c.x, random() % 2 == 0 ? 0 : 3, touch), add(shape, 2, touch), expected(shape, 0, touch);
  x.fill(random);
  add.fill(random);

  const auto compute = [&](const auto& device, GuardedMap& y) {
    PackedConv2d packed = pack_conv2d_winograd(
        device, Conv2dWeights{c.x.c, c.out, window, weights.data(), biases.data(), {activation, slopes.data()}},
        c.kind.tile);
    const auto panels = guarded(device, packed.weights, touch), added = guarded(device, packed.biases, touch),
               steep = guarded(device, packed.slopes, touch);
    Epilogue epilogue;
    if (residual) {
      epilogue = {add.view(), 0.25F};
      if (in_place) {
        y.copy(add.view());
        epilogue.add = y.view();
      }
    }
    conv2d_winograd(device, Conv2dWinogradArgs{{x.view(),
                                                y.view(),
                                                window,
                                                c.pad,
                                                panels.template as<float>(),
                                                added.template as<float>(),
                                                {activation, steep.template as<float>()},
                                                epilogue},
                                               c.kind.tile});
  };
  compute(Reference{}, expected);
  const auto check = [&](const Cpu& cpu, const std::string& name) {
    GuardedMap y(shape, gap, touch);
    compute(cpu, y);
    check_close(describe(c) + " on " + name, y.view(), expected.view(), {c.kind.error, c.kind.error});
    CHECK_MESSAGE(y.gaps_untouched(), describe(c) << " on " << name << " wrote between the channels");
  };
  draw != nullptr ? for_each_isa(*draw, check) : for_each_cpu(check);
}

TEST_CASE("conv2d_winograd: channels on and beside the vector width") {
  std::mt19937 random(1);
  for (const Kind& kind : kinds) {
    for (const int in : beside_vectors) run({kind, {1, 9, 8, in}, 17, Pad::same}, random);
    for (const int out : beside_vectors) run({kind, {2, 7, 9, 5}, out, Pad::valid}, random);
  }
}

TEST_CASE("conv2d_winograd: maps smaller and larger than tiles, every border") {
  std::mt19937 random(2);
  for (const Kind& kind : kinds) {
    for (const Pad pad : pads) {
      for (int h = 1; h <= 13; h += h < 9 ? 1 : 4) {
        run({kind, {1 + static_cast<int>(random() % 3), h, 1 + static_cast<int>(random() % 17), 6}, 18, pad}, random);
      }
    }
  }
}

TEST_CASE("conv2d_winograd: random shapes") {
  Draw draw(3);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Shape x{draw.up_to(3), draw.up_to(24), draw.up_to(24), draw.up_to(70)};
    run({kinds[draw.between(0, std::size(kinds) - 1)], x, draw.up_to(110), draw.pad()}, draw.random(), &draw);
  }
}

TEST_CASE("conv2d_winograd: blocks of tiles and the shapes of Inception-ResNet-v1") {
  std::mt19937 random(4);
  run({kinds[2], {1, 38, 38, 80}, 96, Pad::valid}, random);  // several blocks
  run({kinds[2], {1, 31, 77, 32}, 64, Pad::same}, random);
  run({kinds[1], {2, 17, 17, 192}, 48, Pad::same}, random);
  run({kinds[0], {1, 8, 8, 256}, 64, Pad::same}, random);
  run({kinds[3], {2, 8, 8, 128}, 128, Pad::same}, random);
  run({kinds[4], {2, 8, 8, 128}, 128, Pad::same}, random);
}

// docs/architecture.md states these.
TEST_CASE("conv2d_winograd: the error of each tile against sums in double") {
  constexpr double rms[] = {5e-7, 1e-6, 1.8e-6, 3e-6, 3e-6};
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  const int in = 128, out = 16;
  for (std::size_t k = 0; k < std::size(kinds); ++k) {
    const Kind& kind = kinds[k];
    const Shape shape{1, 12, 12, in};
    std::vector<float> x(shape.size()), weights(static_cast<std::size_t>(kind.window.h * kind.window.w * in * out));
    for (float& v : x) v = std::max(normal(random), 0.0F);
    for (float& v : weights) v = normal(random) / std::sqrt(static_cast<float>(kind.window.h * kind.window.w * in));
    const std::vector<float> biases(out);
    const auto compute = [&](const auto& device) {
      const PackedConv2d packed = pack_conv2d_winograd(
          device, Conv2dWeights{in, out, kind.window, weights.data(), biases.data(), {}}, kind.tile);
      std::vector<float> y(shape.channels(out).size());
      conv2d_winograd(device, Conv2dWinogradArgs{{{x.data(), shape},
                                                  {y.data(), shape.channels(out)},
                                                  kind.window,
                                                  Pad::same,
                                                  packed.weights.template as<float>(),
                                                  packed.biases.template as<float>(),
                                                  {ActivationKind::identity, packed.slopes.template as<float>()},
                                                  {}},
                                                 kind.tile});
      return y;
    };
    const std::vector<float> expected = compute(Reference{}), got = compute(Cpu(1));
    double squares = 0;
    for (std::size_t i = 0; i < got.size(); ++i) squares += std::pow(double{got[i]} - double{expected[i]}, 2);
    CHECK_MESSAGE(std::sqrt(squares / static_cast<double>(got.size())) < rms[k],
                  "tile " << kind.tile.rows << "x" << kind.tile.columns << ", window " << kind.window.h << "x"
                          << kind.window.w << ": rms " << std::sqrt(squares / static_cast<double>(got.size())));
  }
}

TEST_CASE("conv2d_winograd: no images are no work") {
  const std::vector<float> weights(9 * 4 * 8), biases(8);
  for_each_cpu([&](const Cpu& cpu, const std::string&) {
    const PackedConv2d packed = pack_conv2d_winograd(cpu, {4, 8, {3, 3}, weights.data(), biases.data(), {}}, {2, 2});
    CHECK_NOTHROW(conv2d_winograd(cpu, Conv2dWinogradArgs{{{nullptr, {0, 3, 3, 4}},
                                                           {nullptr, {0, 3, 3, 8}},
                                                           {3, 3},
                                                           Pad::same,
                                                           packed.weights.as<float>(),
                                                           packed.biases.as<float>(),
                                                           {ActivationKind::identity, packed.slopes.as<float>()},
                                                           {}},
                                                          {2, 2}}));
  });
}

TEST_CASE("Tuned: the same network with other convolutions") {
  using First = Conv2d<"first", 3, 32, Window{3, 3, 2}, Pad::valid, Relu>;
  using Left = Conv2d<"left", 32, 16, Window{1, 1}, Pad::same, Relu>;
  using Net =
      Scope<"net",
            Sequential<First, Residual<Sequential<Concat<Left, Conv2d<"right", 32, 16, Window{3, 3}, Pad::same, Relu>>,
                                                  Conv2d<"up", 32, 32, Window{3, 3}, Pad::same, Relu>>>>>;
  constexpr WinogradTile tile{4, 4};
  using Right = Conv2dWinograd<"right", 32, 16, Window{3, 3}, Pad::same, Relu, tile>;
  using Up = Conv2dWinograd<"up", 32, 32, Window{3, 3}, Pad::same, Relu, tile>;
  using Expected = Scope<"net", Sequential<First, Residual<Sequential<Concat<Left, Right>, Up>>>>;
  static_assert(std::is_same_v<Tuned<Net, Shape{1, 33, 33, 3}>, Expected>);
  static_assert(std::is_same_v<Tuned<Net, Shape{1, 5, 5, 3}>, Net>);  // maps so small that nothing is saved
  const Shape shape{2, 33, 33, 3};
  const Weights weights = Weights::invented();
  std::mt19937 random(6);
  const std::vector<float> x = random_numbers(random, shape.size(), 1);
  const auto forward = [&]<class N>(N net) {
    const Cpu cpu(2);
    net.load(cpu, weights);
    std::vector<float> y(N::out(shape).size()), scratch(N::workspace(shape) / sizeof(float));
    net.forward(
        cpu, ConstView<float>(x.data(), shape), View<float>(y.data(), N::out(shape)),
        Arena{reinterpret_cast<char*>(scratch.data()), reinterpret_cast<char*>(scratch.data() + scratch.size())});
    return y;
  };
  const auto expected = forward(Net{});
  check_close("tuned network", forward(Tuned<Net, Shape{1, 33, 33, 3}>{}), expected, {1e-5, 1e-5});
}

}  // namespace
}  // namespace wajah
