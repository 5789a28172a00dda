// Whole networks through the CUDA kernels' sources against the CPU, on invented weights.
#include <wajah/cuda_session.hpp>
#include <wajah/networks/mtcnn.hpp>
#include <wajah/networks/on_card.hpp>
#include <wajah/seen_ranges.hpp>

#include <random>

#include "check.hpp"
#include "cli/random_weights.hpp"
#include "cuda_host/emulated_cuda.hpp"
#include "cuda_host/fusing_card.hpp"

namespace wajah {
namespace {

std::vector<float> noise(Shape shape) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> number(-1, 1);
  std::vector<float> values(shape.size());
  for (float& value : values) value = number(random);
  return values;
}

template <class Net>
std::vector<float> on_cpu(Shape shape, const std::vector<float>& x, const Cpu& cpu = Cpu(),
                          const Weights& weights = Weights::invented()) {
  Session<Net, Cpu> session(std::make_shared<const Model<Net, Cpu>>(cpu, weights));
  const View<float> y = session.forward({x.data(), shape});
  return {y.data, y.data + y.shape.size()};
}

// The largest difference may be `tolerance` of the largest number: what sums of thousands of products in another order
// give, layer after layer.
void check_near(const char* name, std::span<const float> got, std::span<const float> expected, double tolerance) {
  double largest = 0;
  for (const float value : expected) largest = std::max(largest, std::abs(double{value}));
  check_close(name, got, expected, {tolerance * largest, 0});
}

template <class Net, class Device>
void check_on(const Device& device, const char* name, Shape shape, double tolerance) {
  const std::vector<float> x = noise(shape);
  const std::vector<float> expected = on_cpu<Net>(shape, x);
  std::vector<float> y(expected.size(), -1);
  with_form_on_card<Net>(device.launch().arithmetic, [&]<class Form>() {
    CudaSession<Form, Device> session(std::make_shared<const Model<Form, Device>>(device, Weights::invented()));
    session.forward({x.data(), shape}, {y.data(), Net::out(shape)});
  });
  check_near(name, y, expected, tolerance);
}

double cosine_of(std::span<const float> a, std::span<const float> b) {
  double products = 0, first = 0, second = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    products += double{a[i]} * b[i];
    first += double{a[i]} * a[i];
    second += double{b[i]} * b[i];
  }
  return products / std::sqrt(first * second);
}

// On bytes, against the CPU's with as many steps, and against its float32. Sums of bytes are exact, but a float that
// differs in its last bit may become another byte, a step away, and what follows then rounds otherwise throughout: two
// such runs lie as far apart as either does from float32, whether the bit moved in the input of one device or by going
// to another one (docs/cuda.md has the figures). The tolerances are two to three times that distance. Sharper is how
// far the cosine to float32 falls: a card may lose half as much again as the CPU does.
template <class Net, class Device>
void check_bytes_on(const Device& device, const char* name, Shape shape, double tolerance) {
  const std::vector<float> x = noise(shape);
  const ConstView<float> view(x.data(), shape);
  const Weights random = cli::random_weights<Net>(shape.images(1), cli::calm_spread);
  const Weights weights = with_ranges(with_ranges_seen_on<Net, OnBytes<Net>>(random, Cpu(), view));
  std::vector<float> y(Net::out(shape).size(), -1);
  CudaSession<OnBytes<Net>, Device> session(std::make_shared<const Model<OnBytes<Net>, Device>>(device, weights));
  session.forward(view, {y.data(), Net::out(shape)});
  const std::vector<float> bytes = on_cpu<OnBytes<Net>>(shape, x, Cpu(1, Isa::scalar), weights);
  const std::vector<float> exact = on_cpu<Net>(shape, x, Cpu(), weights);
  check_near(name, y, bytes, tolerance);
  const double of_card = 1 - cosine_of(y, exact), of_cpu = 1 - cosine_of(bytes, exact);
  CHECK_MESSAGE(of_card <= 1.5 * of_cpu, name << ": 1 - cosine to float32 " << of_card << ", the CPU's " << of_cpu);
  CHECK_MESSAGE(of_cpu < 1e-3, name << ": 1 - cosine to float32 " << of_cpu);
  CHECK_MESSAGE(of_card > 1e-7, name << ": bytes cannot be exact");
}

