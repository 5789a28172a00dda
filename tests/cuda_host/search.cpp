// The kernels of search and of the Gram matrix through the host build, against the CPU's.
#include <wajah/cuda_kernels.hpp>
#include <wajah/embed/prewhiten.hpp>
#include <wajah/search/cuda_index.hpp>
#include <wajah/search/score_rows.hpp>
#include <wajah/svm/dot_matrix.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "check.hpp"
#include "cuda_host/brought.hpp"
#include "cuda_host/emulated_cuda.hpp"
#include "layers/compare.hpp"

namespace wajah {
namespace {

TEST_CASE("cuda kernels: a Gram matrix is the CPU's to the bit, and nothing else is written") {
  const EmulatedCuda cuda;
  const Cpu cpu(1, Isa::scalar);
  std::mt19937 random(1);
  for (const int d : {1, 15, 16, 17, 63, 64, 65, 512}) {
    for (const auto& [m, n] : {std::pair{1, 1}, {3, 35}, {33, 31}, {64, 65}}) {
      const auto a = random_numbers(random, static_cast<std::size_t>(m) * static_cast<std::size_t>(d), 1);
      const auto b = random_numbers(random, static_cast<std::size_t>(n) * static_cast<std::size_t>(d), 1);
      const Buffer a_card = up(cuda, a), b_card = up(cuda, b);
      for (const bool distance : {false, true}) {
        std::vector<float> expected(static_cast<std::size_t>(m) * static_cast<std::size_t>(n + 3), -7.0F);
        const Buffer y = up(cuda, expected);
        dot_matrix(cpu, {{a.data(), {m, 1, 1, d}}, {b.data(), {n, 1, 1, d}}, expected.data(), n + 3, distance});
        dot_matrix(
            cuda,
            {{a_card.as<float>(), {m, 1, 1, d}}, {b_card.as<float>(), {n, 1, 1, d}}, y.as<float>(), n + 3, distance});
        std::vector<float> got(expected.size());
        cuda.download(got.data(), y.as<>(), got.size() * sizeof(float));
        CHECK_MESSAGE(got == expected, "d " << d << ", " << m << " x " << n << (distance ? ", distances" : ""));
      }
    }
  }
}

TEST_CASE("cuda kernels: scores of float and half rows") {
  const EmulatedCuda cuda;
  const Cpu cpu(1, Isa::scalar);
  std::mt19937 random(2);
  for (const int d : {1, 2, 31, 32, 33, 128, 130, 512}) {
    for (const int gap : {0, 1, 4}) {
      const int count = 19, stride = d + gap;
      const auto rows = random_numbers(random, static_cast<std::size_t>(count) * static_cast<std::size_t>(stride), 1);
      const auto query = random_numbers(random, static_cast<std::size_t>(d), 1);
      std::vector<std::uint16_t> halves(rows.size());
      for (auto& half : halves) half = static_cast<std::uint16_t>(random() % 0x3C00U | (random() & 1U) << 15U);
      const Buffer rows_card = up(cuda, rows), halves_card = up(cuda, halves), query_card = up(cuda, query);
      std::vector<float> expected(static_cast<std::size_t>(count)), got(expected.size());
      const Buffer score = cuda.allocate(expected.size() * sizeof(float));
      const auto compare = [&](const char* name) {
        cuda.download(got.data(), score.as<>(), got.size() * sizeof(float));
        check_close(fmt::format("{} of {} numbers, gap {}", name, d, gap), got, expected, {1e-5, 1e-5});
      };
      score_float_rows(cpu, {rows.data(), query.data(), count, d, stride, expected.data()});
      score_float_rows(cuda, {rows_card.as<float>(), query_card.as<float>(), count, d, stride, score.as<float>()});
      compare("float rows");
      score_half_rows(cpu, {halves.data(), query.data(), count, d, stride, expected.data()});
      score_half_rows(cuda,
                      {halves_card.as<std::uint16_t>(), query_card.as<float>(), count, d, stride, score.as<float>()});
      compare("half rows");
    }
  }
}

TEST_CASE("cuda kernels: scores of bytes are the CPU's to the bit") {
  const EmulatedCuda cuda;
  const Cpu cpu(1, Isa::scalar);
  std::mt19937 random(3);
  for (const int padded : {64, 128, 512, 1024}) {
    const int count = 37;
    const auto bytes = static_cast<std::size_t>(count) * static_cast<std::size_t>(padded);
    const Buffer rows(bytes), query(static_cast<std::size_t>(padded));
    int sum = 0;
    for (std::size_t i = 0; i < bytes; ++i) rows.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(random());
    for (int i = 0; i < padded; ++i) {
      sum += query.as<std::int8_t>()[i] = static_cast<std::int8_t>(random() % 255 - 127);
    }
    const auto scales = random_numbers(random, static_cast<std::size_t>(count), 1);
    std::vector<float> expected(static_cast<std::size_t>(count)), got(expected.size());
    const Buffer rows_card = cuda.uploaded(rows.as<>(), bytes), scales_card = up(cuda, scales);
    const Buffer query_card = cuda.uploaded(query.as<>(), static_cast<std::size_t>(padded));
    const Buffer score = cuda.allocate(expected.size() * sizeof(float));
    score_byte_rows(cpu, {rows.as<std::uint8_t>(), query.as<std::int8_t>(), scales.data(), 0.25F, sum, count, padded,
                          expected.data()});
    score_byte_rows(cuda, {rows_card.as<std::uint8_t>(), query_card.as<std::int8_t>(), scales_card.as<float>(), 0.25F,
                           sum, count, padded, score.as<float>()});
    cuda.download(got.data(), score.as<>(), got.size() * sizeof(float));
    CHECK(got == expected);
  }
}

TEST_CASE("cuda kernels: the largest scores in order, of equal ones the smaller index") {
  const EmulatedCuda cuda;
  std::mt19937 random(4);
  for (const int count : {0, 1, 5, 255, 4096, 4097, 20'000}) {
    for (const int k : {1, 5, 300}) {
      std::vector<float> scores(static_cast<std::size_t>(count));
      for (float& score : scores) score = static_cast<float>(random() % 200) - 150;  // many are equal
      std::vector<int> order(scores.size());
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
      });
      order.resize(static_cast<std::size_t>(k), -1);
      const Buffer on_card = up(cuda, scores);
      const auto room = static_cast<std::size_t>(top_k_room(count, k));
      const Buffer best = cuda.allocate(room * sizeof(float)), where = cuda.allocate(room * sizeof(int));
      top_k(cuda, TopKArgs{on_card.as<float>(), count, k, best.as<float>(), where.as<int>()});
      std::vector<int> got(static_cast<std::size_t>(k));
      std::vector<float> values(got.size());
      cuda.download(got.data(), where.as<>(), got.size() * sizeof(int));
      cuda.download(values.data(), best.as<>(), values.size() * sizeof(float));
      CHECK_MESSAGE(got == order, count << " scores, the " << k << " best");
      for (std::size_t i = 0; i < std::min(scores.size(), got.size()); ++i) {
        CHECK(values[i] == scores[static_cast<std::size_t>(order[i])]);
      }
    }
  }
}

TEST_CASE("cuda kernels: embeddings of unit length, by one view or two") {
  const EmulatedCuda cuda;
  std::mt19937 random(5);
  for (const int c : {2, 31, 128, 512}) {
    const Shape shape{6, 1, 1, c};
    const auto x = random_numbers(random, shape.size(), 1);
    const auto unit = [&](int n) {
      std::vector<double> row(x.begin() + std::ptrdiff_t{n} * c, x.begin() + std::ptrdiff_t{n + 1} * c);
      const double length = std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
      for (double& value : row) value /= length;
      return row;
    };
    const Buffer both = up(cuda, x), one = up(cuda, x), united = cuda.allocate(shape.size() / 2 * sizeof(float));
    unite_views(cuda, UniteViewsArgs{{both.as<float>(), shape}, {united.as<float>(), shape.images(3)}});
    l2_normalise(cuda, L2NormaliseArgs{{one.as<float>(), shape}, {one.as<float>(), shape}});
    for (int n = 0; n < 3; ++n) {
      const auto a = unit(2 * n), b = unit(2 * n + 1);
      std::vector<double> sum(a.size());
      std::ranges::transform(a, b, sum.begin(), std::plus<>());
      const double length = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
      for (int i = 0; i < c; ++i) {
        CHECK(one.as<float>()[2 * n * c + i] == doctest::Approx(a[static_cast<std::size_t>(i)]).epsilon(1e-5));
        CHECK(united.as<float>()[n * c + i] ==
              doctest::Approx(sum[static_cast<std::size_t>(i)] / length).epsilon(1e-4));
      }
    }
  }
}

Image crop_of(int side, int colours, std::mt19937& random) {
  Image crop(side, side);
  for (std::uint8_t& byte : crop.pixels) byte = static_cast<std::uint8_t>(random() % static_cast<unsigned>(colours));
  return crop;
}

// Both views of the centre of each crop, as `normalise` on the CPU makes one, against the kernel's.
template <class Normalise, class Kernel>
void check_views(const char* name, int side, int input, const Normalise& on_cpu, const Kernel& on_card) {
  const EmulatedCuda cuda;
  std::mt19937 random(5);
  const Shape bytes{2, side, side, 3}, images{4, input, input, 3};
  std::vector<std::uint8_t> crops;
  std::vector<float> expected(images.size()), got(images.size());
  const View<float> y(expected.data(), images);
  for (const int n : {0, 1}) {
    const Image crop = crop_of(side, n == 0 ? 1 : 200, random);  // the first of one colour
    crops.insert(crops.end(), crop.pixels.begin(), crop.pixels.end());
    on_cpu(crop, y.images(2 * n, 1));
    for (int i = 0; i < input * input * 3; ++i) {
      y.pixel(2 * n + 1, i / 3 / input, input - 1 - i / 3 % input)[i % 3] = y.pixel(2 * n, 0, 0)[i];
    }
  }
  const Buffer x = up(cuda, crops);
  for (const int views : {1, 2}) {
    const Shape shape = images.images(2 * views);
    const Buffer card = cuda.allocate(shape.size() * sizeof(float));
    on_card(cuda, ConstView<std::uint8_t>(x.as<std::uint8_t>(), bytes), View<float>(card.as<float>(), shape), views);
    cuda.download(got.data(), card.as<>(), card.size());
    for (int n = 0; n < 2 * views; ++n) {
      const std::size_t one = images.images(1).size(), at = static_cast<std::size_t>(n) * one;
      check_close(fmt::format("{} {} of {}, {} views", name, input, side, views), std::span(got).subspan(at, one),
                  std::span(expected).subspan(at * static_cast<std::size_t>(3 - views), one), {1e-5, 1e-5});
    }
  }
}

TEST_CASE("cuda kernels: crops normalised as on the CPU, their centres and their mirror images") {
  for (const auto& [side, input] : {std::pair{1, 1}, {7, 7}, {8, 5}, {13, 12}, {160, 160}, {182, 160}}) {
    check_views(
        "prewhiten", side, input, [](const Image& crop, View<float> y) { prewhiten(crop, y); },
        [](const EmulatedCuda& cuda, ConstView<std::uint8_t> x, View<float> y, int views) {
          prewhiten(cuda, PrewhitenArgs{x, y, views});
        });
    check_views(
        "standardise", side, input, [](const Image& crop, View<float> y) { standardise(crop, imagenet, y); },
        [](const EmulatedCuda& cuda, ConstView<std::uint8_t> x, View<float> y, int views) {
          const auto& [mean, deviation] = imagenet;
          standardise(cuda, StandardiseArgs{
                                x, y, {mean[0], mean[1], mean[2]}, {deviation[0], deviation[1], deviation[2]}, views});
        });
  }
}

// Every vector twice, under two ids, and some taken out again.
template <class Device>
void check_index(const Device& device, std::size_t count) {
  constexpr std::size_t d = 33;
  std::mt19937 random(9);
  const auto vectors = random_numbers(random, count * d, 1), queries = random_numbers(random, 3 * d, 1);
  for (const Storage storage : {Storage::fp32, Storage::fp16, Storage::int8}) {
    const auto index = std::make_shared<Index>(d, storage, Cpu(1, Isa::scalar));
    for (std::size_t i = 0; i < count; ++i) {
      index->add(static_cast<std::int64_t>(3 * i), std::span(vectors).subspan(i / 2 * d, d));
    }
    for (std::size_t i = 5; i < count; i += 97) index->remove(static_cast<std::int64_t>(3 * i));
    CudaIndex<Device> on_card(device, index);
    for (std::size_t q = 0; q < 3; ++q) {
      const auto query = std::span(queries).subspan(q * d, d);
      // 8 k + 64 candidates of bytes are more than a card finds for the last.
      for (const std::size_t k : {1U, 5U, 300U}) {
        const std::vector<Hit> expected = index->nearest(query, k), got = on_card.nearest(query, k);
        REQUIRE(got.size() == expected.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
          CHECK(got[i].score == doctest::Approx(expected[i].score).epsilon(1e-5));
          const auto same = [&](const Hit& hit) { return std::abs(hit.score - expected[i].score) < 1e-4F; };
          CHECK((got[i].id == expected[i].id || std::ranges::count_if(expected, same) > 1));
        }
      }
    }
  }
}

TEST_CASE("cuda index: the nearest of the CPU's, in every storage") {
  check_index(EmulatedCuda(), 1);
  check_index(EmulatedCuda(), 2000);
}

TEST_CASE("cuda index: an empty one has nobody, and a query is looked at first") {
  const auto index = std::make_shared<Index>(4, Storage::int8, Cpu(1, Isa::scalar));
  CudaIndex<EmulatedCuda> on_card(EmulatedCuda(), index);
  CHECK(on_card.nearest(std::vector<float>{1, 2, 3, 4}, 5).empty());
  CHECK_THROWS_AS((void)on_card.nearest(std::vector<float>{1, 2, 3}, 5), Error);
}

#ifdef WAJAH_HAVE_CUDA
TEST_CASE("on a card, small: an index") {
  if (const auto card = small_card()) check_index(*card, 2000);
}
#endif

}  // namespace
}  // namespace wajah
