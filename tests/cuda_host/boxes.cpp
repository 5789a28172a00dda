// What a card does with boxes between the networks, against the same done plainly.
#include <wajah/detect/card_boxes.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <tuple>
#include <vector>

#include "check.hpp"
#include "cuda_host/brought.hpp"
#include "cuda_host/emulated_cuda.hpp"

namespace wajah {
namespace {

auto numbers_of(const ScoredCardBox& box) { return std::tuple(box.x1, box.y1, box.x2, box.y2, box.score); }
auto numbers_of(const CropWindow& window) { return std::tuple(window.x, window.y, window.width, window.height); }
template <class T>
auto all_numbers(const std::vector<T>& values) {
  std::vector<decltype(numbers_of(values[0]))> all;
  for (const T& value : values) all.push_back(numbers_of(value));
  return all;
}

// A list with room for `room` crops, of which `count` have been judged.
struct List {
  List(const EmulatedCuda& cuda, std::size_t room, int channels)
      : boxes(cuda.allocate(room * sizeof(ScoredCardBox))),
        windows(cuda.allocate(room * sizeof(CropWindow))),
        rows(cuda.allocate(room * static_cast<std::size_t>(channels) * sizeof(float))),
        numbers(cuda.allocate(2 * sizeof(int))),
        list{boxes.as<ScoredCardBox>(), windows.as<CropWindow>(), rows.as<float>(), channels,
             numbers.as<int>(),         numbers.as<int>() + 1} {}

