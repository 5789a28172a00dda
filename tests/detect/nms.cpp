#include <wajah/detect/nms.hpp>

#include "check.hpp"

#include <algorithm>
#include <ctime>
#include <numeric>
#include <tuple>
#include <vector>

using namespace wajah;

namespace {

double area(const Box& b) { return (b.x2 - b.x1 + 1) * (b.y2 - b.y1 + 1); }

double overlap_of(const Box& a, const Box& b, Overlap kind) {
  const double w = std::max(0.0, std::min(a.x2, b.x2) - std::max(a.x1, b.x1) + 1);
  const double h = std::max(0.0, std::min(a.y2, b.y2) - std::max(a.y1, b.y1) + 1);
  return w * h / (kind == Overlap::of_smaller ? std::min(area(a), area(b)) : area(a) + area(b) - w * h);
}

// The definition: sort, take the last, strike out what it covers.
std::vector<std::uint32_t> by_definition(const std::vector<ScoredBox>& boxes, double threshold, Overlap kind) {
  std::vector<std::uint32_t> left(boxes.size()), kept;
  std::iota(left.begin(), left.end(), 0U);
  std::ranges::stable_sort(left, {}, [&](std::uint32_t i) { return boxes[i].score; });
  while (!left.empty()) {
    const std::uint32_t best = left.back();
    left.pop_back();
    kept.push_back(best);
    std::erase_if(left, [&](std::uint32_t i) { return overlap_of(boxes[best].box, boxes[i].box, kind) > threshold; });
  }
  return kept;
}

std::vector<ScoredBox> random_boxes(std::mt19937& random, int count, int spread, int largest) {
  std::vector<ScoredBox> boxes;
  const auto number = [&](int end) { return static_cast<double>(random() % static_cast<unsigned>(end)); };
  for (int i = 0; i < count; ++i) {
    const double x = number(2 * spread) - spread, y = number(spread), side = number(largest);
    boxes.push_back({{x, y, x + side, y + number(largest)}, static_cast<float>(i) / static_cast<float>(count)});
  }
  std::ranges::shuffle(boxes, random);
  return boxes;
}

}  // namespace

TEST_CASE("suppression equals its definition") {
  std::mt19937 random(3);
  for (const auto& [count, spread, largest] :
       {std::tuple{1, 10, 5}, {40, 30, 20}, {400, 100, 60}, {400, 20000, 9}, {700, 5, 300}}) {
    const std::vector<ScoredBox> boxes = random_boxes(random, count, spread, largest);
    for (const double threshold : {0.0, 0.3, 0.5, 0.7, 1.0}) {
      for (const Overlap kind : {Overlap::of_union, Overlap::of_smaller}) {
        CHECK(suppress(boxes, threshold, kind) == by_definition(boxes, threshold, kind));
      }
    }
  }
}

TEST_CASE("suppression of nothing is nothing") { CHECK(suppress({}, 0.5, Overlap::of_union).empty()); }

TEST_CASE("equal scores stand as numpy 2.4 on AVX-512 sorted them") {
  struct Known {
    int count;
    unsigned different;  // scores
    std::uint64_t hash;
  };
  const std::vector<Known> known{
#include "numpy_order_golden.inc"
  };
  for (const auto& [count, different, hash] : known) {
    std::mt19937 random(5);
    std::vector<ScoredBox> boxes;  // far apart, so that all are kept
    for (int i = 0; i < count; ++i) {
      const float score = static_cast<float>(random() % different) / static_cast<float>(different);
      boxes.push_back({{i * 10.0, 0, i * 10.0 + 5, 5}, score});
    }
    std::uint64_t got = 14695981039346656037U;  // FNV-1a over indices
    for (const std::uint32_t i : suppress(boxes, 0.5, Overlap::of_union)) got = (got ^ i) * 1099511628211U;
    CAPTURE(count);
    CAPTURE(different);
    CHECK(got == hash);
  }
}

TEST_CASE("a box inside another goes by the smaller area, stays by the union") {
  const std::vector<ScoredBox> boxes{{{0, 0, 99, 99}, 0.9F}, {{10, 10, 19, 19}, 0.8F}};
  CHECK(suppress(boxes, 0.7, Overlap::of_smaller) == std::vector<std::uint32_t>{0});
  CHECK(suppress(boxes, 0.7, Overlap::of_union) == std::vector<std::uint32_t>{0, 1});
}

TEST_CASE("a crowd of fifty thousand boxes is no quadratic matter") {
  std::mt19937 random(4);
  const std::vector<ScoredBox> boxes = random_boxes(random, 50'000, 4000, 30);
  const auto before = std::clock();
  CHECK(suppress(boxes, 0.5, Overlap::of_union).size() > 10'000);
  CHECK(std::clock() - before < CLOCKS_PER_SEC);
}
