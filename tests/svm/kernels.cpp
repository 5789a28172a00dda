// The kernels behind training, dot_matrix, solve_pair, solve_pairs and fit_sigmoid, against their plain forms, on every
// instruction set of this CPU.
#include <wajah/svm/dot_matrix.hpp>
#include <wajah/svm/kernel.hpp>
#include <wajah/svm/pair.hpp>
#include <wajah/svm/solve_pairs.hpp>
#include <wajah/svm/svm.hpp>

#include "check.hpp"
#include "random_shapes.hpp"
#include "svm/data.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace wajah;
using namespace wajah::svm;
using namespace wajah::svm::test;

namespace {

constexpr int one_label[] = {0};

}  // namespace

TEST_CASE(
    "kernel values are those of the definition, of one value wherever a pair stands, and nothing else is written") {
  constexpr float untouched = -7;
  std::map<std::string, std::vector<float>> fused;  // AVX2 and AVX-512 agree to the bit
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    for (const std::size_t d : {1, 15, 16, 17, 33, 128}) {
      for (const auto& [m, n] : {std::pair{1, 1}, {3, 5}, {4, 10}, {9, 11}, {13, 20}}) {
        for (const Kernel& kernel : {Kernel{}, Kernel{KernelKind::rbf, 0.3}}) {
          for (const Touch touch : {Touch::first, Touch::last}) {
            const Data a = blobs(one_label, static_cast<std::size_t>(m), d, 1, 1);
            const Data b = blobs(one_label, static_cast<std::size_t>(n), d, 1, 2);
            // Rows between pages that must not be touched; what lies between rows is not-a-number.
            GuardedMap a_map({m, 1, 1, static_cast<int>(d)}, 3, touch), b_map({n, 1, 1, static_cast<int>(d)}, 1, touch);
            a_map.copy(rows_of(a.x, d));
            b_map.copy(rows_of(b.x, d));
            const auto stride = static_cast<std::size_t>(n) + 3;
            std::vector<float> values(static_cast<std::size_t>(m) * stride, untouched);
            gram(cpu, kernel, a_map.view(), b_map.view(), values.data(), stride);
            CAPTURE(name);
            CAPTURE(d);
            for (std::size_t i = 0; i < static_cast<std::size_t>(m); ++i)
              for (std::size_t j = 0; j < stride; ++j) {
                if (j >= static_cast<std::size_t>(n)) {
                  CHECK(values[i * stride + j] == untouched);
                  continue;
                }
                const double expected = kernel(a.row(i).data(), b.row(j).data(), d);
                CHECK(std::abs(static_cast<double>(values[i * stride + j]) - expected) <
                      2e-6 * (1 + std::abs(expected)));
                float alone = 0;
                gram(cpu, kernel, rows_of(a.row(i), d), rows_of(b.row(j), d), &alone, 1);
                CHECK(alone == values[i * stride + j]);
              }
            if (cpu.isa() == Isa::scalar) continue;
            auto& same = fused[fmt::format("{} {} {} {}", d, m, n, kernel.gamma)];
            if (same.empty()) same = values;
            CHECK(values == same);
          }
        }
      }
    }
  });
}

TEST_CASE("dot_matrix: random shapes") {
  Draw draw(1);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const int m = draw.up_to(25), n = draw.up_to(40), d = draw.up_to(200);
    const bool distance = draw.chance();
    GuardedMap a({m, 1, 1, d}, draw.gap(), draw.touch()), b({n, 1, 1, d}, draw.gap(), draw.touch());
    a.fill(draw.random());
    b.fill(draw.random());
    GuardedMap expected({m, 1, 1, n}, 0, Touch::last);
    for (int r = 0; r < m; ++r) {
      for (int s = 0; s < n; ++s) {
        double sum = 0;
        for (int k = 0; k < d; ++k) {
          const double p = a.view().pixel(r, 0, 0)[k], q = b.view().pixel(s, 0, 0)[k];
          sum += distance ? (p - q) * (p - q) : p * q;
        }
        expected.view().pixel(r, 0, 0)[s] = static_cast<float>(sum);
      }
    }
    const int gap = draw.gap();
    const Touch touch = draw.touch();
    for_each_isa(draw, [&](const Cpu& cpu, const std::string& name) {
      GuardedMap y({m, 1, 1, n}, gap, touch);
      dot_matrix(cpu, {a.view(), b.view(), y.view().data, y.view().stride, distance});
      check_close(fmt::format("dot_matrix {} x {} x {} on {}", m, n, d, name), y.view(), expected.view(), {1e-5, 1e-5});
      CHECK_MESSAGE(y.gaps_untouched(), "dot_matrix on " << name << " wrote between the rows");
    });
  }
}

