// What wajah asks of cuDNN, by one on the host that computes what it is told (tests/layers/conv2d.cpp has the shapes),
// and by the library itself as far as that goes without a card.
#include <wajah/cuda_session.hpp>
#include <wajah/error.hpp>
#include <wajah/networks/mtcnn.hpp>

#include <cstdlib>
#include <random>

#include "../../src/cuda/cudnn_graph.hpp"
#include "check.hpp"
#include "cuda_host/emulated_cudnn.hpp"

namespace wajah {
namespace {

using Device = WithCudnn<EmulatedCuda>;

// A convolution of 16 channels to 16, and what is to be seen of it.
struct Trial {
  explicit Trial(const Device& on, Epilogue end = {}) : device(on) {
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 0.01F * static_cast<float>(i % 17);
    packed = pack_conv2d(device, Conv2dWeights{16, 16, {3, 3}, weights.data(), biases.data(), {}});
    x = device.uploaded(input.data(), input.size() * sizeof(float));
    y = device.allocate(bytes_of(shape));
    args = {{x.as<float>(), shape},    {y.as<float>(), shape},          {3, 3}, Pad::same, packed.weights.as<float>(),
            packed.biases.as<float>(), {ActivationKind::relu, nullptr}, end};
  }
  [[nodiscard]] float first() const {
    float number = 0;
    device.download(&number, y.as<>(), sizeof number);
    return number;
  }

  Device device;
  Shape shape{2, 5, 5, 16};
  std::vector<float> weights = std::vector<float>(std::size_t{9} * 16 * 16), biases = std::vector<float>(16, 0.5F),
                     input = std::vector<float>(shape.size(), 1);
  PackedConv2d packed;
  Buffer x, y;
  Conv2dArgs args;
};

TEST_CASE("cuDNN: plans are made once a shape, and nothing is left behind") {
  fake_cudnn_state() = {};
  {
    const Trial trial(emulated_cudnn(Arithmetic::fp32));
    for (int round = 0; round < 3; ++round) conv2d(trial.device, trial.args);
    CHECK(fake_cudnn_state().executed == 3);
    CHECK(trial.device.plans().count().whole == 1);
    CHECK(trial.device.plans().count().sums == 0);
    const int planned = fake_cudnn_state().planned;
    Conv2dArgs smaller = trial.args;
    smaller.x = smaller.x.images(0, 1);
    smaller.y = smaller.y.images(0, 1);
    conv2d(trial.device, smaller);
    CHECK(fake_cudnn_state().planned > planned);
    CHECK(trial.device.plans().count().whole == 2);
  }
  CHECK(fake_cudnn_state().alive == 0);
}

TEST_CASE("cuDNN: plans that round, that differ from run to run or that need too much scratch are passed over") {
  for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::tf32, Arithmetic::fp16, Arithmetic::bf16}) {
    fake_cudnn_state() = {};
    const Trial trial(emulated_cudnn(arithmetic));
    conv2d(trial.device, trial.args);
    CHECK(fake_cudnn_state().last_engine == (arithmetic == Arithmetic::fp32 ? plain_engine : tensor_cores));
  }
}

TEST_CASE("cuDNN: what it does not offer as a whole, wajah's kernel ends; what it does not offer at all is an error") {
  fake_cudnn_state() = {};
  const Trial whole(emulated_cudnn(Arithmetic::fp32));
  conv2d(whole.device, whole.args);
  fake_cudnn_state().refuses_whole = true;
  const Trial sums(emulated_cudnn(Arithmetic::fp32));
  conv2d(sums.device, sums.args);
  CHECK(sums.device.plans().count().whole == 0);
  CHECK(sums.device.plans().count().sums == 1);
  CHECK(sums.first() == doctest::Approx(whole.first()));
  fake_cudnn_state().refuses_all = true;
  const Trial none(emulated_cudnn(Arithmetic::fp32));
  CHECK_THROWS_WITH_AS(conv2d(none.device, none.args),
                       "cuDNN 90000 has no plan for a 3x3/1 convolution of 2x5x5x16 to 16 channels (not supported); "
                       "use --cuda-conv own",
                       Error);
}

