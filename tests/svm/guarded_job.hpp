// A job of solve_pairs between pages that must not be touched, and what must be true of jobs that were solved.
#pragma once

#include <wajah/svm/kernel.hpp>
#include <wajah/svm/solve_pairs.hpp>

#include "check.hpp"
#include "svm/data.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

namespace wajah::svm::test {

// One job's arrays between pages that must not be touched.
struct GuardedJob {
  GuardedJob(int n, int first, int padded, Touch touch, double c, std::mt19937& random)
      : gram({n, 1, 1, padded}, 0, touch),
        inverse({n, 1, 1, padded}, 0, touch),
        doubles{GuardedMap({1, 1, 1, 2 * padded}, 0, touch), GuardedMap({1, 1, 1, 2 * padded}, 0, touch),
                GuardedMap({1, 1, 1, 2 * padded}, 0, touch), GuardedMap({1, 1, 1, 2 * padded}, 0, touch)} {
    const int labels[] = {0};
    rows = blobs(labels, static_cast<std::size_t>(n), 9, 1.5, static_cast<unsigned>(random()));
    for (std::size_t t = 0; t < static_cast<std::size_t>(first); ++t) rows.x[t * rows.d] += 0.5F;
    complete(Cpu(1), n, first, padded);
    for (int t = 0; t < padded; ++t) {
      array(0)[t] = t < first || t >= n ? 0 : -c;
      array(1)[t] = t < first ? c : 0;
      array(2)[t] = array(3)[t] = 0;
    }
    job = {gram.view().data, inverse.view().data, n, first, array(0), array(1), array(2), array(3), 0, 0, false};
  }
  // The matrix as training makes it, from three tiles.
  void complete(const Cpu& cpu, int n, int first, int padded) {
    const auto all = rows_of(rows.x, 9);
    const auto one = all.images(0, first), other = all.images(first, n - first);
    const auto m = static_cast<std::size_t>(first), k = static_cast<std::size_t>(n - first);
    std::vector<float> tiles[] = {std::vector<float>(m * m), std::vector<float>(k * k)};
    svm::gram(cpu, Kernel{}, one, one, tiles[0].data(), m);
    svm::gram(cpu, Kernel{}, other, other, tiles[1].data(), k);
    svm::gram(cpu, Kernel{}, one, other, gram.view().data + first, static_cast<std::size_t>(padded));
    complete_pair(cpu, {tiles[0].data(), tiles[1].data(), gram.view().data, inverse.view().data, n, first, padded});
  }
  [[nodiscard]] double* array(std::size_t i) { return reinterpret_cast<double*>(doubles[i].view().data); }

  Data rows;
  GuardedMap gram, inverse;
  GuardedMap doubles[4];  // lower, upper, beta, gradient; the solvers want doubles, which are as long as two floats
  PairJob job{};
};

struct JobShape {
  int n, first;
  int count;  // jobs at once
  double c;
  bool exact;
};

inline void check_job(const PairJob& job, const PairJob& alone, const JobShape& is, int padded) {
  CHECK(job.rho == alone.rho);
  CHECK(job.steps == alone.steps);
  double sum = 0, rise = -INFINITY, fall = INFINITY;
  for (int t = 0; t < is.n; ++t) {
    CHECK(job.beta[t] == alone.beta[t]);
    REQUIRE(job.beta[t] >= job.lower[t]);
    REQUIRE(job.beta[t] <= job.upper[t]);
    sum += job.beta[t];
    double g = t < is.first ? 1 : -1;
    for (int s = 0; s < is.n; ++s) g -= job.beta[s] * static_cast<double>(job.gram[s * padded + t]);
    CHECK(std::abs(job.gradient[t] - g) < (is.exact ? 1e-12 : 1e-5) * (1 + 64 * is.c));
    if (job.beta[t] < job.upper[t]) rise = std::max(rise, g);
    if (job.beta[t] > job.lower[t]) fall = std::min(fall, g);
  }
  CHECK(std::abs(sum) < 1e-13 * is.c * is.n);
  // A gradient in floats may take either side of the tolerance.
  if (is.exact || std::abs(rise - fall - 1e-3) > 1e-5 * (1 + 64 * is.c)) CHECK(job.met == (rise - fall < 1e-3));
  if (is.c <= 1) CHECK(job.met);
}

inline void check_matrices(const PairJob& job, int n, int padded) {
  const auto at = [&](int r, int s) { return static_cast<double>(job.gram[r * padded + s]); };
  for (int i = 0; i < n; ++i) {
    for (int t = 0; t < padded; ++t) {
      CHECK(job.gram[i * padded + t] == (t < n ? job.gram[t * padded + i] : 0));
      if (i == t || t >= n) continue;
      CHECK(static_cast<double>(job.inverse[i * padded + t]) ==
            doctest::Approx(1 / (at(i, i) + at(t, t) - 2 * at(i, t))).epsilon(1e-4));
    }
  }
}

// Solves jobs together and one by one; both must come out alike, within their bounds and with the conditions met. The
// device may be another one that reads the host's memory; matrices are always completed on the CPU.
template <class Device>
void check_jobs(const Cpu& cpu, const Device& device, const JobShape& is, std::mt19937& random) {
  CAPTURE(is.n);
  CAPTURE(is.first);
  CAPTURE(is.c);
  const int padded = (is.n + 15) / 16 * 16;
  std::vector<std::unique_ptr<GuardedJob>> together, alone;
  std::vector<PairJob> jobs;
  for (int j = 0; j < is.count; ++j) {
    const Touch touch = j % 2 == 0 ? Touch::first : Touch::last;
    std::mt19937 same = random;
    together.push_back(std::make_unique<GuardedJob>(is.n, is.first, padded, touch, is.c, random));
    alone.push_back(std::make_unique<GuardedJob>(is.n, is.first, padded, touch, is.c, same));
    for (GuardedJob* job : {together.back().get(), alone.back().get()}) job->complete(cpu, is.n, is.first, padded);
    jobs.push_back(together.back()->job);
  }
  solve_pairs(device, {jobs.data(), is.count, padded, 1e-3, 100 * is.n, is.exact});
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    solve_pairs(device, {&alone[j]->job, 1, padded, 1e-3, 100 * is.n, is.exact});
    check_job(jobs[j], alone[j]->job, is, padded);
    check_matrices(jobs[j], is.n, padded);
  }
}
inline void check_jobs(const Cpu& cpu, const JobShape& is, std::mt19937& random) { check_jobs(cpu, cpu, is, random); }

}  // namespace wajah::svm::test
