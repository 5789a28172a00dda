// P-Net in one launch for many levels, through the host build, against the layers of networks/mtcnn.hpp on the CPU.
#include <wajah/cuda_kernels.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/mtcnn.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <span>
#include <tuple>
#include <vector>

#include "check.hpp"
#include "cuda_host/emulated_cuda.hpp"
#include "detect/random_pnet.hpp"

namespace wajah {
namespace {

using Sizes = std::vector<std::pair<int, int>>;  // of levels, in pixels

constexpr float untouched = -7;

// Random levels, and what P-Net says of each.
class Scene {
 public:
  explicit Scene(const Sizes& sizes, unsigned seed = 1) : random_(seed), weights_(random_pnet(random_)) {
    const auto model = std::make_shared<const Model<PNet, Cpu>>(Cpu(), weights_);
    Session<PNet, Cpu> session(model);
    for (const auto& [width, height] : sizes) {
      const Shape shape{1, height, width, 3};
      std::vector<float> x;
      const LevelPixels level{nullptr, width, height};
      std::vector<std::uint8_t> bytes(level.bytes());
      for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random_());
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (static_cast<int>(i) % level.pitch() >= 3 * width) continue;
        x.push_back((static_cast<float>(bytes[i]) - 127.5F) * 0.0078125F);
      }
      const ConstView<float> y = session.forward({x.data(), shape});
      shapes.push_back(y.shape);
      expected_.emplace_back(y.data, y.data + y.shape.size());
      pixels_.push_back({bytes, level});
    }
  }

  struct Found {
    int count = 0;
    std::vector<int> of_level;
    std::vector<PNetPlace> places;  // as many as there was room for
    std::vector<float> opposites;
  };

  [[nodiscard]] Found look(const EmulatedCuda& cuda, float threshold, int room, int first_level = 0) const {
    const std::size_t levels = pixels_.size() + static_cast<std::size_t>(first_level);
    const auto packed = pack_pnet_for_card(*load_pnet_weights(weights_));
    const Buffer weights = cuda.uploaded(packed.get(), sizeof *packed);
    const std::vector<int> counts(1 + levels, 100);
    const std::vector<float> opposites(4 * levels, untouched);
    const Buffer counts_card = cuda.uploaded(counts.data(), counts.size() * sizeof(int));
    const Buffer opposites_card = cuda.uploaded(opposites.data(), opposites.size() * sizeof(float));
    const Buffer places = cuda.allocate(static_cast<std::size_t>(room) * sizeof(PNetPlace));
    PNetLevelsArgs args{.weights = weights.as<PNetCardWeights>(),
                        .first_level = first_level,
                        .threshold = threshold,
                        .to = {counts_card.as<int>(), counts_card.as<int>() + 1, places.as<PNetPlace>(), room,
                               opposites_card.as<float>()}};
    std::vector<Buffer> memory;
    for (const auto& [bytes, level] : pixels_) {
      memory.push_back(cuda.uploaded(bytes.data(), bytes.size()));
      args.levels[args.count++] = {memory.back().as<std::uint8_t>(), level.width, level.height};
    }
    pnet_levels(cuda, args);
    pnet_opposites(cuda, args);
    Found found{*args.to.found, {args.to.of_level, args.to.of_level + levels}, {}, {}};
    const int here = std::min(found.count - (first_level > 0 ? 100 : 0), room);
    found.places.assign(args.to.places, args.to.places + here);
    found.opposites.assign(args.to.opposites, args.to.opposites + 4 * levels);
    return found;
  }

  // What P-Net says of a place: both probabilities and the regression.
  [[nodiscard]] const float* at(std::size_t level, int column, int row) const {
    return ConstView<float>(expected_[level].data(), shapes[level]).pixel(0, row, column);
  }
  [[nodiscard]] std::vector<float> scores(std::size_t level) const {
    std::vector<float> all;
    for (std::size_t i = 1; i < expected_[level].size(); i += 6) all.push_back(expected_[level][i]);
    std::ranges::sort(all, std::ranges::greater{});
    return all;
  }
  // Of all regressions the largest.
  [[nodiscard]] double largest() const {
    double most = 1;
    for (const auto& numbers : expected_) {
      for (const float number : numbers) most = std::max(most, std::abs(static_cast<double>(number)));
    }
    return most;
  }

  std::vector<Shape> shapes;  // of what P-Net says

 private:
  std::mt19937 random_;
  Weights weights_;
  std::vector<std::vector<float>> expected_;
  std::vector<std::pair<std::vector<std::uint8_t>, LevelPixels>> pixels_;
};

void check_numbers(const Scene& scene, const PNetPlace& place) {
  const float* const p = scene.at(static_cast<std::size_t>(place.level), place.column, place.row);
  const std::string name = fmt::format("level {} column {} row {}", place.level, place.column, place.row);
  check_close(name, std::span(&place.score, 1), std::span(p + 1, 1), {1e-5, 0});
  check_close(name, std::span(place.regression), std::span(p + 2, 4), {1e-5 * scene.largest(), 0});
}

