// Residual blocks in one launch against the same layers one by one on the CPU in fp32.
#include <wajah/cudnn.hpp>
#include <wajah/networks/fused.hpp>
#include <wajah/networks/mobilefacenet.hpp>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <random>

#include "check.hpp"
#ifdef WAJAH_CUDA_HOST
#include "cuda_host/emulated_cudnn.hpp"
#include "device.hpp"
#endif

namespace wajah {
namespace {

namespace net = inception_resnet_v1;

using Five35 = Repeat<5, "block35", net::Block35>;
using Two35 = Repeat<2, "block35", net::Block35>;
using Two17 = Repeat<2, "block17", net::Block17>;
using Ten17 = Repeat<10, "block17", net::Block17>;
using Two8 = Repeat<2, "block8", net::Block8<std::ratio<20, 100>, Relu>>;
using Last8 = net::Block8<std::ratio<1>, Identity>;

TEST_CASE("fused blocks: which residual blocks have a plan, and what becomes of a network") {
  CHECK(fused_plan_of<net::Block35>() == 0);
  CHECK(fused_plan_of<net::Block17>() == 1);
  CHECK(fused_plan_of<Last8>() == 2);
  // Another width, an activation, a window or a body that is none of theirs.
  using Narrow = Residual<Sequential<Concat<Conv2d<"a", 896, 64, Window{1, 1}, Pad::same, Relu>>,
                                     Conv2d<"b", 64, 896, Window{1, 1}, Pad::same, Relu>>>;
  CHECK(fused_plan_of<Narrow>() == -1);
  CHECK(fused_plan_of<Residual<Conv2d<"a", 896, 896, Window{1, 1}, Pad::same, Relu>>>() == -1);
  static_assert(std::is_same_v<Fused<Narrow>, Narrow>);
  static_assert(std::is_same_v<Fused<MobileFaceNet>, MobileFaceNet>);
  static_assert(std::is_same_v<Fused<Sequential<Scope<"s", Two17>>>, Sequential<Scope<"s", FusedBlocks<Two17>>>>);
  static_assert(!std::is_same_v<InceptionResnetV1Fused, InceptionResnetV1>);
}

std::vector<float> noise(Shape shape, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> number(0, 1);
  std::vector<float> values(shape.size());
  for (float& value : values) value = std::max(0.0F, number(random));  // as after a ReLU
  return values;
}

template <class Layer>
std::vector<float> on_cpu(Shape shape, const std::vector<float>& x) {
  const Cpu cpu(2);
  Layer layer;
  layer.load(cpu, Weights::invented());
  std::vector<float> y(shape.size());
  const Buffer scratch(Layer::workspace(shape));
  layer.forward(cpu, {x.data(), shape}, {y.data(), shape}, scratch.arena());
  return y;
}

TEST_CASE("fused blocks: on a CPU they are the layers that they name, to the bit") {
  const Shape shape{2, 8, 8, 896};
  const std::vector<float> x = noise(shape, 1);
  CHECK(on_cpu<FusedBlocks<Two17>>(shape, x) == on_cpu<Two17>(shape, x));
}

#ifdef WAJAH_CUDA_HOST

// A card of this compute capability and so many multiprocessors.
CudaDriver card(int major, int processors) {
  static int capability, count;
  capability = major, count = processors;
  CudaDriver driver = host_driver();
  driver.describe = [](int, CudaFacts* facts) {
    return *facts = {"the host", capability, 0, count, std::size_t{2} << 30U, std::size_t{2} << 30U}, 0;
  };
  return driver;
}

CudaOptions options_of(Arithmetic arithmetic, bool fused) {
  CudaOptions options;
  options.arithmetic = arithmetic;
  options.memory_fraction = 1;
  options.fused_blocks = fused;
  return options;
}

template <class Layer>
std::vector<float> on_card(const EmulatedCuda& cuda, const Layer& layer, Shape shape, const std::vector<float>& x,
                           bool in_place) {
  const Buffer from = cuda.uploaded(x.data(), x.size() * sizeof(float)), to = cuda.allocate(x.size() * sizeof(float));
  const Buffer scratch = cuda.allocate(Layer::workspace(shape));
  const View<float> y((in_place ? from : to).template as<float>(), shape);
  layer.forward(cuda, {from.template as<float>(), shape}, y, scratch.arena());
  std::vector<float> result(x.size());
  cuda.download(result.data(), y.data, result.size() * sizeof(float));
  return result;
}

// The largest difference as a share of the most that the blocks have changed x.
double error_of(const std::vector<float>& got, const std::vector<float>& expected, const std::vector<float>& x) {
  double most = 0, worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(got[i])) return INFINITY;
    most = std::max(most, std::abs(double{expected[i]} - x[i]));
    worst = std::max(worst, std::abs(double{got[i]} - expected[i]));
  }
  return worst / most;
}

