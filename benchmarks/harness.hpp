// What the benchmarks share: the machine's limits, and work stated as a share of them.
#pragma once

#include <wajah/cpu.hpp>

#include <benchmark/benchmark.h>

#include <string>

namespace wajah::benchmarks {

// 10^9 operations a second of multiply-adds alone, a multiply-add counting as two; measured once for each number of
// threads, before anything that is related to it.
[[nodiscard]] double peak_gflops(int threads);

// Notes how much one iteration did, as GFLOP/s and a share of the peak in percent; the clock is the wall's.
inline void count_products(benchmark::State& state, double macs, int threads) {
  using benchmark::Counter;
  const double gflop = 2e-9 * macs;
  state.counters["GFLOP/s"] = Counter(gflop, Counter::kIsIterationInvariantRate);
  state.counters["% of peak"] = Counter(100 * gflop / peak_gflops(threads), Counter::kIsIterationInvariantRate);
}

// Registers work() under a name; make() gives it and is only called when the name is chosen.
void add(const std::string& name, double macs, int threads, auto make) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    count_products(state, macs, threads);
    auto work = make();
    for ([[maybe_unused]] auto _ : state) work();
  })->UseRealTime();
}

}  // namespace wajah::benchmarks
