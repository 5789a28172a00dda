// Every kernel that is not a network's, in a small size: on the host, and on a card where there is one, where they are
// what compute-sanitizer watches (./test --gpu). Numbers go up and down by the device's own copies alone.
#include <wajah/cuda_kernels.hpp>
#include <wajah/detect/cuda_nms.hpp>
#include <wajah/detect/resize.hpp>
#include <wajah/embed/prewhiten.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/mtcnn.hpp>
#include <wajah/search/score_rows.hpp>
#include <wajah/svm/dot_matrix.hpp>
#include <wajah/svm/solve_pairs.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "check.hpp"
#include "cuda_host/brought.hpp"
#include "cuda_host/emulated_cuda.hpp"
#include "detect/random_pnet.hpp"
#include "layers/compare.hpp"
#include "svm/guarded_job.hpp"

namespace wajah {
namespace {

template <class Device>
void check_gram(const Device& device) {
  std::mt19937 random(1);
  constexpr int m = 33, n = 35, d = 65;
  const auto a = random_numbers(random, m * d, 1), b = random_numbers(random, n * d, 1);
  const Buffer a_card = up(device, a), b_card = up(device, b);
  for (const bool distance : {false, true}) {
    std::vector<float> expected(m * (n + 3), -7.0F);
    const Buffer y = up(device, expected);
    dot_matrix(Cpu(1, Isa::scalar),
               {{a.data(), {m, 1, 1, d}}, {b.data(), {n, 1, 1, d}}, expected.data(), n + 3, distance});
    dot_matrix(
        device,
        {{a_card.as<float>(), {m, 1, 1, d}}, {b_card.as<float>(), {n, 1, 1, d}}, y.as<float>(), n + 3, distance});
    CHECK(down<float>(device, y, expected.size()) == expected);
  }
}

template <class Device>
void check_scores(const Device& device) {
  std::mt19937 random(2);
  constexpr int count = 37, d = 130, padded = 192;
  const auto rows = random_numbers(random, count * d, 1), query = random_numbers(random, d, 1),
             scales = random_numbers(random, count, 1);
  std::vector<std::uint16_t> halves(rows.size());
  for (auto& half : halves) half = static_cast<std::uint16_t>(random() % 0x3C00U | (random() & 1U) << 15U);
  // The CPU's kernel wants bytes as the index has them, on whole cache lines.
  const Buffer bytes(count * padded), byte_query(padded);
  std::generate_n(bytes.as<std::uint8_t>(), count * padded, [&] { return static_cast<std::uint8_t>(random()); });
  std::generate_n(byte_query.as<std::int8_t>(), padded, [&] { return static_cast<std::int8_t>(random() % 255 - 127); });
  const int sum = std::accumulate(byte_query.as<std::int8_t>(), byte_query.as<std::int8_t>() + padded, 0);
  const Buffer rows_card = up(device, rows), query_card = up(device, query), halves_card = up(device, halves);
  const Buffer bytes_card = device.uploaded(bytes.as<>(), bytes.size()), scales_card = up(device, scales);
  const Buffer byte_query_card = device.uploaded(byte_query.as<>(), byte_query.size());
  std::vector<float> expected(count);
  const Buffer scores = up(device, expected);
  const Cpu cpu(1, Isa::scalar);
  score_float_rows(cpu, {rows.data(), query.data(), count, d, d, expected.data()});
  score_float_rows(device, {rows_card.as<float>(), query_card.as<float>(), count, d, d, scores.as<float>()});
  check_close("float rows", down<float>(device, scores, count), expected, {1e-5, 1e-5});
  score_half_rows(cpu, {halves.data(), query.data(), count, d, d, expected.data()});
  score_half_rows(device, {halves_card.as<std::uint16_t>(), query_card.as<float>(), count, d, d, scores.as<float>()});
  check_close("half rows", down<float>(device, scores, count), expected, {1e-5, 1e-5});
  score_byte_rows(cpu, {bytes.as<std::uint8_t>(), byte_query.as<std::int8_t>(), scales.data(), 0.25F, sum, count,
                        padded, expected.data()});
  score_byte_rows(device, {bytes_card.as<std::uint8_t>(), byte_query_card.as<std::int8_t>(), scales_card.as<float>(),
                           0.25F, sum, count, padded, scores.as<float>()});
  CHECK(down<float>(device, scores, count) == expected);
}

template <class Device>
void check_largest(const Device& device) {
  constexpr int count = 4099, k = 5;  // the last chunk is nearly empty
  std::mt19937 random(4);
  std::vector<float> scores(count);
  for (float& score : scores) score = static_cast<float>(random() % 200);
  std::vector<int> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](int i) { return scores[static_cast<std::size_t>(i)]; });
  order.resize(k);
  const auto room = static_cast<std::size_t>(top_k_room(count, k));
  const Buffer on_card = up(device, scores), best = device.allocate(room * sizeof(float));
  const Buffer where = device.allocate(room * sizeof(int));
  top_k(device, TopKArgs{on_card.as<float>(), count, k, best.as<float>(), where.as<int>()});
  CHECK(down<int>(device, where, k) == order);
}

