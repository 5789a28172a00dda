// Whole networks through the CUDA kernels' sources against the CPU, on invented weights.
#include <wajah/cuda_session.hpp>
#include <wajah/networks/half.hpp>
#include <wajah/networks/mtcnn.hpp>

#include <random>

#include "check.hpp"
#include "cuda_host/emulated_cuda.hpp"

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
std::vector<float> on_cpu(Shape shape, const std::vector<float>& x) {
  const Cpu cpu;
  Session<Net, Cpu> session(std::make_shared<const Model<Net, Cpu>>(cpu, Weights::invented()));
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

TEST_CASE("cuda networks: MobileFaceNet") { check<MobileFaceNet>("MobileFaceNet", {1, 112, 112, 3}, 2e-5); }

TEST_CASE("cuda networks: Inception-ResNet-v1") {
  check<InceptionResnetV1>("Inception-ResNet-v1", {1, 160, 160, 3}, 1e-4);
}

TEST_CASE("cuda networks: Inception-ResNet-v1 with its residual blocks fused") {
  CudaDriver driver = host_driver();
  driver.describe = [](int, CudaFacts* facts) {
    return *facts = {"the host", 9, 0, 132, std::size_t{4} << 30U, std::size_t{4} << 30U}, 0;
  };
  CudaOptions options;
  options.memory_fraction = 1;
  options.arithmetic = Arithmetic::fp16;
  options.fused_blocks = true;
  check_on<InceptionResnetV1>(EmulatedCuda(options, driver), "Inception-ResNet-v1 fused", {1, 160, 160, 3}, 1e-2);
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
