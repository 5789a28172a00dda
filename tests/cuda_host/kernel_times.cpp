// Times by kernel: which launches a forward pass becomes, what each has to do, and what is said of it.
#include <wajah/describe.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/mtcnn.hpp>
#include <wajah/networks/on_card.hpp>

#include <algorithm>
#include <numeric>

#include "check.hpp"
#include "cli/kernel_report.hpp"
#include "cuda_host/emulated_cuda.hpp"
#include "cuda_host/fusing_card.hpp"
#include "cuda_host/host_clock.hpp"

namespace wajah::cli {
namespace {

template <class Net>
std::size_t macs_of(Shape shape) {
  std::size_t macs = 0;
  for (const LayerInfo& layer : describe<Net>(shape)) macs += layer.macs;
  return macs;
}

template <class Net>
std::vector<KernelSum> sums_of(const EmulatedCuda& cuda, Shape shape, const ClockDriver& driver = host_clock()) {
  const Model<Net, EmulatedCuda> model(cuda, Weights::invented());
  return time_kernels(model.net(), cuda, shape, 1, driver);
}

std::size_t launches_in(const std::vector<KernelSum>& sums) {
  return std::accumulate(sums.begin(), sums.end(), std::size_t{0},
                         [](std::size_t n, const KernelSum& sum) { return n + sum.launches; });
}

// Every multiply-add of the network is some kernel's, and the time is that of the invented clock.
void check_sums(const std::vector<KernelSum>& sums, std::size_t macs) {
  std::size_t found = 0;
  for (const KernelSum& sum : sums) {
    found += sum.macs;
    CHECK(sum.ms == doctest::Approx(host_clock_ms * static_cast<double>(sum.blocks)));
    CHECK(sum.bytes > 0);
  }
  CHECK(found == macs);
  CHECK(std::ranges::is_sorted(sums, std::ranges::greater{}, &KernelSum::ms));
}

TEST_CASE("kernel times: names, launches and work of the detector's networks") {
  const EmulatedCuda cuda;
  const std::vector<KernelSum> pnet = sums_of<PNet>(cuda, {1, 41, 60, 3});
  check_sums(pnet, macs_of<PNet>({1, 41, 60, 3}));
  const auto of = [&](const char* name) { return std::ranges::find(pnet, name, &KernelSum::kernel); };
  REQUIRE((of("conv2d") != pnet.end() && of("max_pool2d") != pnet.end() && of("softmax") != pnet.end()));
  CHECK(of("conv2d")->launches == 5);
  CHECK(of("max_pool2d")->launches == 1);
  CHECK(of("max_pool2d")->bytes == sizeof(float) * 10 * (39 * 58 + 20 * 29));
  CHECK(of("softmax")->launches == 1);
  check_sums(sums_of<RNet>(cuda, {5, 24, 24, 3}), macs_of<RNet>({5, 24, 24, 3}));
  check_sums(sums_of<ONet>(EmulatedCuda(Arithmetic::tf32), {3, 48, 48, 3}), macs_of<ONet>({3, 48, 48, 3}));
}

TEST_CASE("kernel times: of MobileFaceNet on maps of 16 bits, and in float32") {
  constexpr Shape face{1, 112, 112, 3};
  const std::vector<KernelSum> halves = sums_of<MobileFaceNetHalf>(EmulatedCuda(Arithmetic::fp16), face);
  check_sums(halves, macs_of<MobileFaceNet>(face));
  const std::vector<KernelSum> floats = sums_of<MobileFaceNet>(EmulatedCuda(), face);
  check_sums(floats, macs_of<MobileFaceNet>(face));
  const auto bytes = [](std::size_t sum, const KernelSum& one) { return sum + one.bytes; };
  const std::size_t of_halves = std::accumulate(halves.begin(), halves.end(), std::size_t{0}, bytes);
  const std::size_t of_floats = std::accumulate(floats.begin(), floats.end(), std::size_t{0}, bytes);
  CHECK(static_cast<double>(of_halves) < 0.6 * static_cast<double>(of_floats));
}

TEST_CASE("kernel times: of networks on bytes, whose other layers are fp32's") {
  constexpr Shape face{1, 112, 112, 3};
  const std::vector<KernelSum> bytes = sums_of<MobileFaceNetInt8>(EmulatedCuda(Arithmetic::int8), face);
  check_sums(bytes, macs_of<MobileFaceNet>(face));
  std::size_t quantised = 0, multiplied = 0;
  for (const KernelSum& sum : bytes) {
    const bool on_bytes = sum.kernel.starts_with("conv2d_int8");
    CHECK_MESSAGE((sum.arithmetic == (on_bytes ? Arithmetic::int8 : Arithmetic::fp32)), sum.kernel);
    multiplied += on_bytes ? sum.macs : 0;
    quantised += sum.kernel == "quantise" ? sum.launches : 0;
  }
  const auto moved = [](std::size_t sum, const KernelSum& one) { return sum + one.bytes; };
  // Of maps and weights; in float32 it is 32.8 MB.
  CHECK(std::accumulate(bytes.begin(), bytes.end(), std::size_t{0}, moved) < 15'000'000);
  // What enters each of the runs of bytes; the blocks of a repeat hand bytes on.
  CHECK(quantised == 7);
  CHECK(static_cast<double>(multiplied) > 0.8 * static_cast<double>(macs_of<MobileFaceNet>(face)));
}

TEST_CASE("kernel times: residual blocks in one launch are one kernel with all their work") {
  constexpr Shape face{1, 160, 160, 3};
  const EmulatedCuda cuda = fusing_card();
  const std::vector<KernelSum> sums = sums_of<Halved<InceptionResnetV1Fused>>(cuda, face, host_clock_alone());
  check_sums(sums, macs_of<InceptionResnetV1>(face));
  const auto fused = std::ranges::find_if(sums, [](const KernelSum& sum) { return sum.kernel.starts_with("fused"); });
  REQUIRE((fused != sums.end()));
  CHECK(fused->launches == 4);
  CHECK(launches_in(sums) < 60);
}

LaunchFacts launch(const char* kernel, std::size_t blocks, std::size_t operation) {
  return {kernel, blocks, operation};
}

TEST_CASE("kernel times: sums are of medians, and what adds parts up has no products of its own") {
  const std::vector<Operation> operations{{1000, 80, 30, 16, Arithmetic::fp16}, {500, 40, 20, 8, Arithmetic::fp16}};
  const std::vector<LaunchFacts> launches{launch("a", 4, 1), launch("conv2d_finish", 2, 1), launch("a", 6, 2)};
  const std::vector<std::vector<double>> runs{{1, 2, 30}, {5, 1, 10}, {3, 9, 20}};
  const std::vector<KernelSum> sums = sum_by_kernel(launches, operations, runs);
  REQUIRE(sums.size() == 2);
  CHECK(sums[0].kernel == "a");
  CHECK(sums[0].ms == 23);
  CHECK(sums[0].launches == 2);
  CHECK(sums[0].blocks == 10);
  CHECK(sums[0].macs == 1500);
  CHECK(sums[0].bytes == 120);
  CHECK(sums[0].columns == 8);
  CHECK(sums[1].ms == 2);
  CHECK(sums[1].macs == 0);
  CHECK(sums[1].bytes == 30);
  // A kernel that nobody told of would be taken for the one before.
  const std::vector<LaunchFacts> unknown{launch("a", 4, 1), launch("other", 2, 1), launch("a", 6, 2)};
  CHECK_THROWS_WITH_AS((void)sum_by_kernel(unknown, operations, runs), doctest::Contains("kernel other"), Error);
  const std::vector<LaunchFacts> early{launch("first", 1, 0)};
  CHECK_THROWS_AS((void)sum_by_kernel(early, operations, runs), Error);
}

TEST_CASE("kernel times: an H200's peaks, and none for a card that is not known") {
  const CudaFacts h200{"NVIDIA H200", 9, 0, 132, 0, 0};
  const CardPeaks peaks = peaks_of(h200, {1.98, 4900});
  CHECK(peaks.gflops_of(Arithmetic::fp32) == doctest::Approx(66'900).epsilon(0.001));
  CHECK(peaks.gflops_of(Arithmetic::fp16) == doctest::Approx(1'070'500).epsilon(0.001));
  CHECK(peaks.gflops_of(Arithmetic::tf32) == doctest::Approx(535'200).epsilon(0.001));
  CHECK(peaks.gflops_of(Arithmetic::int8) == doctest::Approx(2'141'000).epsilon(0.001));
  const CudaFacts other{"another", 12, 1, 10, 0, 0};
  CHECK(peaks_of(other, {1, 100}).gflops_of(Arithmetic::fp16) == 0);
}

TEST_CASE("kernel times: the reason for less than half of the peak follows from the sizes") {
  CardPeaks peaks;
  peaks.processors = 100;
  peaks.gigabytes = 1000;
  std::ranges::fill(peaks.gflops, 100'000.0);
  // Of 1 ms: 10 GFLOP are a tenth of the peak.
  const KernelSum busy{"k", 10, 50'000, 1.0, 5'000'000'000, 20'000'000, 64, Arithmetic::fp16};
  const auto with = [&](auto&& change) {
    KernelSum sum = busy;
    change(sum);
    return reason(sum, peaks);
  };
  const auto says = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  CHECK(with([](KernelSum& s) { s.macs *= 6; }).empty());
  CHECK(with([](KernelSum& s) { s.bytes = 600'000'000; }).empty());
  CHECK(says(with([](KernelSum& s) { s.blocks = 400; }), "40 blocks a launch, so 60 of 100 multiprocessors have none"));
  CHECK(says(with([](KernelSum& s) { s.launches = 400; }), "2.5 us a launch"));
  CHECK(says(with([](KernelSum& s) { s.macs = 0; }), "multiplies nothing"));
  CHECK(says(with([](KernelSum& s) { s.bytes = 400'000'000; }), "25 flop for each byte"));
  CHECK(says(with([](KernelSum& s) { s.columns = 32; }), "as few as 32 output channels"));
  CHECK(says(with([](KernelSum& s) { s.blocks = 2'000; }), "2.0 blocks a multiprocessor"));
  CHECK(says(with([](KernelSum&) {}), "ncu"));
}

TEST_CASE("kernel times: the report explains the longest, and its lines of JSON hold what it shows") {
  KernelReport report{"onet", "fp16", "a card", 2, {1, 1000}, {}, {}};
  report.peaks.processors = 100;
  for (int i = 0; i < 7; ++i) {
    report.sums.push_back({fmt::format("k{}", i), 1, 10, 1.0 - 0.1 * i, 1000, 1000, 64, Arithmetic::fp16});
  }
  const std::string text = text_of(report);
  CHECK(text.starts_with("onet fp16 on a card, batch 2: 7 launches, 4.9000 ms together\n"));
  CHECK(std::ranges::count(text, '\n') == 2 + 7 + 5);
  const auto lines = json_of(report);
  REQUIRE(lines.size() == 7);
  CHECK(lines[0].at("kernel") == "k0");
  CHECK(lines[0].at("share").as_double() == doctest::Approx(1 / 4.9).epsilon(0.001));
  CHECK(lines[4].at("why").as_string().starts_with("10 blocks a launch"));
  CHECK(lines[5].at("why").as_string().empty());
}

TEST_CASE("kernel times: a kernel's name without result, parameters and namespaces") {
  CHECK(plain_kernel_name("void wajah::cuda::(anonymous namespace)::conv2d_tensor<wajah::cuda::Words16, "
                          "wajah::cuda::TensorTile<wajah::cuda::HalfProduct, (int)64, (int)64, (int)2, (int)2>, "
                          "(bool)0, wajah::Conv2dHalfArgs>(wajah::Conv2dHalfArgs, wajah::cuda::Gemm, float*)") ==
        "conv2d_tensor<Words16, TensorTile<HalfProduct, 64, 64, 2, 2>, 0, Conv2dHalfArgs>");
  CHECK(plain_kernel_name("wajah::cuda::nms(void (*)(int), int)") == "nms");
  CHECK(plain_kernel_name("plain") == "plain");
}

TEST_CASE("kernel times: work that fails while it is captured leaves the stream as it was") {
  const EmulatedCuda cuda;
  const auto fails = [](const auto&) { fail(ErrorKind::device, "no such kernel"); };
  CHECK_THROWS_WITH_AS(KernelClock(cuda, fails, host_clock()), doctest::Contains("no such kernel"), Error);
  cuda.wait();
}

}  // namespace
}  // namespace wajah::cli