template <class Device>
void check_unit_length(const Device& device) {
  std::mt19937 random(5);
  const Shape shape{6, 1, 1, 130};
  const auto x = random_numbers(random, shape.size(), 1);
  const Buffer both = up(device, x), one = up(device, x), united = device.allocate(shape.size() / 2 * sizeof(float));
  unite_views(device, UniteViewsArgs{{both.as<float>(), shape}, {united.as<float>(), shape.images(3)}});
  l2_normalise(device, L2NormaliseArgs{{one.as<float>(), shape}, {one.as<float>(), shape}});
  const auto units = down<float>(device, one, shape.size()), sums = down<float>(device, united, shape.size() / 2);
  const auto row = [&](const std::vector<float>& rows, int n) { return rows.begin() + std::ptrdiff_t{n} * shape.c; };
  for (int n = 0; n < 3; ++n) {
    CHECK(std::inner_product(row(units, n), row(units, n + 1), row(units, n), 0.0F) ==
          doctest::Approx(1).epsilon(1e-5));
    // The sum of two views, each of length 1, points as far from the one as from the other.
    const float to_first = std::inner_product(row(sums, n), row(sums, n + 1), row(units, 2 * n), 0.0F);
    const float to_second = std::inner_product(row(sums, n), row(sums, n + 1), row(units, 2 * n + 1), 0.0F);
    CHECK(to_first == doctest::Approx(to_second).epsilon(1e-3));
    CHECK(std::inner_product(row(sums, n), row(sums, n + 1), row(sums, n), 0.0F) == doctest::Approx(1).epsilon(1e-5));
  }
}

template <class Device>
void check_views(const Device& device) {
  std::mt19937 random(6);
  constexpr int side = 13;
  const Shape bytes{1, side, side, 3};
  Image crop(side, side);
  for (std::uint8_t& byte : crop.pixels) byte = static_cast<std::uint8_t>(random());
  std::vector<float> expected(bytes.size());
  prewhiten(crop, View<float>(expected.data(), bytes));
  const Buffer x = up(device, crop.pixels), y = device.allocate(2 * bytes.size() * sizeof(float));
  prewhiten(device, PrewhitenArgs{{x.as<std::uint8_t>(), bytes}, {y.as<float>(), bytes.images(2)}, 2});
  const auto views = down<float>(device, y, 2 * bytes.size());
  check_close("prewhiten", std::span(views).first(bytes.size()), expected, {1e-5, 1e-5});
  CHECK(views[bytes.size()] == views[std::size_t{side - 1} * 3]);
  standardise(device, StandardiseArgs{{x.as<std::uint8_t>(), bytes}, {y.as<float>(), bytes}, {0, 0, 0}, {1, 1, 1}, 1});
  CHECK(down<float>(device, y, 1)[0] == doctest::Approx(static_cast<float>(crop.pixels[0]) / 255).epsilon(1e-5));
}

template <class Device>
void check_suppression(const Device& device) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> place(0, 60);
  std::vector<ScoredBox> boxes;
  for (int i = 0; i < 129; ++i) {
    const double x = place(random), y = place(random);
    boxes.push_back({{x, y, x + 20, y + 25}, static_cast<float>(i + 1) / 200});
  }
  for (const Overlap kind : {Overlap::of_union, Overlap::of_smaller}) {
    CHECK(suppress_on_card(device, boxes, 0.4, kind) == suppress(boxes, 0.4, kind));
  }
}