// A memory limit that the whole matrix does not fit sends the pair to the plain solver.
TEST_CASE("small pairs end where the plain solver ends, AVX2 and AVX-512 with the same numbers") {
  for (const auto& [m, n] :
       {std::pair{1, 1}, {2, 5}, {7, 8}, {9, 8}, {20, 20}, {40, 3}, {31, 33}, {32, 33}, {60, 70}}) {
    for (const double overlap : {0.3, 2.0}) {
      const int first_label[] = {0}, second_label[] = {1};
      const Data a = blobs(first_label, static_cast<std::size_t>(m), 13, overlap, 5);
      const Data b = blobs(second_label, static_cast<std::size_t>(n), 13, overlap, 6);
      const ClassRows first{rows_of(a.x, 13), {}}, second{rows_of(b.x, 13), {}};
      PairOptions options;
      options.probability = true;
      options.solver.tolerance = 1e-6;
      options.memory = 64;
      const Pair plain = train_pair({}, first, second, options);
      options.memory = std::size_t{1} << 20;
      std::optional<Pair> fused;
      for_each_cpu([&](const Cpu& cpu, const std::string& name) {
        CAPTURE(name);
        CAPTURE(m);
        CAPTURE(n);
        options.cpu = cpu;
        const Pair fast = train_pair({}, first, second, options);
        CHECK(fast.converged);
        CHECK(fast.rho == doctest::Approx(plain.rho).epsilon(1e-4));
        for (std::size_t t = 0; t < fast.first.size(); ++t)
          CHECK(fast.first[t] == doctest::Approx(plain.first[t]).epsilon(1e-3).scale(1));
        REQUIRE(fast.sigmoid.has_value());
        CHECK((*fast.sigmoid)(0.5) == doctest::Approx((*plain.sigmoid)(0.5)).epsilon(1e-3));
        if (cpu.isa() == Isa::scalar) return;
        if (!fused) fused = fast;
        CHECK(fast.first == fused->first);
        CHECK(fast.second == fused->second);
        CHECK(fast.rho == fused->rho);
      });
    }
  }
}

namespace {

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

}  // namespace

