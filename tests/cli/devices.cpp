// What --device, --precision and --exact choose where there is a card, for which the host stands in.
#ifdef WAJAH_CUDA_HOST
#include "cli/devices.hpp"

#include "check.hpp"
#include "cuda_host/emulated_cuda.hpp"

#include <wajah/cpu_half.hpp>
#include <wajah/error.hpp>

#include <string>

namespace wajah::cli {
namespace {

CommonOptions options(const char* device, const char* precision = "auto", const char* exact = "rounding") {
  CommonOptions common;
  common.device = device;
  common.threads = 1;
  common.gpu_memory_fraction = 0.25;
  common.precision = precision;
  common.exact = exact;
  return common;
}

Devices choose(const CommonOptions& common, const CudaDriver& driver = host_driver()) {
  return make_devices(common, driver);
}

const CudaDriver& without_card() {
  static const CudaDriver driver = [] {
    CudaDriver changed = host_driver();
    changed.count = [](int* cards) { return *cards = 0, 0; };
    return changed;
  }();
  return driver;
}

const CudaDriver& without_memory() {
  static const CudaDriver driver = [] {
    CudaDriver changed = host_driver();
    changed.allocate = [](void**, std::size_t) { return 2; };
    return changed;
  }();
  return driver;
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

TEST_CASE("devices: auto takes a card in its arithmetic and its share of memory, and says so") {
  const Devices devices = choose(options("auto", "fp16"));
  REQUIRE(devices.cuda);
  CHECK(name_of(devices) == "cuda:0 (the host), fp16");
  CHECK(devices.why == "a card was found");
  CHECK(devices.cuda->memory().share == std::size_t{1} << 30U);
  CHECK(choose(options("auto")).cuda->launch().arithmetic == Arithmetic::fp32);
}

TEST_CASE("devices: auto takes the CPU where there is no card, or none that does what is asked, and says why") {
  const Devices none = choose(options("auto"), without_card());
  CHECK_FALSE(none.cuda);
  CHECK(none.why == "no CUDA card found");
  CHECK(name_of(none).starts_with("cpu/"));
  CHECK(contains(choose(options("auto"), without_memory()).why, "cudaMalloc on card 0: out of memory"));
  const Devices direct = choose(options("auto", "fp32", "direct"));
  CHECK_FALSE(direct.cuda);
  CHECK(direct.precision == Precision::fp32_direct);
}

TEST_CASE("devices: in int8 a card computes on bytes, and so does the CPU that stands in for it") {
  for (const char* device : {"auto", "cuda"}) {
    const Devices bytes = choose(options(device, "int8"));
    REQUIRE(bytes.cuda);
    CHECK(name_of(bytes) == "cuda:0 (the host), int8");
    CHECK(bytes.precision == Precision::int8);
    CHECK(choose(options(device, "fp16")).precision == Precision::fp32);
  }
  CHECK(choose(options("auto", "int8"), without_card()).precision == Precision::int8);
}

TEST_CASE("devices: what was asked for and cannot be had is an error") {
  CHECK_FALSE(choose(options("cpu")).cuda);
  CHECK(choose(options("cuda")).why.empty());
  CHECK_THROWS_WITH_AS((void)choose(options("cuda"), without_card()), doctest::Contains("no CUDA card found"), Error);
  CHECK_THROWS_WITH_AS((void)choose(options("cuda:3")), doctest::Contains("there is no CUDA card 3"), Error);
  CHECK_THROWS_WITH_AS((void)choose(options("cuda", "fp32", "direct")), doctest::Contains("the CPU's"), Error);
  CHECK_THROWS_WITH_AS((void)choose(options("auto", "bf16"), without_card()), doctest::Contains("needs a CUDA card"),
                       Error);
  if (has_half_arithmetic()) {
    CHECK(choose(options("auto", "fp16"), without_card()).precision == Precision::fp16);
  } else {
    CHECK_THROWS_WITH_AS((void)choose(options("auto", "fp16"), without_card()),
                         doctest::Contains("needs a CPU with AVX512-FP16 or a CUDA card, and no CUDA card"), Error);
  }
  CHECK_THROWS_AS((void)choose(options("auto", "fp8")), Error);
}

}  // namespace
}  // namespace wajah::cli
#endif
