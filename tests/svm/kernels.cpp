// The kernels behind training, dot_matrix, solve_pair, start_pairs, solve_pairs and fit_sigmoid, against their plain
// forms, on every instruction set of this CPU.
#include <wajah/svm/dot_matrix.hpp>
#include <wajah/svm/kernel.hpp>
#include <wajah/svm/pair.hpp>
#include <wajah/svm/solve_pairs.hpp>
#include <wajah/svm/svm.hpp>

#include "check.hpp"
#include "random_shapes.hpp"
#include "svm/data.hpp"
#include "svm/guarded_job.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
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

TEST_CASE("jobs in flight together end as alone, within their arrays, and with conditions that hold as they say") {
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    for (const auto& [n, first] : {std::pair{2, 1}, {16, 7}, {17, 3}, {33, 32}, {40, 20}, {48, 1}, {64, 30}}) {
      for (const double c : {0.05, 1.0, 30.0}) {
        CAPTURE(name);
        std::mt19937 random(static_cast<unsigned>(n));
        check_jobs(cpu, {n, first, 7, c, c > 0.5}, random);
      }
    }
  });
}

TEST_CASE("machines are begun within their bounds, and most of those of folds at their end") {
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    for (const auto& [n, first] : {std::pair{2, 1}, {5, 4}, {16, 7}, {17, 3}, {33, 32}, {40, 20}, {48, 1}, {64, 30}}) {
      for (const double c : {0.05, 1.0, 30.0}) {
        CAPTURE(name);
        std::mt19937 random(static_cast<unsigned>(n));
        check_starts(cpu, {n, first, 17, c, true}, random);
        // Of photos in more dimensions than there are photos, as those of faces are.
        const int met = check_starts(cpu, {n, first, 17, c, true, 128}, random);
        if (n >= 16 && first > 1 && c > 1) CHECK(met > 5 * 17 / 4);
      }
    }
  });
}

TEST_CASE("a start from numbers too large for floats, or the same photo many times, is within bounds or no number") {
  for_each_cpu([&](const Cpu& cpu, const std::string&) {
    for (const float scale : {0.0F, 1e-18F, 1.0F, 1e18F}) {
      std::mt19937 random(3);
      GuardedJob job(40, 20, 48, Touch::first, 1, random);
      for (std::size_t t = 0; t < job.rows.x.size(); ++t) job.rows.x[t] = scale * job.rows.x[t % (3 * job.rows.d)];
      job.complete(cpu, 40, 20, 48);
      GuardedStart is(job, 48, Touch::last);
      const Buffer scratch(start_pairs_scratch * sizeof(float));
      start_pairs(cpu, {&is.start, 1, 48, 1, 1e-3F, true, scratch.as<float>()});
      for (int t = 0; t < 40; ++t) CHECK_FALSE(std::abs(is.start.beta[t]) > 1);
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
