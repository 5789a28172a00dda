#include <wajah/search/index.hpp>

#include <wajah/error.hpp>
#include <wajah/search/score_rows.hpp>

#include "check.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace wajah;

namespace {

std::vector<float> unit_vectors(std::size_t n, std::size_t d, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n * d);
  for (std::size_t r = 0; r < n; ++r) {
    double length = 0;
    for (std::size_t k = 0; k < d; ++k) {
      values[r * d + k] = normal(random);
      length += static_cast<double>(values[r * d + k]) * static_cast<double>(values[r * d + k]);
    }
    for (std::size_t k = 0; k < d; ++k) values[r * d + k] /= static_cast<float>(std::sqrt(length));
  }
  return values;
}

std::span<const float> row(const std::vector<float>& values, std::size_t d, std::size_t r) {
  return {values.data() + r * d, d};
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += static_cast<double>(a[k]) * static_cast<double>(b[k]);
  return sum;
}

// By definition: all scores, sorted.
std::vector<Hit> definition(const std::vector<float>& values, std::size_t d, std::span<const float> query,
                            std::size_t k) {
  std::vector<Hit> hits;
  for (std::size_t r = 0; r < values.size() / d; ++r) {
    hits.push_back({static_cast<std::int64_t>(r), static_cast<float>(dot(row(values, d, r), query))});
  }
  std::sort(hits.begin(), hits.end(), [](auto& a, auto& b) { return a.score > b.score; });
  hits.resize(std::min(k, hits.size()));
  return hits;
}

constexpr Storage storages[] = {Storage::fp32, Storage::fp16, Storage::int8};

}  // namespace

TEST_CASE("a search finds what the definition finds, on every instruction set, at sizes beside the vector width") {
  for_each_cpu([](const Cpu& cpu, const std::string& name) {
    for (const std::size_t d : {1, 15, 16, 17, 63, 64, 65, 128}) {
      const auto values = unit_vectors(61, d, 1), queries = unit_vectors(3, d, 2);
      for (const Storage storage : storages) {
        Index index(d, storage, cpu);
        for (std::size_t r = 0; r < 61; ++r) index.add(static_cast<std::int64_t>(r), row(values, d, r));
        for (std::size_t q = 0; q < 3; ++q) {
          const auto expected = definition(values, d, row(queries, d, q), 5);
          const auto hits = index.nearest(row(queries, d, q), 5);
          REQUIRE(hits.size() == 5);
          CAPTURE(name);
          CAPTURE(d);
          for (std::size_t i = 0; i < 5; ++i) {
            CHECK(std::abs(hits[i].score - expected[i].score) < (storage == Storage::fp32 ? 1e-6 : 3e-4));
            if (d > 1 && storage != Storage::fp16) CHECK(hits[i].id == expected[i].id);
          }
        }
      }
    }
  });
}

TEST_CASE("scores of bytes are the same to the bit on every instruction set") {
  constexpr std::size_t d = 200, n = 37;
  const auto values = unit_vectors(n, d, 3), query = unit_vectors(1, d, 4);
  std::vector<Hit> first;
  for_each_cpu([&](const Cpu& cpu, const std::string&) {
    Index index(d, Storage::int8, cpu);
    for (std::size_t r = 0; r < n; ++r) index.add(static_cast<std::int64_t>(r), row(values, d, r));
    const auto hits = index.nearest(query, n);
    if (first.empty()) first = hits;
    CHECK(hits == first);
  });
}

TEST_CASE("recall of half floats and bytes among many") {
  constexpr std::size_t d = 512, n = 30'000, queries = 300, k = 5;
  const auto values = unit_vectors(n, d, 5), asked = unit_vectors(queries, d, 6);
  const Cpu cpu(2);
  Index exact(d, Storage::fp32, cpu);
  for (std::size_t r = 0; r < n; ++r) exact.add(static_cast<std::int64_t>(r), row(values, d, r));
  for (const Storage storage : {Storage::fp16, Storage::int8}) {
    Index index(d, storage, cpu);
    for (std::size_t r = 0; r < n; ++r) index.add(static_cast<std::int64_t>(r), row(values, d, r));
    std::size_t found = 0;
    for (std::size_t q = 0; q < queries; ++q) {
      std::set<std::int64_t> best;
      for (const Hit& hit : exact.nearest(row(asked, d, q), k)) best.insert(hit.id);
      for (const Hit& hit : index.nearest(row(asked, d, q), k)) found += best.count(hit.id);
    }
    CHECK(static_cast<double>(found) / (queries * k) >= (storage == Storage::int8 ? 0.999 : 0.99));
  }
}

TEST_CASE("adding, replacing and removing") {
  for (const Storage storage : storages) {
    Index index(4, storage, Cpu(1));
    CHECK(index.nearest(std::vector<float>(4), 3).empty());
    CHECK_FALSE(index.remove(7));
    const std::vector<float> east{1, 0, 0, 0}, north{0, 1, 0, 0}, up{0, 0, 1, 0};
    index.add(7, east);
    index.add(8, north);
    index.add(9, up);
    CHECK(index.nearest(north, 1)[0].id == 8);
    index.add(7, north);
    CHECK(index.size() == 3);
    CHECK(index.nearest(north, 2)[0].id == 7);  // equal to 8, the smaller id first
    CHECK(index.remove(7));
    CHECK(index.remove(8));
    CHECK(index.size() == 1);
    CHECK(index.nearest(up, 5) == std::vector<Hit>{{9, index.nearest(up, 1)[0].score}});
    CHECK(index.nearest(up, 5)[0].score == doctest::Approx(1).epsilon(1e-4));
  }
}

TEST_CASE("over several blocks, rows that moved are found where they are") {
  constexpr std::size_t d = 8, n = 40'000;
  const auto values = unit_vectors(n, d, 9);
  Index index(d, Storage::int8, Cpu(2));
  for (std::size_t r = 0; r < n; ++r) index.add(static_cast<std::int64_t>(r), row(values, d, r));
  for (std::size_t r = 0; r < n; r += 2) REQUIRE(index.remove(static_cast<std::int64_t>(r)));
  CHECK(index.size() == n / 2);
  for (std::size_t r = 1; r < n; r += 4'001 * 2) {
    const auto hits = index.nearest(row(values, d, r), 1);
    CHECK(hits[0].score == doctest::Approx(1).epsilon(1e-3));
    CHECK(hits[0].id % 2 == 1);
  }
}

TEST_CASE("vectors that do not fit are refused and change nothing") {
  Index index(3, Storage::int8, Cpu(1));
  CHECK_THROWS_WITH_AS(index.add(1, std::vector<float>(4)), "index: a vector of 4 values, expected 3", Error);
  CHECK_THROWS_WITH_AS(index.add(1, std::vector<float>{1, NAN, 0}), "index: a value of the vector is not finite",
                       Error);
  CHECK(index.size() == 0);
  CHECK_THROWS_AS((void)index.nearest(std::vector<float>(2), 1), Error);
  CHECK_THROWS_AS(Index(0, Storage::fp32, Cpu(1)), Error);
  index.add(1, std::vector<float>(3));  // zero, which has no direction
  CHECK(index.nearest(std::vector<float>{1, 0, 0}, 1)[0].score == 0);
}
