// Networks on bytes: what Quantised makes of a type, and how near its results are to those in float32.
#include "allocations.hpp"
#include "check.hpp"
#include "golden_graph.hpp"

#include <wajah/embed/embedder.hpp>
#include <wajah/embed/int8_calibration.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/int8.hpp>
#include <wajah/observer.hpp>
#include <wajah/ranges.hpp>

#include <numeric>

namespace {

using namespace wajah;

using First = Conv2d<"first", 3, 8, Window{3, 3}, Pad::same, Relu>;
template <Name N>
using Middle = Conv2d<N, 8, 8, Window{3, 3}, Pad::same, Relu>;
template <Name N>
using MiddleInt8 = Conv2dInt8<N, 8, 8, Window{3, 3}, Pad::same, Relu>;
using Pool = MaxPool2d<Window{3, 3, 2}, Pad::same>;
using PoolInt8 = MaxPool2dInt8<Window{3, 3, 2}, Pad::same>;
using Depthwise = DepthwiseConv2d<"dw", 8, Window{3, 3}, Pad::half, Relu6>;
using DepthwiseInt8 = DepthwiseConv2dInt8<"dw", 8, Window{3, 3}, Pad::half, Relu6>;

template <class Net, class Expected, class... Keep>
constexpr bool becomes = std::is_same_v<Quantised<Net, Keep...>, Expected>;

// Runs of convolutions are one part; pools between them are in it, pools at their ends are not.
static_assert(becomes<First, First>);
static_assert(becomes<Middle<"a">, Int8<MiddleInt8<"a">>>);
static_assert(becomes<Sequential<First, Middle<"a">, Pool, Middle<"b">, Pool>,
                      Sequential<First, Int8<Sequential<MiddleInt8<"a">, PoolInt8, MiddleInt8<"b">>>, Pool>>);
static_assert(becomes<Sequential<Pool, Middle<"a">, GlobalAvgPool>, Sequential<Pool, Int8<MiddleInt8<"a">>, GlobalAvgPool>>);
// So are depthwise convolutions.
static_assert(becomes<Sequential<First, Depthwise, Middle<"a">, Depthwise, Pool, Middle<"b">, Depthwise>,
                      Sequential<First, Depthwise,
                                 Int8<Sequential<MiddleInt8<"a">, DepthwiseInt8, PoolInt8, MiddleInt8<"b">>>, Depthwise>>);
static_assert(becomes<Sequential<Depthwise, Middle<"a">>, Sequential<Depthwise, Int8<MiddleInt8<"a">>>>);
static_assert(becomes<Concat<Middle<"a">, Depthwise>, Concat<Int8<MiddleInt8<"a">>, Depthwise>>);
static_assert(becomes<Sequential<Middle<"a">, Depthwise, Middle<"b">>,
                      Sequential<Int8<MiddleInt8<"a">>, Depthwise, Int8<MiddleInt8<"b">>>, Depthwise>);
// Branches that read the same map share its bytes.
static_assert(becomes<Concat<Middle<"a">, Scope<"s", Middle<"b">>, Pool>,
                      Concat<Int8<Concat<MiddleInt8<"a">, Scope<"s", MiddleInt8<"b">>>>, Pool>>);
// Residuals add up floats.
static_assert(becomes<Residual<Sequential<Middle<"a">, Middle<"b">>>,
                      Residual<Int8<Sequential<MiddleInt8<"a">, MiddleInt8<"b">>>>>);
static_assert(becomes<Repeat<2, "r", Residual<Middle<"a">>>, RepeatInt8<2, "r", MiddleInt8<"a">, std::ratio<1>>>);
static_assert(becomes<Repeat<2, "r", Residual<First>>, Repeat<2, "r", Residual<First>>>);
// What is to be kept splits the part that it lies in.
static_assert(becomes<Sequential<Middle<"a">, Middle<"b">, Middle<"c">>,
                      Sequential<Int8<MiddleInt8<"a">>, Middle<"b">, Int8<MiddleInt8<"c">>>, Middle<"b">>);
static_assert(becomes<Conv2d<"p", 8, 8, Window{}, Pad::valid, PRelu<"p">>, Conv2d<"p", 8, 8, Window{}, Pad::valid, PRelu<"p">>>);

using Small = Sequential<First, Middle<"a">, Pool, Middle<"e">,
                         Scope<"s", Concat<Middle<"b">, Sequential<Middle<"c">, Middle<"d">>,
                                           MaxPool2d<Window{3, 3}, Pad::same>>>>;
using Tail = Sequential<Conv2d<"narrow", 24, 8, Window{1, 1}, Pad::valid, Identity>,
                        Repeat<2, "r", Residual<Sequential<Conv2d<"wide", 8, 16, Window{1, 1}, Pad::same, Relu6>,
                                                           DepthwiseConv2d<"dw", 16, Window{3, 3}, Pad::half, Relu6>,
                                                           Conv2d<"back", 16, 8, Window{3, 3}, Pad::same, Identity>>>>>;
using Whole = Scope<"whole", Join<Sequential<Scope<"small", Small>>, Tail>>;

// Every leaf of Whole's tensors, small enough that nothing explodes, under their names; and ranges seen on x.
Weights calibrated(std::mt19937& random, ConstView<float> x) {
  Weights::Builder builder("test");
  const auto add_shaped = [&](const std::string& name, std::vector<std::int64_t> shape, int inner, int out) {
    std::uniform_real_distribution<float> number(-1, 1);
    std::vector<float> weights(static_cast<std::size_t>(inner * out)), biases(static_cast<std::size_t>(out));
    for (float& w : weights) w = number(random) * std::sqrt(3.0F / static_cast<float>(inner));
    for (float& b : biases) b = 0.1F * number(random);
    builder.add(name + "/weights", std::move(shape), weights).add(name + "/biases", {out}, biases);
  };
  const auto add = [&](const std::string& name, int side, int in, int out) {
    add_shaped(name, {side, side, in, out}, side * side * in, out);
  };
  add("whole/small/first", 3, 3, 8);
  for (const char* name : {"a", "e", "s/b", "s/c", "s/d"}) add(std::string("whole/small/") + name, 3, 8, 8);
  add("whole/narrow", 1, 24, 8);
  for (const char* block : {"whole/r_1/", "whole/r_2/"}) {
    add(std::string(block) + "wide", 1, 8, 16);
    add_shaped(std::string(block) + "dw", {3, 3, 16}, 9, 16);
    add(std::string(block) + "back", 3, 16, 8);
  }
  const Weights weights = std::move(builder).build();
  Observation observation;
  const Observer observer(Cpu(1), observation);
  Session<Whole, Observer> session(std::make_shared<const Model<Whole, Observer>>(observer, weights));
  (void)session.forward(x);
  Ranges ranges;
  const std::vector<std::string> names = observed_names<Whole>(x.shape);
  REQUIRE(names.size() == observation.maps.size());
  for (std::size_t i = 1; i < names.size(); ++i) {
    const bool own_steps = names[i].ends_with("_1/dw");  // and of the other block one for all channels
    ranges[names[i]] = {observation.maps[i].all(), own_steps ? observation.maps[i].highs() : std::vector<float>()};
  }
  return with_ranges(with_metadata(weights, std::string(ranges_key), text_of(ranges)));
}

template <class Net>
std::vector<float> run(const Cpu& cpu, const Weights& weights, ConstView<float> x) {
  Session<Net, Cpu> session(std::make_shared<const Model<Net, Cpu>>(cpu, weights));
  const View<float> y = session.forward(x);
  return {y.data, y.data + y.shape.size()};
}

TEST_CASE("Quantised: a small network of every combinator, on every instruction set") {
  std::mt19937 random(3);
  const Shape shape{2, 13, 11, 3};
  std::vector<float> numbers(shape.size());
  for (float& v : numbers) v = std::uniform_real_distribution<float>(-1, 1)(random);
  const ConstView<float> x(numbers.data(), shape);
  const Weights weights = calibrated(random, x);
  const std::vector<float> exact = run<Whole>(Cpu(1), weights, x);
  double largest = 0, mean = 0;
  for (const float v : exact) largest = std::max(largest, std::abs(static_cast<double>(v)));
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    const std::vector<float> bytes = run<Quantised<Whole>>(cpu, weights, x);
    check_close(name, bytes, exact, {0.05 * largest, 0});
    for (std::size_t i = 0; i < exact.size(); ++i) mean += std::abs(static_cast<double>(bytes[i] - exact[i]));
    CHECK_MESSAGE(mean / static_cast<double>(exact.size()) < 0.01 * largest, name);
    CHECK_MESSAGE(mean > 0, name << ": bytes cannot be exact");
    mean = 0;
  });
  CHECK(weights.unused().empty());
}

