// Non-maximum suppression of kernels/cuda through the host build, against the CPU's.
#include <wajah/detect/cuda_nms.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "check.hpp"
#include "cuda_host/emulated_cuda.hpp"

namespace wajah {
namespace {

constexpr Overlap both[] = {Overlap::of_union, Overlap::of_smaller};

// Whole pixels, or any number, with scores that are all different.
std::vector<ScoredBox> random_boxes(std::mt19937& random, int count, int spread, bool whole) {
  const auto number = [&](double from, double to) {
    const double value = std::uniform_real_distribution<double>(from, to)(random);
    return whole ? std::floor(value) : value;
  };
  std::vector<ScoredBox> boxes;
  for (int i = 0; i < count; ++i) {
    const double x = number(-spread, spread), y = number(0, spread), side = number(1, 40);
    boxes.push_back({{x, y, x + side, y + number(1, 40)}, static_cast<float>(i + 1) / static_cast<float>(count)});
  }
  std::ranges::shuffle(boxes, random);
  return boxes;
}

// As src/detect/overlap.hpp computes it.
double overlap_of(const Box& a, const Box& b, Overlap kind) {
  const auto area = [](const Box& box) { return (box.width() + 1) * (box.height() + 1); };
  const double w = std::max(0.0, std::min(a.x2, b.x2) - std::max(a.x1, b.x1) + 1);
  const double h = std::max(0.0, std::min(a.y2, b.y2) - std::max(a.y1, b.y1) + 1), common = w * h;
  return common / (kind == Overlap::of_smaller ? std::min(area(a), area(b)) : area(a) + area(b) - common);
}

TEST_CASE("cuda kernels: suppression keeps what the CPU's keeps, in its order") {
  const EmulatedCuda cuda;
  std::mt19937 random(6);
  for (const int count : {0, 1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 300}) {
    for (const int spread : {12, 150}) {
      for (const bool whole : {true, false}) {
        const std::vector<ScoredBox> boxes = random_boxes(random, count, spread, whole);
        for (const double threshold : {0.0, 0.3, 0.7}) {
          for (const Overlap kind : both) {
            const auto expected = suppress(boxes, threshold, kind);
            const auto got = suppress_on_card(cuda, boxes, threshold, kind);
            CHECK_MESSAGE(got == expected, fmt::format("{} boxes{} of a spread of {}, threshold {}{}", count,
                                                       whole ? "" : " not of whole pixels", spread, threshold,
                                                       kind == Overlap::of_union ? "" : ", of the smaller"));
          }
        }
      }
    }
  }
}

TEST_CASE("cuda kernels: a box goes when it is covered by more than the threshold, to the last bit") {
  const EmulatedCuda cuda;
  std::mt19937 random(7);
  int pairs = 0;
  while (pairs < 200) {
    const std::vector<ScoredBox> boxes = random_boxes(random, 2, 20, false);
    for (const Overlap kind : both) {
      const double overlap = overlap_of(boxes[0].box, boxes[1].box, kind);
      if (overlap == 0) continue;
      ++pairs;
      REQUIRE(suppress_on_card(cuda, boxes, overlap, kind).value().size() == 2);
      REQUIRE(suppress_on_card(cuda, boxes, std::nextafter(overlap, 0.0), kind).value().size() == 1);
    }
  }
}

TEST_CASE("cuda kernels: suppression of a chain, whose every box hangs on the one before") {
  const EmulatedCuda cuda;
  std::vector<ScoredBox> boxes;
  std::vector<std::uint32_t> every_other;
  for (std::uint32_t i = 0; i < 200; ++i) {
    boxes.push_back({{6.0 * i, 0, 6.0 * i + 9, 9}, 1.0F / static_cast<float>(i + 1)});
    if (i % 2 == 0) every_other.push_back(i);
  }
  CHECK(suppress_on_card(cuda, boxes, 0.2, Overlap::of_union) == every_other);
}

TEST_CASE("cuda kernels: boxes without width cover nothing and are kept") {
  const EmulatedCuda cuda;
  const std::vector<ScoredBox> boxes{
      {{5, 5, 4, 9}, 0.5F}, {{5, 5, 4, 9}, 0.25F}, {{5, 5, 2, 9}, 0.75F}, {{0, 0, 20, 20}, 0.9F}};
  for (const Overlap kind : both) {
    CHECK(suppress_on_card(cuda, boxes, 0.0, kind) == suppress(boxes, 0.0, kind));
  }
}

// Scores of few kinds, and lists around the sizes at which numpy's method changes: networks of powers of two up to 256,
// then partitions by blocks of 32 with up to 31 values left over.
TEST_CASE("cuda kernels: equal scores stand in numpy's order, as on the CPU") {
  const EmulatedCuda cuda;
  std::mt19937 random(8);
  for (const int count : {2, 3, 17, 64, 200, 255, 256, 257, 287, 288, 289, 511, 640, 1000, 1999}) {
    for (const unsigned kinds : {1U, 2U, 20U, 5000U}) {
      std::vector<ScoredBox> boxes = random_boxes(random, count, 400, true);
      // More of the larger ones, as of a network that is sure of what it found.
      for (ScoredBox& scored : boxes) {
        scored.score = static_cast<float>(std::max(random() % kinds, random() % kinds)) / static_cast<float>(kinds);
      }
      const auto got = suppress_on_card(cuda, boxes, 0.3, Overlap::of_union);
      REQUIRE(got.has_value());
      CHECK_MESSAGE(*got == suppress(boxes, 0.3, Overlap::of_union),
                    count << " boxes, scores of " << kinds << " kinds");
    }
  }
  const std::vector<ScoredBox> zeros{{{0, 0, 9, 9}, 0.0F}, {{0, 0, 9, 9}, -0.0F}};
  CHECK(suppress_on_card(cuda, zeros, 0.3, Overlap::of_union) == suppress(zeros, 0.3, Overlap::of_union));
}

// Where most values are the smallest there is, it is numpy's pivot time after time, and all others stay in one part:
// numpy gives up after some steps, and then nobody but the C++ library knows where equal values stand.
TEST_CASE("cuda kernels: a list that takes numpy too many steps is left to the CPU") {
  const EmulatedCuda cuda;
  std::mt19937 random(10);
  std::vector<ScoredBox> boxes = random_boxes(random, 400, 400, true);
  for (ScoredBox& scored : boxes) scored.score = random() % 20 == 0 ? 1.0F : 0.5F;
  CHECK_FALSE(suppress_on_card(cuda, boxes, 0.3, Overlap::of_union).has_value());
  CHECK(suppress(cuda, boxes, 0.3, Overlap::of_union) == suppress(boxes, 0.3, Overlap::of_union));
}

TEST_CASE("cuda kernels: several problems share a launch, empty ones among them") {
  const EmulatedCuda cuda;
  std::mt19937 random(9);
  std::vector<ScoredCardBox> all;
  std::vector<int> starts{0};
  std::vector<std::vector<std::uint32_t>> expected;
  for (const int count : {70, 0, 1, 300, 0}) {
    std::vector<ScoredBox> boxes = random_boxes(random, count, 60, true);
    for (ScoredBox& scored : boxes) scored.score = static_cast<float>(random() % 9);
    expected.push_back(suppress(boxes, 0.5, Overlap::of_union));
    for (const auto& [box, score] : boxes) all.push_back({box.x1, box.y1, box.x2, box.y2, score});
    starts.push_back(static_cast<int>(all.size()));
  }
  const int room = 500, problems = static_cast<int>(expected.size());
  const Buffer boxes = cuda.uploaded(all.data(), all.size() * sizeof(ScoredCardBox));
  const Buffer begins = cuda.uploaded(starts.data(), starts.size() * sizeof(int));
  const Buffer order = cuda.allocate(room * sizeof(int)), kept = cuda.allocate(room * sizeof(int));
  const Buffer covers = cuda.allocate(nms_covers(room) * sizeof(std::uint64_t));
  const Buffer counts = cuda.allocate(expected.size() * sizeof(int)), failed = cuda.allocate(sizeof(int));
  *failed.as<int>() = 0;
  nms(cuda, NmsArgs{boxes.as<ScoredCardBox>(), begins.as<int>(), problems, room, 0.5, false, order.as<int>(),
                    covers.as<std::uint64_t>(), kept.as<int>(), counts.as<int>(), failed.as<int>()});
  CHECK(*failed.as<int>() == 0);
  for (std::size_t p = 0; p < expected.size(); ++p) {
    const int* const first = kept.as<int>() + starts[p];
    CHECK(std::vector<std::uint32_t>(first, first + counts.as<int>()[p]) == expected[p]);
  }
}

TEST_CASE("cuda kernels: more boxes than the card takes are the CPU's work") {
  const EmulatedCuda cuda;
  std::vector<ScoredBox> boxes;
  for (int i = 0; i <= most_nms_boxes; ++i) boxes.push_back({{12.0 * i, 0, 12.0 * i + 9, 9}, static_cast<float>(i)});
  CHECK_FALSE(suppress_on_card(cuda, boxes, 0.5, Overlap::of_union).has_value());
  std::vector<std::uint32_t> all(boxes.size());
  std::iota(all.rbegin(), all.rend(), 0U);
  CHECK(suppress(cuda, boxes, 0.5, Overlap::of_union) == all);
}

}  // namespace
}  // namespace wajah