// Levels as the CPU makes them, and what P-Net says of each place of them; the last has one place, its own opposite.
template <class Device>
void check_pyramid(const Device& device) {
  std::mt19937 random(9);
  Image image(41, 33);
  for (std::uint8_t& byte : image.pixels) byte = static_cast<std::uint8_t>(random());
  const Weights weights = random_pnet(random);
  const auto packed = pack_pnet_for_card(*load_pnet_weights(weights));
  const Buffer photo = up(device, image.pixels), weights_card = device.uploaded(packed.get(), sizeof *packed);
  constexpr std::size_t levels = 3, room = 400;
  const Buffer counts = device.allocate((1 + levels) * sizeof(int)), places = device.allocate(room * sizeof(PNetPlace));
  const Buffer opposites = device.allocate(4 * levels * sizeof(float));
  ResizeLevelsArgs resize{.x = {photo.template as<std::uint8_t>(), {1, image.height, image.width, 3}}};
  PNetLevelsArgs look{
      .weights = weights_card.template as<PNetCardWeights>(),
      .to = {counts.as<int>(), counts.as<int>() + 1, places.as<PNetPlace>(), int{room}, opposites.as<float>()}};
  std::vector<Buffer> memory;
  for (const auto& [width, height] : {std::pair{41, 33}, {29, 23}, {12, 12}}) {
    LevelPixels level{nullptr, width, height};
    memory.push_back(device.allocate(level.bytes()));
    level.data = memory.back().template as<std::uint8_t>();
    resize.levels[resize.count++] = look.levels[look.count++] = level;
  }
  resize_levels(device, resize);
  pnet_levels(device, look);
  pnet_opposites(device, look);
  const auto found = down<int>(device, counts, 1 + levels);
  REQUIRE(found == std::vector{16 * 12 + 10 * 7 + 1, 16 * 12, 10 * 7, 1});
  AreaResizer resizer{Cpu()};
  Session<PNet, Cpu> session(std::make_shared<const Model<PNet, Cpu>>(Cpu(), weights));
  std::vector<std::vector<float>> expected;
  for (const LevelPixels& level : std::span(look.levels).first(levels)) {
    std::vector<float> x(static_cast<std::size_t>(3 * level.width * level.height));
    const Shape shape{1, level.height, level.width, 3};
    resizer.rows(image, level.width, level.height, 0, {x.data(), shape});
    const ConstView<float> y = session.forward({x.data(), shape});
    expected.emplace_back(y.data, y.data + y.shape.size());
  }
  const int columns[] = {16, 10, 1};
  for (const PNetPlace& place : down<PNetPlace>(device, places, static_cast<std::size_t>(found[0]))) {
    const auto level = static_cast<std::size_t>(place.level);
    const float* const p = &expected[level][static_cast<std::size_t>(6 * (place.row * columns[level] + place.column))];
    CHECK(place.score == doctest::Approx(p[1]).epsilon(1e-4));
    for (int k = 0; k < 4; ++k) CHECK(place.regression[k] == doctest::Approx(p[2 + k]).epsilon(1e-4).scale(1));
  }
  const auto mirrored = down<float>(device, opposites, 4 * levels);
  check_close("opposite", std::span(mirrored).last(4), std::span(expected.back()).last(4), {1e-4, 1e-4});
}

// A job whose arrays have been brought to the device, and its results back.
template <class Device>
void check_training(const Device& device) {
  constexpr int n = 40, first = 17, padded = 48;
  std::mt19937 random(8), same = random;
  svm::test::GuardedJob given(n, first, padded, Touch::last, 1, random),
      expected(n, first, padded, Touch::last, 1, same);
  const auto bytes = [&](const auto* from, std::size_t count) { return device.uploaded(from, count * sizeof(*from)); };
  const Buffer gram = bytes(given.job.gram, n * padded), inverse = bytes(given.job.inverse, n * padded);
  const Buffer lower = bytes(given.job.lower, padded), upper = bytes(given.job.upper, padded);
  const Buffer beta = bytes(given.job.beta, padded), gradient = bytes(given.job.gradient, padded);
  PairJob job = given.job;
  job.gram = gram.as<float>();
  job.inverse = inverse.as<float>();
  job.lower = lower.as<double>();
  job.upper = upper.as<double>();
  job.beta = beta.as<double>();
  job.gradient = gradient.as<double>();
  const Buffer jobs = device.uploaded(&job, sizeof job);
  solve_pairs(device, {jobs.as<PairJob>(), 1, padded, 1e-3, 100 * n, true});
  solve_pairs(Cpu(1, Isa::scalar), {&expected.job, 1, padded, 1e-3, 100 * n, true});
  const auto solved = down<PairJob>(device, jobs, 1);
  CHECK(solved[0].met);
  CHECK(solved[0].rho == doctest::Approx(expected.job.rho).epsilon(1e-3));
  const auto betas = down<double>(device, beta, n);
  for (int t = 0; t < n; ++t) CHECK(std::abs(betas[static_cast<std::size_t>(t)] - expected.job.beta[t]) < 1e-2);
}

template <class Device>
void check_all(const Device& device) {
  check_gram(device);
  check_scores(device);
  check_largest(device);
  check_unit_length(device);
  check_views(device);
  check_suppression(device);
  check_pyramid(device);
  check_training(device);
}

TEST_CASE("cuda kernels: all that are no network's, by the device's own copies") { check_all(EmulatedCuda()); }

#ifdef WAJAH_HAVE_CUDA
TEST_CASE("on a card, small: kernels of search, training, suppression and what stands before and behind a network") {
  if (const auto card = small_card()) check_all(*card);
}
#endif

}  // namespace
}  // namespace wajah