  Buffer boxes, windows, rows, numbers;
  CropList list;
};

std::vector<PNetPlace> places_on_levels(std::mt19937& random, const std::vector<int>& counts) {
  std::vector<PNetPlace> places;
  for (int level = 0; level < static_cast<int>(counts.size()); ++level) {
    std::vector<int> where(1000);
    std::iota(where.begin(), where.end(), 0);
    std::ranges::shuffle(where, random);
    for (int i = 0; i < counts[static_cast<std::size_t>(level)]; ++i) {
      const int at = where[static_cast<std::size_t>(i)];
      const auto score = static_cast<float>(random() % 100) / 100;
      places.push_back({level, at % 25, at / 25, score, {1, 2, 3, score}});
    }
  }
  std::ranges::shuffle(places, random);
  return places;
}

TEST_CASE("cuda kernels: hits become boxes, level by level and by columns") {
  const EmulatedCuda cuda;
  std::mt19937 random(11);
  for (const auto& counts : std::vector<std::vector<int>>{{0}, {1}, {300, 0, 1, 40}, {2, 257, 0}}) {
    const std::vector<PNetPlace> places = places_on_levels(random, counts);
    const int levels = static_cast<int>(counts.size()), found = static_cast<int>(places.size()), room = 400;
    const Buffer on_card = cuda.allocate(room * sizeof(PNetPlace)), number = up(cuda, std::vector<int>{found});
    std::ranges::copy(places, on_card.as<PNetPlace>());
    const Buffer boxes = cuda.allocate(room * sizeof(ScoredCardBox)), sources = cuda.allocate(room * sizeof(int));
    const Buffer starts = cuda.allocate(static_cast<std::size_t>(levels + 1) * sizeof(int));
    const Buffer failed = up(cuda, std::vector<int>{7});
    const Buffer of_level = up(cuda, counts);
    std::vector<float> opposites;
    for (int i = 0; i < 4 * levels; ++i) opposites.push_back(static_cast<float>(5 + i));
    const Buffer opposites_card = up(cuda, opposites);
    GatherHitsArgs args{
        {number.as<int>(), of_level.as<int>(), on_card.as<PNetPlace>(), room, opposites_card.as<float>()},
        levels,
        {},
        boxes.as<ScoredCardBox>(),
        sources.as<int>(),
        starts.as<int>(),
        failed.as<int>()};
    for (int i = 0; i < levels; ++i) args.scales[i] = 0.6 * std::pow(0.709, i);
    gather_hits(cuda, args);
    CHECK(*failed.as<int>() == 0);

    std::vector<int> order(places.size()), expected_starts{0};
    std::iota(order.begin(), order.end(), 0);
    const auto place = [&](int i) { return places[static_cast<std::size_t>(i)]; };
    std::ranges::sort(order, {}, [&](int i) { return std::tuple(place(i).level, place(i).column, place(i).row); });
    CHECK(down<int>(cuda, sources, order.size()) == order);
    for (const int count : counts) expected_starts.push_back(expected_starts.back() + count);
    CHECK(down<int>(cuda, starts, expected_starts.size()) == expected_starts);
    for (std::size_t i = 0; i < order.size(); ++i) {
      const PNetPlace& from = place(order[i]);
      const double scale = args.scales[from.level];
      const ScoredCardBox box{std::trunc((2 * from.column + 1) / scale), std::trunc((2 * from.row + 1) / scale),
                              std::trunc((2 * from.column + 12) / scale), std::trunc((2 * from.row + 12) / scale),
                              from.score};
      CHECK(numbers_of(boxes.as<ScoredCardBox>()[i]) == numbers_of(box));
      const float* const regression = on_card.as<PNetPlace>()[order[i]].regression;
      const bool only = counts[static_cast<std::size_t>(from.level)] == 1;
      CHECK(regression[1] == (only ? static_cast<float>(6 + 4 * from.level) : 2));
    }
  }
}

TEST_CASE("cuda kernels: what was kept of all levels, one after another") {
  const EmulatedCuda cuda;
  std::vector<ScoredCardBox> boxes;
  std::vector<int> sources;
  for (int i = 0; i < 9; ++i) {
    boxes.push_back({1.0 * i, 0, 0, 0, 0.5F});
    sources.push_back(100 + i);
  }
  const Buffer boxes_card = up(cuda, boxes), sources_card = up(cuda, sources);
  const Buffer starts = up(cuda, std::vector<int>{0, 4, 4, 9}), counts = up(cuda, std::vector<int>{2, 0, 3});
  const Buffer kept = up(cuda, std::vector<int>{3, 1, -1, -1, 4, 0, 2, -1, -1});
  const Buffer joined = cuda.allocate(9 * sizeof(ScoredCardBox)), joined_sources = cuda.allocate(9 * sizeof(int));
  const Buffer joined_starts = cuda.allocate(2 * sizeof(int));
  join_levels(cuda, JoinLevelsArgs{3, boxes_card.as<ScoredCardBox>(), sources_card.as<int>(), starts.as<int>(),
                                   kept.as<int>(), counts.as<int>(), joined.as<ScoredCardBox>(),
                                   joined_sources.as<int>(), joined_starts.as<int>()});
  CHECK(down<int>(cuda, joined_starts, 2) == std::vector{0, 5});
  CHECK(down<int>(cuda, joined_sources, 5) == std::vector{103, 101, 108, 104, 106});
  CHECK(joined.as<ScoredCardBox>()[2].x1 == 8);
}

// As src/detect/cascade.cpp and judges.cpp have it.
ScoredCardBox square_of(const ScoredCardBox& box, const float* by, int extra) {
  const double w = box.x2 - box.x1 + extra, h = box.y2 - box.y1 + extra;
  const double x1 = box.x1 + double{by[0]} * w, y1 = box.y1 + double{by[1]} * h;
  const double x2 = box.x2 + double{by[2]} * w, y2 = box.y2 + double{by[3]} * h;
  const double side = std::max(x2 - x1, y2 - y1);
  const double left = x1 + (x2 - x1) * 0.5 - side * 0.5, upper = y1 + (y2 - y1) * 0.5 - side * 0.5;
  return {std::trunc(left), std::trunc(upper), std::trunc(left + side), std::trunc(upper + side), box.score};
}

bool is_crop(const ScoredCardBox& box) {
  const auto near = [](double at) { return std::abs(at) <= 1 << 20; };
  return near(box.x1) && near(box.y1) && near(box.x2) && near(box.y2) && box.x2 >= box.x1 && box.y2 >= box.y1;
}

std::vector<ScoredCardBox> boxes_of(std::mt19937& random, int count, unsigned kinds) {
  std::vector<ScoredCardBox> boxes;
  for (int i = 0; i < count; ++i) {
    const auto x = static_cast<double>(random() % 300), y = static_cast<double>(random() % 300);
    boxes.push_back({x, y, x + static_cast<double>(random() % 90), y + static_cast<double>(random() % 90),
                     static_cast<float>(random() % kinds)});
  }
  return boxes;
}

TEST_CASE("cuda kernels: the next network's crops, without those that have no pixels") {
  const EmulatedCuda cuda;
  std::mt19937 random(12);
  std::uniform_real_distribution<float> number(-0.4F, 0.4F);
  for (const int count : {0, 1, 255, 256, 257, 600}) {
    for (const bool by_place : {false, true}) {
      const auto size = static_cast<std::size_t>(count);
      const std::vector<ScoredCardBox> boxes = boxes_of(random, count, 5);
      constexpr std::size_t pitch = 7;
      std::vector<float> regressions(size * pitch + 1);
      for (float& value : regressions) value = number(random);
      for (std::size_t i = 3; i < size; i += 11) regressions[i * pitch] = i % 2 == 0 ? 1e30F : 5;
      for (std::size_t i = 4; i < size; i += 13) regressions[i * pitch] = std::numeric_limits<float>::quiet_NaN();
      std::vector<int> sources(size), kept(size);
      std::iota(sources.rbegin(), sources.rend(), 0);
      std::iota(kept.begin(), kept.end(), 0);
      std::ranges::sort(kept, std::ranges::greater{}, [&](int i) { return boxes[static_cast<std::size_t>(i)].score; });

      std::vector<int> order = kept;
      if (by_place) {
        std::ranges::sort(order, {}, [&](int i) {
          const ScoredCardBox& box = boxes[static_cast<std::size_t>(i)];
          return std::tuple(-box.score, box.x1, box.y1, box.x2, box.y2);
        });
      }
      std::vector<ScoredCardBox> expected;
      std::vector<CropWindow> windows;
      for (const int i : order) {
        const float* const by = &regressions[static_cast<std::size_t>(sources[static_cast<std::size_t>(i)]) * pitch];
        const ScoredCardBox crop = square_of(boxes[static_cast<std::size_t>(i)], by, 1);
        if (!is_crop(crop)) continue;
        expected.push_back(crop);
        windows.push_back({static_cast<int>(crop.x1) - 1, static_cast<int>(crop.y1) - 1,
                           static_cast<int>(crop.x2 - crop.x1) + 1, static_cast<int>(crop.y2 - crop.y1) + 1});
      }
      REQUIRE((count < 10 || expected.size() < size));

      const List next(cuda, size + 1, 6);
      const Buffer boxes_card = up(cuda, boxes), sources_card = up(cuda, sources), kept_card = up(cuda, kept);
      const Buffer number_card = up(cuda, std::vector<int>{count}), by_card = up(cuda, regressions);
      const Buffer scratch = cuda.allocate((size + 1) * sizeof(int));
      next_crops(cuda, NextCropsArgs{boxes_card.as<ScoredCardBox>(), sources_card.as<int>(), kept_card.as<int>(),
                                     number_card.as<int>(), scratch.as<int>(), by_card.as<float>(),
                                     static_cast<int>(pitch), 1, by_place, next.list});
      CHECK(down<int>(cuda, next.numbers, 2) == std::vector{static_cast<int>(expected.size()), 0});
      CHECK(all_numbers(down<ScoredCardBox>(cuda, next.boxes, expected.size())) == all_numbers(expected));
      CHECK(all_numbers(down<CropWindow>(cuda, next.windows, windows.size())) == all_numbers(windows));
    }
  }
}

TEST_CASE("cuda kernels: rows of batches are put one behind the other, as many as there are boxes") {
  const EmulatedCuda cuda;
  const List list(cuda, 10, 6);
  *list.list.count = 10;
  *list.list.judged = 0;
  std::vector<float> batch(4 * 6);
  for (int first = 0; first < 16; first += 4) {
    std::iota(batch.begin(), batch.end(), static_cast<float>(6 * first));
    const Buffer y = up(cuda, batch);
    collect_rows(cuda, CollectRowsArgs{{y.as<float>(), {4, 1, 1, 6}}, list.list});
    CHECK(*list.list.judged == std::min(first + 4, 10));
  }
  std::vector<float> expected(60);
  std::iota(expected.begin(), expected.end(), 0.0F);
  CHECK(down<float>(cuda, list.rows, 60) == expected);
}

// A judged list: boxes and rows, of which some are no numbers.
List judged_list(const EmulatedCuda& cuda, std::mt19937& random, int count) {
  List judged(cuda, static_cast<std::size_t>(count) + 1, 16);
  std::ranges::copy(boxes_of(random, count, 3), judged.list.boxes);
  std::uniform_real_distribution<float> number(0, 1);
  for (int i = 0; i < count * 16; ++i) judged.list.rows[i] = number(random);
  for (int i = 2; i < count; i += 7) judged.list.rows[i * 16 + 1 + i % 2] = std::numeric_limits<float>::quiet_NaN();
  *judged.list.count = *judged.list.judged = count;
  return judged;
}

ScoredCardBox regressed(const ScoredCardBox& box, const float* row) {
  const double w = box.x2 - box.x1 + 1, h = box.y2 - box.y1 + 1;
  return {box.x1 + double{row[2]} * w, box.y1 + double{row[3]} * h, box.x2 + double{row[4]} * w,
          box.y2 + double{row[5]} * h, row[1]};
}

TEST_CASE("cuda kernels: the boxes that a network takes for faces") {
  const EmulatedCuda cuda;
  std::mt19937 random(13);
  for (const int count : {0, 1, 256, 300}) {
    const List judged = judged_list(cuda, random, count);
    for (const bool by_network : {false, true}) {
      std::vector<ScoredCardBox> expected;
      std::vector<int> from;
      for (int i = 0; i < count; ++i) {
        const float* const row = judged.list.rows + i * 16;
        ScoredCardBox box = judged.list.boxes[i];
        box.score = row[1];
        if (by_network) box = regressed(box, row);
        const bool finite = std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2);
        if (!(row[1] > 0.6F) || !finite) continue;
        expected.push_back(box);
        from.push_back(i);
      }
      const auto room = static_cast<std::size_t>(count) + 1;
      const Buffer rivals = cuda.allocate(room * sizeof(ScoredCardBox)), sources = cuda.allocate(room * sizeof(int));
      const Buffer starts = cuda.allocate(2 * sizeof(int));
      select_judged(cuda, SelectJudgedArgs{judged.list, 0.6F, by_network, rivals.as<ScoredCardBox>(), sources.as<int>(),
                                           starts.as<int>()});
      CHECK(down<int>(cuda, starts, 2) == std::vector{0, static_cast<int>(expected.size())});
      CHECK(down<int>(cuda, sources, from.size()) == from);
      CHECK(all_numbers(down<ScoredCardBox>(cuda, rivals, expected.size())) == all_numbers(expected));
    }
  }
}

TEST_CASE("cuda kernels: faces and their landmarks") {
  const EmulatedCuda cuda;
  std::mt19937 random(14);
  const List judged = judged_list(cuda, random, 200);
  const std::vector<int> sources{3, 190, 0, 7}, kept{2, 0, 3};
  const Buffer sources_card = up(cuda, sources), kept_card = up(cuda, kept), count = up(cuda, std::vector<int>{3});
  const Buffer faces = cuda.allocate(4 * sizeof(CardFace)), faces_count = cuda.allocate(sizeof(int));
  read_faces(cuda, ReadFacesArgs{judged.list, sources_card.as<int>(), kept_card.as<int>(), count.as<int>(),
                                 faces.as<CardFace>(), faces_count.as<int>()});
  CHECK(*faces_count.as<int>() == 3);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const int source = sources[static_cast<std::size_t>(kept[i])];
    const ScoredCardBox& box = judged.list.boxes[source];
    const float* const row = judged.list.rows + source * 16;
    const ScoredCardBox expected = regressed(box, row);
    const CardFace& face = faces.as<CardFace>()[i];
    CHECK(std::tuple(face.box[0], face.box[1], face.box[2], face.box[3], face.score) == numbers_of(expected));
    CHECK(std::tuple(face.judged[0], face.judged[3]) == std::tuple(box.x1, box.y2));
    for (int k = 0; k < 5; ++k) {
      CHECK(face.points[2 * k] == static_cast<float>((box.x2 - box.x1 + 1) * double{row[6 + k]} + box.x1 - 1));
      CHECK(face.points[2 * k + 1] == static_cast<float>((box.y2 - box.y1 + 1) * double{row[11 + k]} + box.y1 - 1));
    }
  }
}

}  // namespace
}  // namespace wajah
