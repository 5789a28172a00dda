// wajah_benchmarks: Google Benchmark's options (--benchmark_filter=conv2d/, --benchmark_repetitions=9,
// --benchmark_format=json, ...), one thread where a name says nothing else, WAJAH_ISA for the instruction set. What the
// machine can do at best is measured first and stands in the context, beside its caches and load.
#include "cli/fma_peak.hpp"
#include "cli/stream_rate.hpp"
#include "harness.hpp"

#include <wajah/error.hpp>

#include <array>
#include <string>

#include <fmt/format.h>

namespace wajah::benchmarks {

double peak_gflops(int threads) {
  static std::array<double, 3> measured{};  // by the number of threads, of which no benchmark takes more than two
  double& peak = measured.at(static_cast<std::size_t>(threads));
  if (peak == 0) peak = cli::measure_fma_peak(chosen_isa(), threads);
  return peak;
}

namespace {

void describe_machine() {
  constexpr std::size_t more_than_caches_hold = 512U << 20U;
  benchmark::AddCustomContext("isa", std::string(name_of(chosen_isa())));
  for (const int threads : {1, 2}) {
    const double ms = cli::measure_reading(more_than_caches_hold, threads, 0.5).median_ms;
    benchmark::AddCustomContext(
        fmt::format("limits_{}_threads", threads),
        fmt::format("{:.0f} GFLOP/s of multiply-adds, {:.1f} GB/s of reading", peak_gflops(threads),
                    1e-6 * static_cast<double>(more_than_caches_hold) / ms));
  }
}

}  // namespace
}  // namespace wajah::benchmarks

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  try {
    wajah::benchmarks::describe_machine();
    benchmark::RunSpecifiedBenchmarks();
  } catch (const wajah::Error& error) {
    fmt::print(stderr, "wajah_benchmarks: {}\n", error.what());
    return 5;
  }
  benchmark::Shutdown();
  return 0;
}