template <class Device>
void check_both_on_bytes(const Device& device, int images) {
  check_bytes_on<MobileFaceNet>(device, "MobileFaceNet int8", {images, 112, 112, 3}, 0.03);
  check_bytes_on<InceptionResnetV1>(device, "Inception-ResNet-v1 int8", {images, 160, 160, 3}, 0.01);
}

template <class Net>
void check(const char* name, Shape shape, double tolerance, Arithmetic arithmetic = Arithmetic::fp32) {
  check_on<Net>(EmulatedCuda(arithmetic), name, shape, tolerance);
}

TEST_CASE("cuda networks: P-Net, R-Net and O-Net") {
  check<PNet>("P-Net", {1, 41, 60, 3}, 1e-5);
  check<PNet>("P-Net's smallest", {1, 12, 12, 3}, 1e-5);
  check<RNet>("R-Net", {5, 24, 24, 3}, 1e-5);
  check<ONet>("O-Net", {3, 48, 48, 3}, 1e-5);
}

TEST_CASE("cuda networks: on the tensor cores, in every format") {
  check<PNet>("P-Net tf32", {1, 41, 60, 3}, 2e-3, Arithmetic::tf32);
  check<RNet>("R-Net tf32", {5, 24, 24, 3}, 2e-3, Arithmetic::tf32);
  check<ONet>("O-Net fp16", {3, 48, 48, 3}, 2e-3, Arithmetic::fp16);
  check<ONet>("O-Net bf16", {3, 48, 48, 3}, 2e-2, Arithmetic::bf16);
}

TEST_CASE("cuda networks: MobileFaceNet on maps of 16 bits") {
  check<MobileFaceNet>("MobileFaceNet fp16", {1, 112, 112, 3}, 2e-3, Arithmetic::fp16);
  check<MobileFaceNet>("MobileFaceNet bf16", {1, 112, 112, 3}, 2e-2, Arithmetic::bf16);
}

TEST_CASE("cuda networks: Inception-ResNet-v1 on maps of 16 bits") {
  check<InceptionResnetV1>("Inception-ResNet-v1 fp16", {1, 160, 160, 3}, 2e-3, Arithmetic::fp16);
  check<InceptionResnetV1>("Inception-ResNet-v1 bf16", {1, 160, 160, 3}, 2e-2, Arithmetic::bf16);
}

TEST_CASE("cuda networks: both that embed on bytes") { check_both_on_bytes(EmulatedCuda(Arithmetic::int8), 2); }

TEST_CASE("cuda networks: MobileFaceNet") { check<MobileFaceNet>("MobileFaceNet", {1, 112, 112, 3}, 2e-5); }

TEST_CASE("cuda networks: Inception-ResNet-v1") {
  check<InceptionResnetV1>("Inception-ResNet-v1", {1, 160, 160, 3}, 1e-4);
}

TEST_CASE("cuda networks: Inception-ResNet-v1 with its residual blocks fused") {
  check_on<InceptionResnetV1>(fusing_card(), "Inception-ResNet-v1 fused", {1, 160, 160, 3}, 1e-2);
}

// With so few multiprocessors that the large layers of one image keep them busy.
TEST_CASE("cuda networks: Inception-ResNet-v1 by warpgroups") {
  CudaOptions options;
  options.memory_fraction = 1;
  options.arithmetic = Arithmetic::fp16;
  options.warpgroup_products = true;
  const EmulatedCuda cuda(options, host_driver());
  REQUIRE((cuda.launch().make_tensor_map != nullptr));
  check_on<InceptionResnetV1>(cuda, "Inception-ResNet-v1 by warpgroups", {1, 160, 160, 3}, 2e-3);
}