TEST_CASE("Quantised: after the first call nothing is allocated") {
  using Net = Quantised<Join<inception_resnet_v1::Stem,
                             Sequential<Repeat<5, "Repeat/block35", inception_resnet_v1::Block35>>>>;
  const Cpu cpu(2);
  Session<Net, Cpu> session(std::make_shared<const Model<Net, Cpu>>(cpu, Weights::invented()));
  const std::vector<float> x(Shape{1, 75, 75, 3}.size(), 0.5F);
  (void)session.forward(ConstView<float>(x.data(), {1, 75, 75, 3}));
  const std::size_t before = test::allocations();
  (void)session.forward(ConstView<float>(x.data(), {1, 75, 75, 3}));
  CHECK(test::allocations() == before);
}

TEST_CASE("Ranges: there and back, and a sentence for everything else") {
  const Ranges ranges{{"net/a", {{0, 1.5F}, {}}}, {"net/b", {{-0.1F, 3e-7F}, {}}}, {"net/c", {{0, 2}, {0.1F, 0, 2}}}};
  const Ranges same = parse_ranges(text_of(ranges), "file");
  REQUIRE(same.size() == 3);
  CHECK(same.at("net/a").high == 1.5F);
  CHECK(same.at("net/b").low == -0.1F);
  CHECK(same.at("net/b").high == 3e-7F);
  CHECK(same.at("net/b").highs.empty());
  CHECK(same.at("net/c").highs == std::vector{0.1F, 0.0F, 2.0F});
  const Weights tensors = with_ranges(with_metadata(Weights::Builder("w").build(), std::string(ranges_key), text_of(ranges)));
  const ChannelSteps steps = channel_steps_of(tensors.scope("net/c"), 3);
  CHECK(steps.scale == 2.0F / 255);
  CHECK(steps.scales == std::vector{2.0F / 16 / 255, 2.0F / 16 / 255, 2.0F / 255});
  CHECK(channel_steps_of(tensors.scope("net/a"), 3).scales.empty());
  CHECK_THROWS_AS((void)channel_steps_of(tensors.scope("net/c"), 4), Error);
  for (const char* bad : {"a 1", "a 2 1", "a 0 x", "a 0 1 -2", "a 0 1 2 x", " 0 1", "a 0 inf", "a 0 nan"}) {
    CHECK_THROWS_WITH_AS((void)parse_ranges(bad, "file"), doctest::Contains("file: its range"), Error);
  }
  CHECK_THROWS_WITH_AS((void)with_ranges(Weights::Builder("w").build()), doctest::Contains("wajah models quantise"), Error);
}

