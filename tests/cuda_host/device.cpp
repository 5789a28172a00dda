// The device Cuda with the host as its card: memory, copies, graphs, and what it says when a call fails.
#include <wajah/error.hpp>
#include <wajah/layers/avg_pool2d.hpp>
#include <wajah/layers/depthwise_conv2d_int8.hpp>
#include <wajah/layers/hard_swish.hpp>
#include <wajah/layers/max_pool2d.hpp>
#include <wajah/layers/max_pool2d_int8.hpp>
#include <wajah/layers/softmax.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <numeric>
#include <thread>

#include "check.hpp"
#include "cuda_host/emulated_cuda.hpp"

namespace wajah {
namespace {

TEST_CASE("Cuda: what goes up comes down, in pieces of the staging memory") {
  const EmulatedCuda cuda;
  std::vector<int> numbers(5'000'000), back(numbers.size());
  std::iota(numbers.begin(), numbers.end(), 7);
  const Buffer buffer = cuda.uploaded(numbers.data(), numbers.size() * sizeof(int));
  cuda.download(back.data(), buffer.as<>(), numbers.size() * sizeof(int));
  CHECK(back == numbers);
}

TEST_CASE("Cuda: the share of memory is a hard limit, and what is given back can be used again") {
  CudaDriver driver = host_driver();
  driver.describe = [](int, CudaFacts* facts) {
    return *facts = {"small", 9, 0, 1, std::size_t{64} << 20U, std::size_t{60} << 20U}, 0;
  };
  const Cuda cuda({0, 0.5, Arithmetic::fp32}, driver);
  CHECK(cuda.memory().share == std::size_t{32} << 20U);
  const std::size_t before = cuda.memory().used;
  for (int round = 0; round < 20; ++round) {
    std::vector<Buffer> buffers;
    for (std::size_t i = 0; i < 10; ++i) buffers.push_back(cuda.allocate((i + 1) * 100'000));
    if (round % 2 == 0) std::swap(buffers[2], buffers[7]);
  }
  CHECK(cuda.memory().used == before);
  CHECK(cuda.memory().peak <= cuda.memory().share);
  const Buffer most = cuda.allocate(std::size_t{24} << 20U);
  CHECK_THROWS_WITH_AS((void)cuda.allocate(std::size_t{16} << 20U),
                       doctest::Contains("engine.gpu.memory_fraction allows are in use"), Error);
}

TEST_CASE("Cuda: memory outlives the device value it came from") {
  Buffer buffer;
  {
    const EmulatedCuda cuda;
    buffer = cuda.allocate(1000);
  }
  buffer.as<float>()[249] = 1;
  buffer = {};
}

TEST_CASE("Cuda: a captured graph computes again what it computed, on whatever its input holds then") {
  const EmulatedCuda cuda;
  const Shape shape{1, 3, 3, 8};
  const Buffer x = cuda.allocate(bytes_of(shape)), y = cuda.allocate(bytes_of(shape));
  const auto fill = [&](float value) {
    const std::vector<float> values(shape.size(), value);
    cuda.upload(x.as<>(), values.data(), values.size() * sizeof(float));
  };
  fill(1);
  const CudaGraph graph = cuda.capture([&] {
    hard_swish(cuda, HardSwishArgs{{x.as<float>(), shape}, {y.as<float>(), shape}});
    hard_swish(cuda, HardSwishArgs{{y.as<float>(), shape}, {y.as<float>(), shape}});
  });
  CHECK(std::isnan(y.as<float>()[0]));  // capturing computes nothing
  const auto twice = [](float v) {
    for (int i = 0; i < 2; ++i) v = v * std::clamp(v + 3, 0.0F, 6.0F) / 6;
    return v;
  };
  for (const float value : {1.0F, 2.0F, 5.0F}) {
    fill(value);
    graph.launch();
    CHECK(y.as<float>()[71] == doctest::Approx(twice(value)));
  }
  CHECK_THROWS_AS((void)cuda.capture([&] { fill(3); }), Error);
  fill(1);  // and the stream is whole afterwards
}

TEST_CASE("Cuda: a variable of the environment says 0 or 1, or is refused by name") {
  for (const char* variable :
       {"WAJAH_CUDA_DEPENDENT_LAUNCH", "WAJAH_CUDA_FUSED_BLOCKS", "WAJAH_CUDA_WARPGROUP_PRODUCTS"}) {
    for (const char* value : {"yes", "", "01", "2"}) {
      ::setenv(variable, value, 1);
      const std::string expected = fmt::format("{}='{}': expected 0 or 1", variable, value);
      CHECK_THROWS_WITH_AS(EmulatedCuda(), expected.c_str(), Error);
    }
    ::unsetenv(variable);
  }
}

TEST_CASE("Cuda: streams of their own share the memory") {
  const EmulatedCuda cuda;
  const Cuda other = cuda.on_own_stream();
  CHECK(other.launch().stream != cuda.launch().stream);
  CHECK(other.memory().share == cuda.memory().share);
}

std::string error_with(void (*change)(CudaDriver&)) {
  static std::vector<std::unique_ptr<CudaDriver>> drivers;  // a Cuda's driver outlives it
  CudaDriver& driver = *drivers.emplace_back(std::make_unique<CudaDriver>(host_driver()));
  change(driver);
  try {
    const Cuda cuda({}, driver);
    (void)cuda.uploaded("1234", 4);
  } catch (const Error& error) {
    CHECK(of_device(error.kind()));
    return error.what();
  }
  return "no error";
}

TEST_CASE("Cuda: errors name the call, the card and a hint") {
  CHECK(error_with([](CudaDriver&) {}) == "no error");
  CHECK(error_with([](CudaDriver& d) { d.count = [](int* cards) { return *cards = 0, 0; }; }) ==
        "--device cuda:0: no CUDA card found; use --device cpu");
  CHECK(error_with([](CudaDriver& d) {
          d.describe = [](int, CudaFacts* f) { return *f = {"Tesla P100", 6, 0, 56, 1, 1}, 0; };
        }) ==
        "--device cuda:0: card 0 (Tesla P100) has compute capability 6.0, the kernels need 8.0; use --device cpu");
  const std::string memory = error_with([](CudaDriver& d) { d.allocate = [](void**, std::size_t) { return 2; }; });
  CHECK_MESSAGE(memory.starts_with("cudaMalloc on card 0: out of memory; 2048 MB asked; lower engine.gpu"), memory);
  const std::string lost = error_with([](CudaDriver& d) { d.query = [](void*, bool*) { return 1; }; });
  CHECK_MESSAGE(lost.starts_with("cudaStreamQuery on card 0: wrong use; if the card was lost"), lost);
  CHECK_THROWS_WITH_AS(Cuda({3, 0.5}, host_driver()), doctest::Contains("there is no CUDA card 3: this machine has 1"),
                       Error);
  CHECK_THROWS_WITH_AS(Cuda({0, 1.5}, host_driver()), doctest::Contains("memory_fraction: 1.5"), Error);
}

ErrorKind kind_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::input;
}

TEST_CASE("Cuda: want of memory is told apart from a card that fails, and takes nothing with it") {
  static int streams, failing;
  CudaDriver driver = host_driver();
  driver.make_stream = [](void** stream) { return ++streams, host_driver().make_stream(stream); };
  driver.end_stream = [](void* stream) { return --streams, host_driver().end_stream(stream); };
  driver.allocate_pinned = [](void** memory, std::size_t bytes) {
    return failing != 0 ? failing : host_driver().allocate_pinned(memory, bytes);
  };
  driver.describe = [](int, CudaFacts* facts) {
    return *facts = {"small", 9, 0, 1, std::size_t{64} << 20U, std::size_t{60} << 20U}, 0;
  };
  streams = failing = 0;
  const Cuda cuda({0, 1.0}, driver);
  const std::size_t used = cuda.memory().used;
  CHECK(kind_of([&] { (void)cuda.allocate(std::size_t{65} << 20U); }) == ErrorKind::device_memory);
  failing = 2;
  CHECK(kind_of([&] { (void)cuda.on_own_stream(); }) == ErrorKind::device_memory);
  failing = 1;
  CHECK(kind_of([&] { (void)cuda.on_own_stream(); }) == ErrorKind::device);
  CHECK(streams == 1);
  CHECK(cuda.memory().used == used);
}

std::atomic<bool> silent;
std::atomic<int> asked, given_back;

// A driver that says nothing of what was launched while `silent`, and counts what it is given back.
const CudaDriver& hanging_driver() {
  static const CudaDriver driver = [] {
    CudaDriver hanging = host_driver();
    hanging.query = [](void* stream, bool* done) {
      const int error = host_driver().query(stream, done);
      ++asked;
      if (silent) *done = false;
      return error;
    };
    hanging.release = [](void* memory) { return ++given_back, host_driver().release(memory); };
    hanging.release_pinned = [](void* memory) { return ++given_back, host_driver().release_pinned(memory); };
    hanging.end_stream = [](void* stream) { return ++given_back, host_driver().end_stream(stream); };
    hanging.end_graph = [](void* graph) { return ++given_back, host_driver().end_graph(graph); };
    return hanging;
  }();
  silent = false;
  asked = given_back = 0;
  return driver;
}

Cuda impatient_cuda() {
  CudaOptions options;
  options.patience = std::chrono::milliseconds(50);
  return Cuda(options, hanging_driver());
}

TEST_CASE("Cuda: a card that does not answer is lost for all who share it, and keeps what it may still write to") {
  {
    const Cuda cuda = impatient_cuda(), other = cuda.on_own_stream();
    const Buffer buffer = cuda.allocate(64);
    const CudaGraph graph = cuda.capture([] {});
    silent = true;
    CHECK_THROWS_WITH_AS(cuda.wait(), doctest::Contains("card 0: the card has not answered for 0.05 s"), Error);
    silent = false;
    asked = 0;
    float number = 0;
    for (const auto& work : std::vector<std::function<void()>>{
             [&] { other.wait(); }, [&] { other.upload(buffer.as<>(), &number, sizeof number); },
             [&] { other.download(&number, buffer.as<>(), sizeof number); }, [&] { graph.launch(); },
             [&] { (void)cuda.allocate(1); }, [&] { (void)cuda.on_own_stream(); }, [&] { (void)cuda.launch(); }}) {
      CHECK(kind_of(work) == ErrorKind::device);
    }
    CHECK(asked == 0);
  }
  CHECK(given_back == 0);
}

TEST_CASE("Cuda: its end waits for a silent card no longer than anything else, and gives back all of another") {
  {
    const Cuda cuda = impatient_cuda();
    silent = true;
  }
  CHECK(asked > 1);
  CHECK(given_back == 0);
  { const Cuda cuda = impatient_cuda(); }
  CHECK(given_back == 3);  // stream, staging, memory
}

TEST_CASE("Cuda: what is slow is waited for") {
  const Cuda cuda = impatient_cuda();
  silent = true;
  const std::jthread later([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    silent = false;
  });
  cuda.wait();
  CHECK(asked > 1);
}

// Comparing tests pass where an operation has no CUDA kernel; these have one.
TEST_CASE("Cuda: the layers' kernels are there") {
  CHECK((&cuda_host::conv2d != nullptr));
  CHECK((&cuda_host::conv2d_int8 != nullptr));
  CHECK((&cuda_host::depthwise_conv2d != nullptr));
  CHECK((&cuda_host::depthwise_conv2d_int8 != nullptr));
  CHECK((&cuda_host::global_avg_pool != nullptr));
  CHECK((&cuda_host::hard_swish != nullptr));
  CHECK((&cuda_host::max_pool2d != nullptr));
  CHECK((&cuda_host::max_pool2d_int8 != nullptr));
  CHECK((&cuda_host::quantise != nullptr));
  CHECK((&cuda_host::softmax != nullptr));
}

TEST_CASE("Cuda: a device is chosen by text") {
  CHECK(parse_device("auto").kind == DeviceChoice::Kind::automatic);
  CHECK(parse_device("cpu").kind == DeviceChoice::Kind::cpu);
  CHECK(parse_device("cuda").kind == DeviceChoice::Kind::cuda);
  CHECK(parse_device("cuda:2").card == 2);
  for (const char* wrong : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda1"}) {
    CHECK_THROWS_AS((void)parse_device(wrong), Error);
  }
}

}  // namespace
}  // namespace wajah
