// The solver of many small duals through the host build. Jobs lie in the host's memory, which EmulatedCuda reads.
#include <wajah/svm/solve_pairs.hpp>

#include <algorithm>
#include <cmath>
#include <random>

#include "cuda_host/emulated_cuda.hpp"
#include "svm/guarded_job.hpp"

namespace wajah::svm::test {
namespace {

TEST_CASE("cuda kernels: pairs solved together end as alone, with conditions that hold as they say") {
  const EmulatedCuda cuda;
  const Cpu cpu(1, Isa::scalar);
  for (const auto& [n, first] :
       {std::pair{2, 1}, {16, 7}, {17, 3}, {31, 15}, {32, 31}, {33, 32}, {40, 20}, {48, 1}, {63, 32}, {64, 30}}) {
    for (const double c : {0.05, 1.0, 30.0}) {
      std::mt19937 random(static_cast<unsigned>(n));
      check_jobs(cpu, cuda, {n, first, 3, c, c > 0.5}, random);
    }
  }
}

TEST_CASE("cuda kernels: a pair's solution is the CPU's") {
  const EmulatedCuda cuda;
  const Cpu cpu(1, Isa::scalar);
  for (const auto& [n, first] : {std::pair{2, 1}, {17, 3}, {40, 20}, {64, 30}}) {
    const int padded = (n + 15) / 16 * 16;
    std::mt19937 random(static_cast<unsigned>(n)), same = random;
    GuardedJob got(n, first, padded, Touch::last, 1, random), expected(n, first, padded, Touch::last, 1, same);
    solve_pairs(cuda, {&got.job, 1, padded, 1e-3, 100 * n, true});
    solve_pairs(cpu, {&expected.job, 1, padded, 1e-3, 100 * n, true});
    CHECK(got.job.rho == doctest::Approx(expected.job.rho).epsilon(1e-3));
    for (int t = 0; t < n; ++t) CHECK(std::abs(got.job.beta[t] - expected.job.beta[t]) < 1e-2);
    for (int t = n; t < padded; ++t) CHECK(got.job.gradient[t] == 0);
  }
}

TEST_CASE("cuda kernels: of equal points the first of each class move") {
  const EmulatedCuda cuda;
  std::mt19937 random(2);
  for (const int first : {1, 20, 32, 33}) {
    GuardedJob one(64, first, 64, Touch::last, 1, random);
    std::fill_n(one.rows.x.begin(), one.rows.x.size(), 0.0F);
    for (int t = 0; t < 64; ++t) one.rows.x[static_cast<std::size_t>(t) * one.rows.d] = t < first ? 1.0F : -1.0F;
    one.complete(Cpu(1), 64, first, 64);
    solve_pairs(cuda, {&one.job, 1, 64, 1e-3, 1, true});
    CHECK(one.job.steps == 1);
    for (int t = 0; t < 64; ++t) CHECK_MESSAGE((one.job.beta[t] != 0) == (t == 0 || t == first), t << ", " << first);
  }
}

TEST_CASE("cuda kernels: a pair at its limit of steps says so, and numbers no float can tell end as well") {
  const EmulatedCuda cuda;
  std::mt19937 random(3);
  GuardedJob job(40, 20, 48, Touch::last, 1, random);
  solve_pairs(cuda, {&job.job, 1, 48, 1e-3, 5, true});
  CHECK(job.job.steps == 5);
  CHECK_FALSE(job.job.met);
  std::fill_n(job.inverse.view().data, 40 * 48, 0.0F);  // nothing to be gained
  solve_pairs(cuda, {&job.job, 1, 48, 1e-3, 1000, true});
  CHECK(job.job.steps == 0);
  CHECK_FALSE(job.job.met);
  for (const float factor : {1e18F, 1e20F}) {
    GuardedJob large(40, 20, 48, Touch::first, 1, random);
    for (float& x : large.rows.x) x *= factor;
    large.complete(Cpu(1), 40, 20, 48);
    solve_pairs(cuda, {&large.job, 1, 48, 1e-3, 1000, true});
    for (int t = 0; t < 40; ++t)
      CHECK((large.job.beta[t] >= large.job.lower[t] && large.job.beta[t] <= large.job.upper[t]));
  }
}

}  // namespace
}  // namespace wajah::svm::test