TEST_CASE("Histogram: extremes, and what is left without the outermost") {
  std::vector<float> values(10000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 100) / 100;
  values[17] = 50;
  const ConstView<float> map(values.data(), {1, 100, 100, 1});
  Histogram seen;
  seen.widen(map);
  seen.count(map);
  CHECK(seen.all().low == 0);
  CHECK(seen.all().high == 50);
  CHECK(seen.highs() == std::vector{50.0F});
  CHECK(seen.without(0).high == doctest::Approx(50));
  CHECK(seen.without(2e-4).high == doctest::Approx(1).epsilon(0.03));
  CHECK(seen.least_error().high > 1);
  for (float& v : values) v = -v;
  Histogram negative;
  negative.widen(map);
  negative.count(map);
  CHECK(negative.all().high == 0);
  CHECK(negative.without(2e-4).low == doctest::Approx(-1).epsilon(0.03));
}

TEST_CASE("calibrate_int8: embeddings in int8 are those in float32, nearly, and have the same id") {
  const auto input = GoldenInput::open();
  if (!input) return;
  const auto pixels = read_npy(input->folder / "irv1_input_u8.npy").values<std::uint8_t>();
  std::vector<Image> crops(24, Image(160, 160));
  for (std::size_t i = 0; i < crops.size(); ++i) {
    std::copy_n(pixels.data() + i * 160 * 160 * 3, 160 * 160 * 3, reinterpret_cast<std::uint8_t*>(crops[i].pixels.data()));
  }
  const Cpu cpu(0);
  CHECK_THROWS_WITH_AS((void)load_embedder(input->weights, cpu, Precision::int8), doctest::Contains("models quantise"), Error);
  CHECK_THROWS_AS((void)calibrate_int8(input->weights, std::span(crops).first(3), cpu), Error);

  const Int8Calibration calibration = calibrate_int8(input->weights, crops, cpu);
  CHECK(calibration.tried.size() == 5);
  CHECK(calibration.chosen.mean >= 0.999);
  CHECK(calibration.chosen.least >= 0.995);
  CHECK(card_of(calibration.weights).id == card_of(input->weights).id);

  // Through a file, and on every instruction set.
  const auto file = std::filesystem::temp_directory_path() / fmt::format("wajah_int8_{}.safetensors", getpid());
  write_safetensors(calibration.weights, file);
  const Weights stored = read_safetensors(file);
  const auto few = std::span(crops).first(2);
  const std::vector<float> exact = Embedder(load_embedder(stored, cpu), cpu).embed(few);
  for (const Isa isa : every_isa) {
    if (!has_isa(isa)) continue;
    const Cpu one(2, isa);
    const std::vector<float> bytes = Embedder(load_embedder(stored, one, Precision::int8), one).embed(few);
    const double cosines = std::inner_product(bytes.begin(), bytes.end(), exact.begin(), 0.0);
    CHECK_MESSAGE(cosines >= 2 * 0.999, name_of(isa) << ": " << cosines);
  }
  std::filesystem::remove(file);
}

}  // namespace
