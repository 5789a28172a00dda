// The five nearest of 100,000 embeddings of 512 numbers; bytes a second are those that a search reads.
#include "cli/random_weights.hpp"
#include "harness.hpp"

#include <wajah/search/index.hpp>

#include <utility>

#include <fmt/format.h>

namespace wajah::benchmarks {
namespace {

constexpr std::size_t vectors = 100'000, dimensions = 512, nearest = 5;

void search(benchmark::State& state, Storage storage, int threads) {
  Index index(dimensions, storage, Cpu(threads, chosen_isa()));
  std::uint64_t seed = 1;
  for (std::size_t id = 0; id < vectors; ++id) {
    index.add(static_cast<std::int64_t>(id), cli::random_values(dimensions, 1, seed));
  }
  const std::vector<float> query = cli::random_values(dimensions, 1, seed);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(index.nearest(query, nearest));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(index.bytes_read()));
}

const bool added = [] {
  for (const auto& [name, storage] :
       {std::pair{"fp32", Storage::fp32}, {"fp16", Storage::fp16}, {"int8", Storage::int8}}) {
    for (const int threads : {1, 2}) {
      benchmark::RegisterBenchmark(fmt::format("search/{}/threads:{}", name, threads).c_str(), search, storage, threads)
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}();

}  // namespace
}  // namespace wajah::benchmarks
