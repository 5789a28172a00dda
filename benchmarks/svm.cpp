// Training the support-vector machine: 20 photos a person of 512 numbers, as `wajah bench svm` invents them.
#include "cli/invented_people.hpp"
#include "harness.hpp"

#include <wajah/svm/problem.hpp>
#include <wajah/svm/svm.hpp>

#include <fmt/format.h>

namespace wajah::benchmarks {
namespace {

void train(benchmark::State& state, bool probability, int threads) {
  constexpr std::size_t photos = 20, dimensions = 512;
  const cli::InventedPeople people(static_cast<std::size_t>(state.range(0)), photos, dimensions, 1);
  const svm::Problem problem(svm::rows_of(people.rows(), dimensions), people.labels());
  const svm::SvmOptions options{.probability = probability, .threads = threads};
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(svm::Svm::train(problem, options));
}

const bool added = [] {
  for (const bool probability : {false, true}) {
    for (const int threads : {1, 2}) {
      const std::string name = fmt::format("svm/train{}/threads:{}/people", probability ? "_probability" : "", threads);
      benchmark::RegisterBenchmark(name.c_str(), train, probability, threads)
          ->Arg(10)
          ->Arg(100)
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}();

}  // namespace
}  // namespace wajah::benchmarks
