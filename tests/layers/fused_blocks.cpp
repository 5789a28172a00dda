// Residual blocks in one launch against the same layers one by one on the CPU in fp32.
#include <wajah/cudnn.hpp>
#include <wajah/networks/fused.hpp>
#include <wajah/networks/mobilefacenet.hpp>

#include <random>

#include "check.hpp"
#ifdef WAJAH_CUDA_HOST
#include "cuda_host/emulated_cuda.hpp"
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

// A card of Hopper's, of so many multiprocessors.
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

// The largest difference as a share of the largest number.
double error_of(const std::vector<float>& got, const std::vector<float>& expected) {
  double largest = 0, worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(got[i])) return INFINITY;
    largest = std::max(largest, std::abs(double{expected[i]}));
    worst = std::max(worst, std::abs(double{got[i]} - expected[i]));
  }
  return worst / largest;
}

// fp16 keeps 10 bits of what is multiplied, bf16 7; x itself stays float32.
constexpr double fp16_tolerance = 1e-3, bf16_tolerance = 8e-3;

template <class Layer>
void check(const char* name, Shape image, int images, Arithmetic arithmetic, bool in_place = false) {
  const CudaDriver driver = card(9, 132);
  const EmulatedCuda cuda(options_of(arithmetic, true), driver);
  const Shape shape = image.images(images);
  const std::vector<float> x = noise(shape, 3);
  FusedBlocks<Layer> layer;
  layer.load(cuda, Weights::invented());
  REQUIRE(layer.packed.weights.size() > 0);
  const std::vector<float> expected = on_cpu<Layer>(shape, x);
  const double error = error_of(on_card(cuda, layer, shape, x, in_place), expected);
  const double tolerance = arithmetic == Arithmetic::bf16 ? bf16_tolerance : fp16_tolerance;
  CHECK_MESSAGE(error <= tolerance, name << " in " << name_of(arithmetic) << ": differs by " << error
                                         << " of the largest number, expected at most " << tolerance);
  CHECK_MESSAGE(error > 0, name << ": nothing was rounded");
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

#endif

}  // namespace
}  // namespace wajah
