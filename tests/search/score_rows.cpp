// The kernels that score rows, at random sizes between pages that must not be read or written.
#include <wajah/search/score_rows.hpp>

#include "random_shapes.hpp"

#include <bit>
#include <vector>

using namespace wajah;

namespace {

// The float that an IEEE half float stands for; here no infinity and no not-a-number.
float from_half(std::uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const float size = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                   : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return half >> 15 != 0 ? -size : size;
}

// Up to 2 in size.
std::uint16_t random_half(Draw& draw) {
  return static_cast<std::uint16_t>(draw.between(0, 1) << 15 | draw.between(0, 15) << 10 | draw.between(0, 1023));
}

struct Sizes {
  int count, d, gap;
  explicit Sizes(Draw& draw) : count(draw.up_to(40)), d(draw.up_to(600)), gap(draw.gap()) {}
  [[nodiscard]] Shape rows() const { return {count, 1, 1, d}; }
};

void check_scores(Draw& draw, const std::string& name, const Sizes& sizes, const std::vector<double>& expected,
                  Tolerance tolerance, auto&& score) {
  const Touch touch = draw.touch();
  for_each_isa(draw, [&](const Cpu& cpu, const std::string& isa) {
    GuardedMap scores({1, 1, 1, sizes.count}, 0, touch);
    score(cpu, scores.view().data);
    check_close(
        fmt::format("{} {} x {} on {}", name, sizes.count, sizes.d, isa), expected.size(),
        [&](std::size_t i) -> double { return scores.view().data[i]; }, [&](std::size_t i) { return expected[i]; },
        tolerance, [](std::size_t i) { return std::to_string(i); });
  });
}

}  // namespace

TEST_CASE("score_float_rows: random shapes") {
  Draw draw(1);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Sizes sizes(draw);
    GuardedMap rows(sizes.rows(), sizes.gap, draw.touch()), query({1, 1, 1, sizes.d}, 0, draw.touch());
    rows.fill(draw.random());
    query.fill(draw.random());
    std::vector<double> expected(static_cast<std::size_t>(sizes.count));
    for (int r = 0; r < sizes.count; ++r) {
      for (int k = 0; k < sizes.d; ++k)
        expected[static_cast<std::size_t>(r)] += double{rows.view().pixel(r, 0, 0)[k]} * query.view().data[k];
    }
    check_scores(draw, "score_float_rows", sizes, expected, {2e-5, 1e-5}, [&](const Cpu& cpu, float* scores) {
      score_float_rows(cpu, {rows.view().data, query.view().data, sizes.count, sizes.d, rows.view().stride, scores});
    });
  }
}

TEST_CASE("score_half_rows: random shapes") {
  Draw draw(2);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Sizes sizes(draw);
    const int stride = sizes.d + sizes.gap;
    std::vector<std::uint16_t> halves(static_cast<std::size_t>((sizes.count - 1) * stride + sizes.d));
    for (auto& half : halves) half = random_half(draw);
    const GuardedBytes rows(halves.data(), halves.size() * sizeof(std::uint16_t), draw.touch());
    GuardedMap query({1, 1, 1, sizes.d}, 0, draw.touch());
    query.fill(draw.random());
    std::vector<double> expected(static_cast<std::size_t>(sizes.count));
    for (int r = 0; r < sizes.count; ++r) {
      for (int k = 0; k < sizes.d; ++k)
        expected[static_cast<std::size_t>(r)] +=
            double{from_half(halves[static_cast<std::size_t>(r * stride + k)])} * query.view().data[k];
    }
    check_scores(draw, "score_half_rows", sizes, expected, {2e-5, 1e-5}, [&](const Cpu& cpu, float* scores) {
      score_half_rows(cpu, {rows.as<std::uint16_t>(), query.view().data, sizes.count, sizes.d, stride, scores});
    });
  }
}

TEST_CASE("score_byte_rows: random shapes") {
  Draw draw(3);
  for (int i = shapes_to_draw(); i > 0; --i) {
    Sizes sizes(draw);
    sizes.d = 64 * draw.up_to(10);  // its rows are whole lines
    GuardedMapOf<std::uint8_t> rows(sizes.rows(), 0, draw.touch()), query({1, 1, 1, sizes.d}, 0, draw.touch());
    GuardedMap scales({1, 1, 1, sizes.count}, 0, draw.touch());
    rows.fill(draw.random());
    query.fill(draw.random());
    scales.fill(draw.random());
    const auto* asked = reinterpret_cast<const std::int8_t*>(query.view().data);
    constexpr float query_scale = 0.01F;
    int query_sum = 0;
    for (int k = 0; k < sizes.d; ++k) query_sum += asked[k];
    std::vector<double> expected;
    for (int r = 0; r < sizes.count; ++r) {
      int sum = 0;
      for (int k = 0; k < sizes.d; ++k) sum += (rows.view().pixel(r, 0, 0)[k] - 128) * asked[k];
      expected.push_back(double{scales.view().data[r]} * query_scale * sum);
    }
    check_scores(draw, "score_byte_rows", sizes, expected, {1e-6, 1e-6}, [&](const Cpu& cpu, float* scores) {
      score_byte_rows(
          cpu, {rows.view().data, asked, scales.view().data, query_scale, query_sum, sizes.count, sizes.d, scores});
    });
  }
}
