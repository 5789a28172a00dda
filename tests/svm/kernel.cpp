#include <wajah/svm/kernel.hpp>
#include <wajah/svm/kernel_matrix.hpp>

#include <wajah/error.hpp>

#include "svm/data.hpp"

#include <doctest/doctest.h>

#include <numeric>

using namespace wajah;
using namespace wajah::svm;
using namespace wajah::svm::test;

namespace {

constexpr int one_label[] = {0};

double definition(const Kernel& kernel, std::span<const float> a, std::span<const float> b) {
  double product = 0, distance = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    product += x * y;
    distance += (x - y) * (x - y);
  }
  return kernel.kind == KernelKind::linear ? product : std::exp(-kernel.gamma * distance);
}

}  // namespace

TEST_CASE("kernel values follow their definition at every width") {
  for (const std::size_t d : {1, 2, 12, 13, 15, 16, 17, 31, 32, 33, 127, 128, 512}) {
    const Data data = blobs(one_label, 5, d, 1, static_cast<unsigned>(d));
    for (const Kernel& kernel : {Kernel{}, Kernel{KernelKind::rbf, 0.7}}) {
      std::vector<float> values(25);
      gram(Cpu(1), kernel, data.problem().rows() == 5 ? rows_of(data.x, d) : ConstView<float>{}, rows_of(data.x, d),
           values.data(), 5);
      for (std::size_t i = 0; i < 5; ++i)
        for (std::size_t j = 0; j < 5; ++j) {
          CAPTURE(d);
          CHECK(kernel(data.row(i).data(), data.row(j).data(), d) ==
                doctest::Approx(definition(kernel, data.row(i), data.row(j))).epsilon(1e-6));
          CHECK(static_cast<double>(values[i * 5 + j]) ==
                doctest::Approx(kernel(data.row(i).data(), data.row(j).data(), d)).epsilon(1e-6));
          CHECK(values[i * 5 + j] == values[j * 5 + i]);
        }
    }
  }
}

TEST_CASE("the rbf kernel keeps its precision far from the origin") {
  // |a - b| = 0.5 at a distance of 1000 from 0: a.a + b.b - 2 a.b in float would be off by more than the difference.
  const std::vector<float> a(64, 125.0F), b(64, 125.0625F);
  CHECK(Kernel{KernelKind::rbf, 1}(a.data(), b.data(), 64) == doctest::Approx(std::exp(-0.25)).epsilon(1e-6));
}

TEST_CASE("a cache of rows answers as the whole matrix does, whatever it is asked in whatever order") {
  constexpr std::size_t n = 23, d = 7;
  const Data data = blobs(one_label, n, d, 1, 3);
  const Kernel kernel{KernelKind::rbf, 0.5};
  std::vector<float> values(n * n);
  gram(Cpu(1), kernel, rows_of(data.x, d), rows_of(data.x, d), values.data(), n);
  std::vector<const float*> rows;
  for (std::size_t r = 0; r < n; ++r) rows.push_back(data.row(r).data());

  for (const std::size_t lines : {0, 2, 3, 7, 100}) {
    GramMatrix whole(values, n);
    RowCache cache(kernel, rows, d, lines * n * sizeof(float));
    std::mt19937 random(1);
    std::size_t before = 0;
    const float* row_before = cache.row(before, n);
    for (int step = 0; step < 3000; ++step) {
      const std::size_t i = random() % n, j = random() % n, length = 1 + random() % n;
      if (step % 3 == 0) {
        whole.swap(i, j);
        cache.swap(i, j);
        before = i;
        row_before = cache.row(i, n);
        continue;
      }
      const float* got = cache.row(i, length);
      REQUIRE(std::equal(got, got + length, whole.row(i, length)));
      REQUIRE(cache.diagonal(i) == whole.diagonal(i));
      if (step % 3 == 1) REQUIRE(std::equal(row_before, row_before + n, whole.row(before, n)));  // two rows stay valid
    }
  }
}

TEST_CASE("a kernel matrix of the wrong size is refused") {
  CHECK_THROWS_WITH_AS(GramMatrix(std::vector<float>(5), 2), "kernel matrix: 5 values, expected 2 x 2", Error);
  CHECK_THROWS_AS(GramMatrix({}, 0), Error);
  CHECK_THROWS_AS(GramMatrix({}, std::size_t{1} << 32), Error);  // whose square is 0 in 64 bits
}
