// The kernels dot_matrix and solve_pair against their plain forms, on every instruction set of this CPU.
#include <wajah/svm/dot_matrix.hpp>
#include <wajah/svm/kernel.hpp>
#include <wajah/svm/pair.hpp>
#include <wajah/svm/svm.hpp>

#include "check.hpp"
#include "svm/data.hpp"

#include <doctest/doctest.h>

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

TEST_CASE("every instruction set gives the same kernel values to the bit, and writes nothing else") {
  constexpr float untouched = -7;
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    for (const std::size_t d : {1, 15, 16, 17, 33, 128}) {
      for (const auto& [m, n] : {std::pair{1, 1}, {3, 5}, {4, 10}, {9, 11}}) {
        const Data a = blobs(one_label, static_cast<std::size_t>(m), d, 1, 1);
        const Data b = blobs(one_label, static_cast<std::size_t>(n), d, 1, 2);
        const auto stride = static_cast<std::size_t>(n) + 3;
        for (const Kernel& kernel : {Kernel{}, Kernel{KernelKind::rbf, 0.3}}) {
          std::vector<float> values(static_cast<std::size_t>(m) * stride, untouched);
          gram(cpu, kernel, rows_of(a.x, d), rows_of(b.x, d), values.data(), stride);
          for (std::size_t i = 0; i < static_cast<std::size_t>(m); ++i)
            for (std::size_t j = 0; j < stride; ++j) {
              CAPTURE(name);
              CAPTURE(d);
              const float expected = j < static_cast<std::size_t>(n)
                                         ? static_cast<float>(kernel(a.row(i).data(), b.row(j).data(), d))
                                         : untouched;
              CHECK(values[i * stride + j] == expected);
            }
        }
      }
    }
  });
}

// A memory limit that the whole matrix does not fit sends the pair to the plain solver.
TEST_CASE("small pairs end where the plain solver ends, with the same numbers on every instruction set") {
  for (const auto& [m, n] : {std::pair{1, 1}, {2, 5}, {7, 8}, {9, 8}, {20, 20}, {40, 3}, {60, 70}}) {
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
      std::optional<Pair> scalar;
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
        if (!scalar) scalar = fast;
        CHECK(fast.first == scalar->first);
        CHECK(fast.second == scalar->second);
        CHECK(fast.rho == scalar->rho);
      });
    }
  }
}