// fp16 keeps 10 bits of what is multiplied, bf16 7; x itself stays float32.
constexpr double fp16_tolerance = 2e-3, bf16_tolerance = 1.5e-2;

template <class Layer>
void check(const char* name, Shape image, int images, Arithmetic arithmetic, bool in_place = false) {
  const CudaDriver driver = card(9, 132);
  const EmulatedCuda cuda(options_of(arithmetic, true), driver);
  const Shape shape = image.images(images);
  const std::vector<float> x = noise(shape, 3);
  FusedBlocks<Layer> layer;
  layer.load(cuda, Weights::invented());
  REQUIRE(layer.packed.weights.size() > 0);
  REQUIRE(fuses_blocks<float>(cuda.launch(), fused_plans[layer.plan], {x.data(), shape}, {nullptr, shape}));
  const std::vector<float> got = on_card(cuda, layer, shape, x, in_place);
  const double error = error_of(got, on_cpu<Layer>(shape, x), x);
  const double tolerance = arithmetic == Arithmetic::bf16 ? bf16_tolerance : fp16_tolerance;
  CHECK_MESSAGE(error <= tolerance, std::string(name) << " in " << std::string(name_of(arithmetic)) << ": differs by "
                                                      << error << " of what changed, expected at most " << tolerance);
  // Images do not meet: what the last one gives, it gives alone.
  if (images == 1) return;
  const auto one = x.size() / static_cast<std::size_t>(images);
  const std::vector<float> last(x.end() - static_cast<std::ptrdiff_t>(one), x.end());
  const std::vector<float> alone = on_card(cuda, layer, image, last, in_place);
  CHECK(std::equal(alone.begin(), alone.end(), got.end() - static_cast<std::ptrdiff_t>(one)));
}

TEST_CASE("fused blocks: block35") {
  check<Five35>("five block35", {1, 17, 17, 256}, 1, Arithmetic::fp16);
  check<Two35>("two block35", {1, 17, 17, 256}, 2, Arithmetic::bf16);
}

TEST_CASE("fused blocks: block17") {
  check<Ten17>("ten block17", {1, 8, 8, 896}, 1, Arithmetic::fp16);
  check<Two17>("two block17 in place", {1, 8, 8, 896}, 3, Arithmetic::fp16, true);
  check<Two17>("two block17", {1, 8, 8, 896}, 2, Arithmetic::bf16);
}

TEST_CASE("fused blocks: block8, and the last one without activation") {
  check<Two8>("two block8", {1, 3, 3, 1792}, 5, Arithmetic::fp16);
  check<Two8>("two block8", {1, 3, 3, 1792}, 1, Arithmetic::bf16);
  check<Last8>("the last block8", {1, 3, 3, 1792}, 2, Arithmetic::fp16);
  check<Last8>("the last block8 in place", {1, 3, 3, 1792}, 1, Arithmetic::bf16, true);
}

// The same kernel between maps of 16-bit words: x is rounded before, y after.
template <class Layer>
void check_half(Shape shape, Arithmetic arithmetic) {
  const CudaDriver driver = card(9, 132);
  const EmulatedCuda cuda(options_of(arithmetic, true), driver);
  FusedBlocks<Layer> layer;
  layer.load(cuda, Weights::invented());
  const bool bfloat = arithmetic == Arithmetic::bf16;
  const auto number = [&](std::uint16_t word) {
    return bfloat ? std::bit_cast<float>(static_cast<std::uint32_t>(word) << 16U) : shim::half_value(word);
  };
  const auto word = [&](float x) { return static_cast<std::uint16_t>(bfloat ? shim::bfloat_of(x) : shim::half_of(x)); };
  std::vector<float> x = noise(shape, 7);
  std::vector<std::uint16_t> words(x.size());
  std::ranges::transform(x, words.begin(), word);
  std::ranges::transform(words, x.begin(), number);
  const std::vector<float> floats = on_card(cuda, layer, shape, x, false);
  const Buffer buffer = cuda.uploaded(words.data(), words.size() * sizeof(std::uint16_t));
  const View<std::uint16_t> map(buffer.as<std::uint16_t>(), shape);
  fused_blocks_half(cuda, FusedBlocksHalfArgs{map, map, layer.plan, layer.packed.weights.template as<>(),
                                              layer.packed.biases.template as<float>(), layer.repeats, Layer::scale});
  cuda.download(words.data(), buffer.as<>(), words.size() * sizeof(std::uint16_t));
  CHECK(std::ranges::equal(words, floats, {}, {}, word));
}

TEST_CASE("fused blocks: maps of 16-bit words give the same, rounded once") {
  using Block8 = net::Block8<std::ratio<20, 100>, Relu>;
  check_half<Block8>({2, 3, 3, 1792}, Arithmetic::fp16);
  check_half<Block8>({1, 3, 3, 1792}, Arithmetic::bf16);
}