// Every place at or above the threshold is told once, with P-Net's numbers; those at the threshold itself may be
// missing.
void check_places(const Scene& scene, const Scene::Found& found, float threshold) {
  constexpr float near = 1e-5F;
  std::map<std::tuple<int, int, int>, int> times;
  std::vector<int> of_level(scene.shapes.size());
  for (const PNetPlace& place : found.places) {
    ++times[{place.level, place.column, place.row}];
    ++of_level[static_cast<std::size_t>(place.level)];
    const Shape& shape = scene.shapes[static_cast<std::size_t>(place.level)];
    REQUIRE(place.column >= 0);
    REQUIRE(place.row >= 0);
    REQUIRE(place.column < shape.w);
    REQUIRE(place.row < shape.h);
    CHECK(place.score >= threshold);
    check_numbers(scene, place);
  }
  CHECK(found.count == static_cast<int>(found.places.size()));
  CHECK(found.of_level == of_level);
  for (std::size_t level = 0; level < scene.shapes.size(); ++level) {
    for (int i = 0; i < static_cast<int>(scene.shapes[level].pixels()); ++i) {
      const int column = i % scene.shapes[level].w, row = i / scene.shapes[level].w;
      const float score = scene.at(level, column, row)[1];
      const int told = times[{static_cast<int>(level), column, row}];
      CHECK(told <= 1);
      if (score >= threshold + near) CHECK(told == 1);
    }
  }
}

// Beside the tiles of 16 x 32 places: n places have 2 n + 9 or 2 n + 10 pixels, and an odd map is pooled to its end.
const Sizes beside_tiles[] = {{{12, 12}},
                              {{13, 12}, {12, 13}, {13, 13}, {14, 14}, {15, 12}},
                              {{39, 71}, {40, 72}},
                              {{41, 73}, {42, 74}},
                              {{43, 75}, {44, 76}},
                              {{42, 12}, {12, 74}, {43, 12}, {12, 75}, {44, 13}, {13, 76}},
                              {{74, 75}, {75, 20}, {76, 33}, {12, 12}, {107, 14}}};

TEST_CASE("cuda kernels: P-Net on levels beside the size of a tile, every place and some") {
  const EmulatedCuda cuda;
  unsigned seed = 1;
  for (const Sizes& sizes : beside_tiles) {
    const Scene scene(sizes, ++seed);
    CAPTURE(sizes.front().first);
    check_places(scene, scene.look(cuda, 0, 10'000), 0);
    const std::vector<float> scores = scene.scores(0);
    const float middle = scores[scores.size() / 2];
    check_places(scene, scene.look(cuda, middle, 10'000), middle);
  }
}

TEST_CASE("cuda kernels: no place of a level reaches the threshold, or more than there is room for") {
  const EmulatedCuda cuda;
  const Scene scene({{61, 40}, {43, 29}});
  const Scene::Found none = scene.look(cuda, 2, 100);
  CHECK(none.count == 0);
  CHECK(none.of_level == std::vector{0, 0});
  CHECK(std::ranges::count(none.opposites, untouched) == 8);
  const auto all = static_cast<int>(scene.shapes[0].pixels() + scene.shapes[1].pixels());
  for (const int room : {1, 7, all - 1, all}) {
    const Scene::Found some = scene.look(cuda, 0, room);
    CHECK(some.count == all);
    CHECK(some.of_level ==
          std::vector{static_cast<int>(scene.shapes[0].pixels()), static_cast<int>(scene.shapes[1].pixels())});
    for (const PNetPlace& place : some.places) check_numbers(scene, place);
  }
}

TEST_CASE("cuda kernels: later levels are told by their own number, and their places come after the earlier ones'") {
  const EmulatedCuda cuda;
  const Scene scene({{30, 20}, {21, 14}});
  const Scene::Found found = scene.look(cuda, 0, 0, 3);
  const int first = static_cast<int>(scene.shapes[0].pixels()), second = static_cast<int>(scene.shapes[1].pixels());
  CHECK(found.count == 100 + first + second);  // 100 were there before
  CHECK(found.of_level == std::vector{100, 100, 100, first, second});
}

TEST_CASE("cuda kernels: the opposite place of a level's only one, and of no other level") {
  const EmulatedCuda cuda;
  const Scene scene({{33, 27}, {46, 31}, {75, 20}, {12, 12}, {13, 15}, {29, 12}});
  int only = 0, others = 0;
  for (std::size_t chosen = 0; chosen < scene.shapes.size(); ++chosen) {
    const std::vector<float> scores = scene.scores(chosen);
    const float threshold = scores.size() == 1 ? scores[0] - 1e-3F : (scores[0] + scores[1]) / 2;
    const Scene::Found found = scene.look(cuda, threshold, 1000);
    for (std::size_t level = 0; level < scene.shapes.size(); ++level) {
      const std::span<const float> got = std::span(found.opposites).subspan(4 * level, 4);
      if (found.of_level[level] != 1) {
        ++others;
        CHECK(std::ranges::count(got, untouched) == 4);
        continue;
      }
      ++only;
      const auto place = std::ranges::find(found.places, static_cast<int>(level), &PNetPlace::level);
      REQUIRE(place != found.places.end());
      const float* const p = scene.at(level, scene.shapes[level].w - 1 - place->column, place->row);
      check_close(fmt::format("level {}", level), got, std::span(p + 2, 4), {1e-5 * scene.largest(), 0});
    }
    const Scene::Found cramped = scene.look(cuda, threshold, 0);
    CHECK(std::ranges::count(cramped.opposites, untouched) == std::ssize(cramped.opposites));
  }
  CHECK(only >= static_cast<int>(scene.shapes.size()));
  CHECK(others > 3);
}

}  // namespace
}  // namespace wajah