#ifdef WAJAH_HAVE_CUDA
// What compute-sanitizer watches: all five once in each format, with what is off unless asked for.
TEST_CASE("on a card, small: all five networks, with fused blocks and products of warpgroups") {
  if (const auto reason = why_not_cuda(0)) {
    MESSAGE("skipped: " << *reason);
    return;
  }
  for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::tf32, Arithmetic::fp16}) {
    CudaOptions options{0, 0.1, arithmetic};
    options.patience = std::chrono::minutes(10);  // a sanitizer takes its time
    options.fused_blocks = options.warpgroup_products = true;
    const Cuda card(options);
    const double tolerance = arithmetic == Arithmetic::fp32 ? 1e-4 : 1e-2;
    check_on<PNet>(card, "P-Net", {1, 41, 60, 3}, tolerance);
    check_on<RNet>(card, "R-Net", {5, 24, 24, 3}, tolerance);
    check_on<ONet>(card, "O-Net", {3, 48, 48, 3}, tolerance);
    check_on<MobileFaceNet>(card, "MobileFaceNet", {1, 112, 112, 3}, tolerance);
    check_on<InceptionResnetV1>(card, "Inception-ResNet-v1", {1, 160, 160, 3}, tolerance);
    // So many that the large layers' tiles are more than multiprocessors, which takes them to warpgroups.
    if (arithmetic == Arithmetic::fp16) {
      check_on<InceptionResnetV1>(card, "Inception-ResNet-v1 by warpgroups", {4, 160, 160, 3}, tolerance);
    }
  }
  CudaOptions options{0, 0.1, Arithmetic::int8};
  options.patience = std::chrono::minutes(10);
  check_both_on_bytes(Cuda(options), 1);
}

// The same for real: ./test --gpu.
TEST_CASE("on a card: whole networks, in every format and several batches") {
  if (const auto reason = why_not_cuda(0)) {
    MESSAGE("skipped: " << *reason);
    return;
  }
  for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::tf32, Arithmetic::fp16, Arithmetic::bf16}) {
    const Cuda card({0, 0.1, arithmetic});
    CudaOptions fusing{0, 0.1, arithmetic};
    fusing.fused_blocks = true;
    CudaOptions by_warpgroups{0, 0.1, arithmetic};
    by_warpgroups.warpgroup_products = true;
    const bool exact = arithmetic == Arithmetic::fp32;
    const double tolerance = arithmetic == Arithmetic::bf16 ? 1e-1 : 1e-2;
    for (const int images : {1, 2, 17, 64}) {
      check_on<PNet>(card, "P-Net", {images, 41, 60, 3}, exact ? 1e-5 : tolerance);
      check_on<RNet>(card, "R-Net", {images, 24, 24, 3}, exact ? 1e-5 : tolerance);
      check_on<ONet>(card, "O-Net", {images, 48, 48, 3}, exact ? 1e-5 : tolerance);
    }
    for (const int images : {1, 9}) {
      check_on<MobileFaceNet>(card, "MobileFaceNet", {images, 112, 112, 3}, exact ? 2e-5 : tolerance);
      const Shape faces{images, 160, 160, 3};
      check_on<InceptionResnetV1>(card, "Inception-ResNet-v1", faces, exact ? 1e-4 : tolerance);
      check_on<InceptionResnetV1>(Cuda(fusing), "Inception-ResNet-v1 fused", faces, exact ? 1e-4 : tolerance);
    }
    check_on<InceptionResnetV1>(Cuda(by_warpgroups), "Inception-ResNet-v1 by warpgroups", {64, 160, 160, 3},
                                exact ? 1e-4 : tolerance);
  }
  for (const int images : {1, 9}) check_both_on_bytes(Cuda({0, 0.1, Arithmetic::int8}), images);
}
#endif

TEST_CASE("cuda networks: a session keeps a graph a shape, and begins anew when memory moves") {
  const EmulatedCuda cuda;
  CudaSession<RNet, EmulatedCuda> session(std::make_shared<const Model<RNet, EmulatedCuda>>(cuda, Weights::invented()));
  const Shape most{3, 24, 24, 3};
  const std::vector<float> x = noise(most);
  const std::vector<float> expected = on_cpu<RNet>(most, x);
  const auto run = [&](int images) {
    std::vector<float> y(static_cast<std::size_t>(images) * 6);
    session.forward({x.data(), most.images(images)}, {y.data(), {images, 1, 1, 6}});
    check_near("R-Net again", y, std::span(expected).first(y.size()), 1e-5);
    return session.graphs();
  };
  CHECK(run(2) == 1);
  CHECK(run(1) == 2);
  CHECK(run(2) == 2);
  CHECK(run(3) == 1);
  CHECK(run(0) == 1);
  CHECK(run(3) == 1);
}

}  // namespace
}  // namespace wajah