TEST_CASE("jobs in flight together end as alone, within their arrays, and with conditions that hold as they say") {
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    for (const auto& [n, first] : {std::pair{2, 1}, {16, 7}, {17, 3}, {33, 32}, {40, 20}, {48, 1}, {64, 30}}) {
      const int padded = (n + 15) / 16 * 16;
      for (const double c : {0.05, 1.0, 30.0}) {
        std::mt19937 random(static_cast<unsigned>(n));
        std::vector<std::unique_ptr<GuardedJob>> together, alone;
        std::vector<PairJob> jobs;
        for (int j = 0; j < 7; ++j) {
          const Touch touch = j % 2 == 0 ? Touch::first : Touch::last;
          std::mt19937 same = random;
          together.push_back(std::make_unique<GuardedJob>(n, first, padded, touch, c, random));
          alone.push_back(std::make_unique<GuardedJob>(n, first, padded, touch, c, same));
          for (GuardedJob* job : {together.back().get(), alone.back().get()}) job->complete(cpu, n, first, padded);
          jobs.push_back(together.back()->job);
        }
        const bool exact = c > 0.5;
        solve_pairs(cpu, {jobs.data(), 7, padded, 1e-3, 100 * n, exact});
        for (std::size_t j = 0; j < 7; ++j) {
          solve_pairs(cpu, {&alone[j]->job, 1, padded, 1e-3, 100 * n, exact});
          CAPTURE(name);
          CAPTURE(n);
          CAPTURE(c);
          CHECK(jobs[j].rho == alone[j]->job.rho);
          CHECK(jobs[j].steps == alone[j]->job.steps);
          double sum = 0, rise = -INFINITY, fall = INFINITY;
          const PairJob& job = jobs[j];
          for (int t = 0; t < n; ++t) {
            CHECK(job.beta[t] == alone[j]->job.beta[t]);
            REQUIRE(job.beta[t] >= job.lower[t]);
            REQUIRE(job.beta[t] <= job.upper[t]);
            sum += job.beta[t];
            double g = t < first ? 1 : -1;
            for (int s = 0; s < n; ++s) g -= job.beta[s] * static_cast<double>(job.gram[s * padded + t]);
            CHECK(std::abs(job.gradient[t] - g) < (exact ? 1e-12 : 1e-5) * (1 + 64 * c));
            if (job.beta[t] < job.upper[t]) rise = std::max(rise, g);
            if (job.beta[t] > job.lower[t]) fall = std::min(fall, g);
          }
          CHECK(std::abs(sum) < 1e-13 * c * n);
          CHECK(job.met == (rise - fall < 1e-3));
          for (int i = 0; i < n; ++i)
            for (int t = 0; t < padded; ++t) {
              CHECK(job.gram[i * padded + t] == (t < n ? job.gram[t * padded + i] : 0));
              if (i != t && t < n) {
                const auto at = [&](int r, int s) { return static_cast<double>(job.gram[r * padded + s]); };
                CHECK(static_cast<double>(job.inverse[i * padded + t]) ==
                      doctest::Approx(1 / (at(i, i) + at(t, t) - 2 * at(i, t))).epsilon(1e-4));
              }
            }
          if (c <= 1) CHECK(job.met);
        }
      }
    }
  });
}

TEST_CASE("a job at its limit of steps says so, and numbers too large for floats end as well") {
  std::mt19937 random(3);
  GuardedJob job(40, 20, 48, Touch::last, 1, random);
  solve_pairs(Cpu(1), {&job.job, 1, 48, 1e-3, 5, true});
  CHECK(job.job.steps == 5);
  CHECK_FALSE(job.job.met);
  for_each_cpu([&](const Cpu& cpu, const std::string&) {
    GuardedJob large(40, 20, 48, Touch::first, 1, random);
    for (float& x : large.rows.x) x *= 1e18F;
    large.complete(cpu, 40, 20, 48);
    solve_pairs(cpu, {&large.job, 1, 48, 1e-3, 1000, true});
    for (int t = 0; t < 40; ++t)
      CHECK((large.job.beta[t] >= large.job.lower[t] && large.job.beta[t] <= large.job.upper[t]));
  });
}

TEST_CASE("the sigmoid kernel finds the plain one's sigmoid") {
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    for (const auto& [n, first] : {std::pair{2, 1}, {8, 3}, {9, 8}, {40, 20}, {64, 1}, {256, 100}}) {
      for (const double apart : {0.0, 0.7, 40.0, 1e4}) {
        std::mt19937 random(static_cast<unsigned>(n));
        std::normal_distribution<double> normal;
        std::vector<int> signs(static_cast<std::size_t>(n), -1);
        std::fill_n(signs.begin(), first, 1);
        GuardedMap room({1, 1, 1, 2 * n}, 0, Touch::last);
        auto* decisions = reinterpret_cast<double*>(room.view().data);
        for (int t = 0; t < n; ++t) decisions[t] = normal(random) + apart * signs[static_cast<std::size_t>(t)];
        Sigmoid got;
        wajah::fit_sigmoid(cpu, {decisions, n, first, &got.a, &got.b});
        const Sigmoid expected =
            svm::fit_sigmoid(std::span<const double>(decisions, static_cast<std::size_t>(n)), signs);
        CAPTURE(name);
        CAPTURE(n);
        CAPTURE(apart);
        for (const double f : {-50.0, -1.0, 0.0, 0.3, 2.0, 1000.0})
          CHECK(got(f) == doctest::Approx(expected(f)).epsilon(1e-6));
      }
    }
  });
}