TEST_CASE("cuDNN: a captured graph computes again, on whatever its input holds then") {
  for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::fp16}) {
    fake_cudnn_state() = {};
    const Trial trial(emulated_cudnn(arithmetic));
    conv2d(trial.device, trial.args);
    const float before = trial.first();
    const CudaGraph graph = trial.device.capture([&] { conv2d(trial.device, trial.args); });
    CHECK(fake_cudnn_state().executed == 1);
    const std::vector<float> doubled(trial.input.size(), 2);
    trial.device.upload(trial.x.as<>(), doubled.data(), doubled.size() * sizeof(float));
    graph.launch();
    CHECK(fake_cudnn_state().executed == 2);
    CHECK(trial.first() == doctest::Approx(2 * (before - 0.5F) + 0.5F).epsilon(1e-3));
  }
}

template <class Net, class On>
std::vector<float> compute(const On& device, Shape shape, const std::vector<float>& x) {
  CudaSession<Net, On> session(std::make_shared<const Model<Net, On>>(device, Weights::invented()));
  std::vector<float> y(Net::out(shape).size());
  for (int round = 0; round < 2; ++round) session.forward({x.data(), shape}, {y.data(), Net::out(shape)});
  return y;
}

TEST_CASE("cuDNN: whole networks, by graph, against wajah's kernels") {
  fake_cudnn_state() = {};
  std::mt19937 random(9);
  std::uniform_real_distribution<float> number(-1, 1);
  const auto check = [&]<class Net>(const char* name, Shape shape) {
    std::vector<float> x(shape.size());
    for (float& value : x) value = number(random);
    check_close(name, compute<Net>(emulated_cudnn(Arithmetic::fp32), shape, x),
                compute<Net>(EmulatedCuda(Arithmetic::fp32), shape, x), {1e-5, 1e-5});
  };
  check.template operator()<PNet>("P-Net", {1, 30, 41, 3});
  check.template operator()<RNet>("R-Net", {3, 24, 24, 3});
  CHECK(fake_cudnn_state().executed > 0);
}

TEST_CASE("cuDNN: absent, it is an error that says what was looked for and what to do") {
  CHECK_THROWS_WITH_AS((void)open_cudnn("libcudnn-that-is-not.so.9"),
                       doctest::Contains("--cuda-conv cudnn: libcudnn-that-is-not.so.9 cannot be opened"), Error);
  CHECK_THROWS_WITH_AS((void)open_cudnn("libcudnn-that-is-not.so.9"), doctest::Contains("use --cuda-conv own"), Error);
  CHECK_THROWS_WITH_AS((void)open_cudnn("libc.so.6"), doctest::Contains("libc.so.6 has no cudnnCreate"), Error);
}

// WAJAH_CUDNN names the library where it is not on the linker's path. cuDNN finishes no descriptor on a machine without
// NVIDIA's driver, because it then cannot load its parts.
TEST_CASE("cuDNN: the library itself has the symbols, and takes the graph where there is a driver") {
  const char* const set = std::getenv("WAJAH_CUDNN");
  CudnnDriver driver{};
  try {
    driver = open_cudnn(set != nullptr ? set : "libcudnn.so.9");
  } catch (const Error& error) {
    MESSAGE("skipped: " << std::string(error.what()));
    return;
  }
  CHECK(driver.version() >= 90000);
  void* handle = nullptr;
  if (const int status = driver.create(&handle); status != cudnn::success) {
    CHECK(handle == nullptr);
    MESSAGE("the graph was skipped: cudnnCreate says " << std::string(driver.explain(status)));
    return;
  }
  CudnnConv conv;
  conv.x = {{2, 16, 5, 5}, 16, 16, cudnn::half};
  conv.w = {{16, 16, 3, 3}, 16, 16, cudnn::half};
  conv.y = conv.add = {{2, 16, 5, 5}, 16, 16, cudnn::float32};
  conv.b = {{1, 16, 1, 1}, 16, 16, cudnn::float32};
  conv.strides = conv.before = conv.behind = {1, 1};
  conv.has_add = conv.whole = true;
  conv.activation = ActivationKind::relu6;
  CHECK_NOTHROW(CudnnGraph(driver, handle, conv));
  CHECK(driver.destroy(handle) == cudnn::success);
}

}  // namespace
}  // namespace wajah