TEST_CASE("fused blocks: maps of zeros and of large numbers") {
  const CudaDriver driver = card(9, 132);
  const EmulatedCuda cuda(options_of(Arithmetic::bf16, true), driver);
  const Shape shape{1, 8, 8, 896};
  FusedBlocks<Two17> layer;
  layer.load(cuda, Weights::invented());
  const std::vector<float> zeros(shape.size());
  const std::vector<float> of_zeros = on_card(cuda, layer, shape, zeros, false);
  CHECK(error_of(of_zeros, on_cpu<Two17>(shape, zeros), zeros) <= bf16_tolerance);
  std::vector<float> one = zeros;  // a corner that is far brighter than the rest
  for (std::size_t i = 0; i < 896; ++i) one[i] = static_cast<float>(i % 7) * 100;
  CHECK(error_of(on_card(cuda, layer, shape, one, false), on_cpu<Two17>(shape, one), one) <= bf16_tolerance);
}

TEST_CASE("fused blocks: when a card fuses") {
  const auto loads = [](int major, Arithmetic arithmetic, bool option, const char* variable) {
    const CudaDriver driver = card(major, 132);
    if (variable != nullptr) ::setenv("WAJAH_CUDA_FUSED_BLOCKS", variable, 1);
    const EmulatedCuda cuda(options_of(arithmetic, option), driver);
    ::unsetenv("WAJAH_CUDA_FUSED_BLOCKS");
    CHECK(cuda.on_own_stream().fused_blocks() == cuda.fused_blocks());
    FusedBlocks<Last8> layer;
    layer.load(cuda, Weights::invented());
    return layer.packed.weights.size() > 0;
  };
  CHECK(loads(9, Arithmetic::fp16, true, nullptr));
  CHECK(loads(9, Arithmetic::bf16, false, "1"));
  CHECK_FALSE(loads(9, Arithmetic::fp16, false, nullptr));  // not unless it is asked for
  CHECK_FALSE(loads(9, Arithmetic::fp16, true, "0"));
  CHECK_FALSE(loads(9, Arithmetic::fp32, true, nullptr));
  CHECK_FALSE(loads(9, Arithmetic::tf32, true, nullptr));
  CHECK_FALSE(loads(8, Arithmetic::fp16, true, "1"));   // no clusters
  CHECK_FALSE(loads(10, Arithmetic::fp16, true, "1"));  // not what these kernels were compiled for
}

TEST_CASE("fused blocks: for which maps") {
  Launch on;
  on.processors = 132;
  alignas(16) float numbers[4];
  const auto fuses = [&](const FusedPlan& plan, Shape shape, std::ptrdiff_t stride, int off = 0) {
    const View<float> map(numbers + off, shape, stride);
    return fuses_blocks<float>(on, plan, map, map);
  };
  CHECK(fuses(block17_plan, {1, 8, 8, 896}, 896));
  CHECK(fuses(block17_plan, {16, 8, 8, 896}, 1792));  // a slice of channels
  CHECK_FALSE(fuses(block17_plan, {17, 8, 8, 896}, 896));
  CHECK_FALSE(fuses(block17_plan, {1, 9, 8, 896}, 896));  // of another picture
  CHECK_FALSE(fuses(block17_plan, {1, 8, 8, 896}, 897));
  CHECK_FALSE(fuses(block17_plan, {1, 8, 8, 896}, 896, 1));
  CHECK(fuses(block35_plan, {16, 17, 17, 256}, 256));
  CHECK(fuses(block8_plan, {16, 3, 3, 1792}, 1792));
  on.processors = 4;
  CHECK_FALSE(fuses(block8_plan, {1, 3, 3, 1792}, 1792));
}

TEST_CASE("fused blocks: more images than the card has room for go layer by layer") {
  const CudaDriver driver = card(9, 8);
  const EmulatedCuda cuda(options_of(Arithmetic::fp16, true), driver);
  FusedBlocks<Last8> layer;
  layer.load(cuda, Weights::invented());
  const Shape shape{2, 3, 3, 1792};
  const std::vector<float> x = noise(shape, 5);
  Last8 plain;
  plain.load(cuda, Weights::invented());
  CHECK(on_card(cuda, layer, shape, x, false) == on_card(cuda, plain, shape, x, false));
}

TEST_CASE("fused blocks: what is compared with cuDNN goes layer by layer") {
  const CudaDriver driver = card(9, 132);
  const EmulatedCuda cuda(options_of(Arithmetic::fp16, true), driver);
  CHECK(wants_fused_blocks(cuda));
  CHECK_FALSE(wants_fused_blocks(WithCudnn<EmulatedCuda>(cuda, fake_cudnn())));
}

#endif

}  // namespace
}  // namespace wajah
