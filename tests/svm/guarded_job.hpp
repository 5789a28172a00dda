// A job of solve_pairs between pages that must not be touched, what must be true of jobs that were solved, and of what
// start_pairs says of their pairs.
#pragma once

#include <wajah/svm/kernel.hpp>
#include <wajah/svm/solve_pairs.hpp>
#include <wajah/svm/start_pairs.hpp>

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
  GuardedJob(int n, int first, int padded, Touch touch, double c, std::mt19937& random, std::size_t d = 9)
      : gram({n, 1, 1, padded}, 0, touch),
        inverse({n, 1, 1, padded}, 0, touch),
        doubles{GuardedMap({1, 1, 1, 2 * padded}, 0, touch), GuardedMap({1, 1, 1, 2 * padded}, 0, touch),
                GuardedMap({1, 1, 1, 2 * padded}, 0, touch), GuardedMap({1, 1, 1, 2 * padded}, 0, touch)} {
    const int labels[] = {0};
    rows = blobs(labels, static_cast<std::size_t>(n), d, 1.5, static_cast<unsigned>(random()));
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
    const auto all = rows_of(rows.x, rows.d);
    const auto one = all.images(0, first), other = all.images(first, n - first);
    const auto m = static_cast<std::size_t>(first), k = static_cast<std::size_t>(n - first);
    std::vector<float> tiles[] = {std::vector<float>(m * m), std::vector<float>(k * k)};
    svm::gram(cpu, Kernel{}, one, one, tiles[0].data(), m);
    svm::gram(cpu, Kernel{}, other, other, tiles[1].data(), k);
    svm::gram(cpu, Kernel{}, one, other, gram.view().data + first, static_cast<std::size_t>(padded));
    complete_pair(cpu, {tiles[0].data(), tiles[1].data(), gram.view().data, n, first, padded});
    invert_curvature(cpu, {gram.view().data, inverse.view().data, n, padded});
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
  std::size_t d = 9;
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

// What start_pairs writes for one pair, between pages that must not be touched.
struct GuardedStart {
  GuardedStart(const GuardedJob& job, int padded, Touch touch) {
    for (int i = 0; i < 7; ++i) arrays.push_back(std::make_unique<GuardedMap>(Shape{1, 1, 1, padded}, 0, touch));
    start.gram = job.job.gram;
    start.n = job.job.n;
    start.first = job.job.first;
    start.beta = array(5);
    start.decisions = array(6);
    for (std::size_t f = 0; f < PairStart::folds; ++f) start.fold_beta[f] = array(f);
  }
  [[nodiscard]] float* array(std::size_t i) { return arrays[i]->view().data; }

  std::vector<std::unique_ptr<GuardedMap>> arrays;  // of the folds, of all rows, decisions
  PairStart start{};
};

// The largest violation of the conditions of the machine without the rows of `fold`, and by how much its coefficients
// miss a sum of 0.
struct Violation {
  double gap = -INFINITY, sum = 0;
};
inline Violation violation_of(const PairStart& is, int padded, double c, const float* beta, int fold) {
  double rise = -INFINITY, fall = INFINITY;
  Violation found;
  for (int t = 0; t < is.n; ++t) {
    if (t % PairStart::folds == fold) continue;
    const double sign = t < is.first ? 1 : -1, size = sign * static_cast<double>(beta[t]);
    found.sum += static_cast<double>(beta[t]);
    double g = sign;
    for (int s = 0; s < is.n; ++s)
      if (s % PairStart::folds != fold)
        g -= static_cast<double>(beta[s]) * static_cast<double>(is.gram[s * padded + t]);
    REQUIRE(size >= 0);
    REQUIRE(size <= c * (1 + 1e-6));
    if (sign > 0 ? size < c : size > 0) rise = std::max(rise, g);
    if (sign > 0 ? size > 0 : size < c) fall = std::min(fall, g);
  }
  found.gap = rise - fall;
  return found;
}

// Whatever was found lies within its bounds; a fold that says its conditions are met has them met, by decisions that
// are those of solve_pairs; and a pair's numbers are those that it has alone. Gives how many folds were met.
inline int check_starts(const Cpu& cpu, const JobShape& is, std::mt19937& random) {
  const int padded = (is.n + 15) / 16 * 16;
  const double c = is.c;
  std::vector<std::unique_ptr<GuardedJob>> jobs;
  std::vector<std::unique_ptr<GuardedStart>> together;
  std::vector<PairStart> starts;
  for (int j = 0; j < is.count; ++j) {
    const Touch touch = j % 2 == 0 ? Touch::first : Touch::last;
    jobs.push_back(std::make_unique<GuardedJob>(is.n, is.first, padded, touch, c, random, is.d));
    jobs.back()->complete(cpu, is.n, is.first, padded);
    together.push_back(std::make_unique<GuardedStart>(*jobs.back(), padded, touch));
    starts.push_back(together.back()->start);
  }
  const Buffer scratch(start_pairs_scratch * sizeof(float));
  const auto run = [&](PairStart* pairs, int count) {
    start_pairs(cpu, {pairs, count, padded, static_cast<float>(c), 1e-3F, true, scratch.as<float>()});
  };
  run(starts.data(), is.count);
  int met = 0;
  for (std::size_t j = 0; j < starts.size(); ++j) {
    GuardedStart alone(*jobs[j], padded, Touch::last);
    run(&alone.start, 1);
    CHECK(alone.start.met == starts[j].met);
    for (int t = 0; t < is.n; ++t) CHECK(alone.start.beta[t] == starts[j].beta[t]);
    (void)violation_of(starts[j], padded, c, starts[j].beta, -1);
    for (int f = 0; f < PairStart::folds; ++f) {
      int positives = 0, negatives = 0;
      for (int t = 0; t < is.n; ++t)
        if (t % PairStart::folds != f) ++(t < is.first ? positives : negatives);
      if (positives == 0 || negatives == 0) continue;
      GuardedJob& job = *jobs[j];
      for (int t = 0; t < padded; ++t) {
        const bool out = t >= is.n || t % PairStart::folds == f;
        job.array(0)[t] = out || t < is.first ? 0 : -c;
        job.array(1)[t] = out || t >= is.first ? 0 : c;
        job.array(2)[t] = 0;
      }
      solve_pairs(cpu, {&job.job, 1, padded, 1e-3, 100 * is.n, true});
      if ((starts[j].met >> f & 1U) == 0) {
        (void)violation_of(starts[j], padded, c, starts[j].fold_beta[f], f);
        continue;
      }
      ++met;
      for (int t = f; t < is.n; t += PairStart::folds) {
        CHECK(alone.start.decisions[t] == starts[j].decisions[t]);
        if (!job.job.met) continue;
        const double decision = (t < is.first ? 1 : -1) - job.job.gradient[t] - job.job.rho;
        CHECK(static_cast<double>(starts[j].decisions[t]) ==
              doctest::Approx(decision).epsilon(0.02 * (1 + c)).scale(1));
      }
    }
  }
  return met;
}

}  // namespace wajah::svm::test
