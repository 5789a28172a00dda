#include "cli/fma_peak.hpp"

#include <immintrin.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <thread>
#include <vector>

namespace wajah::cli {
namespace {

// Two ports times a latency of four or five cycles need ten sums in flight; with the two factors they still fit into
// the sixteen registers of AVX2.
constexpr int sums = 12;
constexpr int rounds = 1 << 19;
constexpr int windows = 32;

// Each returns a value that depends on all its work, and works on numbers that stay near 1.
__attribute__((target("avx512f"))) float chains_avx512(float factor, float term) {
  const __m512 m = _mm512_set1_ps(factor), a = _mm512_set1_ps(term);
  __m512 s[sums];
  for (auto& v : s) v = m;
  for (int r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (int i = 0; i < sums; ++i) s[i] = _mm512_fmadd_ps(s[i], m, a);
  }
  for (int i = 1; i < sums; ++i) s[0] = _mm512_add_ps(s[0], s[i]);
  return _mm512_cvtss_f32(s[0]);
}

__attribute__((target("avx2,fma"))) float chains_avx2(float factor, float term) {
  const __m256 m = _mm256_set1_ps(factor), a = _mm256_set1_ps(term);
  __m256 s[sums];
  for (auto& v : s) v = m;
  for (int r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (int i = 0; i < sums; ++i) s[i] = _mm256_fmadd_ps(s[i], m, a);
  }
  for (int i = 1; i < sums; ++i) s[0] = _mm256_add_ps(s[0], s[i]);
  return _mm256_cvtss_f32(s[0]);
}

float chains_sse(float factor, float term) {
  const __m128 m = _mm_set1_ps(factor), a = _mm_set1_ps(term);
  __m128 s[sums];
  for (auto& v : s) v = m;
  for (int r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (int i = 0; i < sums; ++i) s[i] = _mm_add_ps(_mm_mul_ps(s[i], m), a);
  }
  for (int i = 1; i < sums; ++i) s[0] = _mm_add_ps(s[0], s[i]);
  return _mm_cvtss_f32(s[0]);
}

struct Chains {
  float (*run)(float, float);
  int lanes;
};

Chains chains_of(Isa isa) {
  switch (isa) {
    case Isa::scalar: return {chains_sse, 4};
    case Isa::avx2:
    case Isa::avx2_vnni: return {chains_avx2, 8};
    case Isa::avx512:
    case Isa::avx512_vnni:
    case Isa::avx512_amx: return {chains_avx512, 16};
  }
  return {chains_sse, 4};
}

// Best rate of one thread while all others work as well, GFLOP/s.
double best_rate(const Chains& chains, std::barrier<>& together) {
  volatile float factor = 0.999F, term = 0.001F, sink = 0;
  double best = 0;
  for (int window = 0; window < windows; ++window) {
    together.arrive_and_wait();
    const auto start = std::chrono::steady_clock::now();
    sink = chains.run(factor, term);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, 2e-9 * rounds * sums * chains.lanes / seconds.count());
  }
  (void)sink;
  return best;
}

}  // namespace

double measure_fma_peak(Isa isa, int threads) {
  const Chains chains = chains_of(isa);
  std::barrier<> together(threads);
  std::vector<double> rates(static_cast<std::size_t>(threads));
  {
    std::vector<std::jthread> workers;
    for (double& rate : rates) workers.emplace_back([&] { rate = best_rate(chains, together); });
  }
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

}  // namespace wajah::cli
