// The fragment maps cover every element once (checked while compiling), and products by them are matrix products.
#include <random>

#include "check.hpp"
#include "device.hpp"

namespace wajah {
namespace {

using fragments::Position;

// Whether the 32 lanes' `count` elements are the rows x columns matrix, each element once.
constexpr bool covers(Position (*map)(int, int), int count, int rows, int columns) {
  bool seen[32 * 32] = {};
  if (32 * count != rows * columns) return false;
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < count; ++i) {
      const Position at = map(lane, i);
      if (at.row < 0 || at.row >= rows || at.column < 0 || at.column >= columns) return false;
      bool& one = seen[at.row * columns + at.column];
      if (one) return false;
      one = true;
    }
  }
  return true;
}

static_assert(covers(fragments::accumulator, 4, 16, 8));
static_assert(covers(fragments::a_of_16_bits, 8, 16, 16) && covers(fragments::b_of_16_bits, 4, 16, 8));
static_assert(covers(fragments::a_of_tf32, 4, 16, 8) && covers(fragments::b_of_tf32, 2, 8, 8));
static_assert(covers(fragments::a_of_bytes, 16, 16, 32) && covers(fragments::b_of_bytes, 8, 32, 8));
// Single entries of the tables in the PTX ISA, so that a map that is a permutation of the right one is found out.
static_assert(fragments::a_of_16_bits(5, 2) == Position{9, 2} && fragments::a_of_16_bits(5, 5) == Position{1, 11});
static_assert(fragments::b_of_16_bits(6, 3) == Position{13, 1} && fragments::accumulator(7, 3) == Position{9, 7});
static_assert(fragments::a_of_tf32(9, 1) == Position{10, 1} && fragments::a_of_tf32(9, 2) == Position{2, 5});
static_assert(fragments::b_of_tf32(9, 1) == Position{5, 2} && fragments::a_of_bytes(3, 7) == Position{8, 15});
static_assert(fragments::a_of_bytes(3, 8) == Position{0, 28} && fragments::b_of_bytes(3, 5) == Position{29, 0});

void run_warp(const std::function<void()>& body) { shim::launch({"warp", {}, {32, 1, 1}, 0}, nullptr, body); }

// Small whole numbers, so that every format holds them and every sum is exact.
template <int K>
struct Matrices {
  Matrices() {
    std::mt19937 random(7);
    for (auto& row : a) {
      for (int& x : row) x = static_cast<int>(random() % 15);
    }
    for (auto& row : b) {
      for (int& x : row) x = static_cast<int>(random() % 15) - 7;
    }
  }
  [[nodiscard]] int product(Position at) const {
    int sum = 3;
    for (int k = 0; k < K; ++k) sum += a[at.row][k] * b[k][at.column];
    return sum;
  }
  int a[16][K], b[K][8];
};

// `word` packs `per_word` elements of a lane into a register.
template <int K, class Number>
void check_product(auto multiply, auto a_map, auto b_map, int per_word, auto word) {
  const Matrices<K> m;
  run_warp([&] {
    const int lane = static_cast<int>(threadIdx.x);
    unsigned a[4], b[2];
    for (int r = 0; r < 4; ++r) {
      a[r] = word([&](int i) {
        const Position at = a_map(lane, r * per_word + i);
        return m.a[at.row][at.column];
      });
    }
    for (int r = 0; r < 2; ++r) {
      b[r] = word([&](int i) {
        const Position at = b_map(lane, r * per_word + i);
        return m.b[at.row][at.column];
      });
    }
    Number d[4] = {3, 3, 3, 3};
    multiply(d, a, b[0], b[1]);
    for (int i = 0; i < 4; ++i) CHECK(d[i] == static_cast<Number>(m.product(fragments::accumulator(lane, i))));
  });
}

TEST_CASE("cuda host: tensor cores multiply matrices, in every format") {
  const auto of = [](auto element, int i) { return static_cast<float>(element(i)); };
  check_product<16, float>([](auto&... x) { multiply_f16(x...); }, fragments::a_of_16_bits, fragments::b_of_16_bits, 2,
                           [&](auto e) { return half_bits(of(e, 0), of(e, 1)); });
  check_product<16, float>([](auto&... x) { multiply_bf16(x...); }, fragments::a_of_16_bits, fragments::b_of_16_bits, 2,
                           [&](auto e) { return bfloat_bits(of(e, 0), of(e, 1)); });
  check_product<8, float>([](auto&... x) { multiply_tf32(x...); }, fragments::a_of_tf32, fragments::b_of_tf32, 1,
                          [&](auto e) { return tf32(of(e, 0)); });
  check_product<32, int>([](auto&... x) { multiply_bytes(x...); }, fragments::a_of_bytes, fragments::b_of_bytes, 4,
                         [](auto e) {
                           unsigned bits = 0;
                           for (int i = 3; i >= 0; --i) bits = bits << 8U | (static_cast<unsigned>(e(i)) & 0xFFU);
                           return bits;
                         });
}

TEST_CASE("cuda host: ldmatrix gives the fragments of A as it lies, and of B transposed") {
  run_warp([] {
    const int lane = static_cast<int>(threadIdx.x);
    WAJAH_SHARED(unsigned, halves, 16 * 8);  // 16 x 16 halves, each its row * 16 + column
    for (int i = lane; i < 16 * 8; i += 32) halves[i] = static_cast<unsigned>(2 * i | (2 * i + 1) << 16);
    __syncthreads();
    unsigned r[4];
    // Lane l names row l % 16 of the left or right half: the order of A's registers.
    load_matrices(r, halves + lane % 16 * 8 + lane / 16 * 4);
    for (int i = 0; i < 8; ++i) {
      const Position at = fragments::a_of_16_bits(lane, i);
      CHECK((r[i / 2] >> 16 * (i % 2) & 0xFFFFU) == static_cast<unsigned>(at.row * 16 + at.column));
    }
    // As B (16 x 16, two of 16 x 8 side by side), transposed: registers 0, 1 are the left one, 2, 3 the right one.
    load_matrices_transposed(r, halves + lane % 16 * 8 + lane / 16 * 4);
    for (int i = 0; i < 8; ++i) {
      const Position at = fragments::b_of_16_bits(lane, i % 4);
      CHECK((r[i / 2] >> 16 * (i % 2) & 0xFFFFU) == static_cast<unsigned>(at.row * 16 + at.column + i / 4 * 8));
    }
  });
}

TEST_CASE("cuda host: halves, bfloats and tf32 round to nearest") {
  CHECK(half_bits(1.0F, -2.0F) == 0xC000'3C00U);
  CHECK(half_bits(65504.0F, 65520.0F) == 0x7C00'7BFFU);
  CHECK(half_bits(0x1p-24F, 0x1p-25F) == 0x0000'0001U);
  CHECK(half_bits(1 + 0x1p-11F, 1 + 0x3p-11F) == 0x3C02'3C00U);  // of two nearest the even one
  CHECK(half_bits(0x1.FF8p-15F, 0x1p-14F) == 0x0400'03FFU);
  CHECK(bfloat_bits(1.0F, 1 + 0x1p-8F) == 0x3F80'3F80U);
  CHECK(tf32(1 + 0x1p-11F) == std::bit_cast<unsigned>(1 + 0x1p-10F));
  for (unsigned bits = 0; bits < 0x7C00U; ++bits) {
    CHECK_MESSAGE(shim::half_of(shim::half_value(bits)) == bits, bits);
  }
}

}  // namespace
}  // namespace wajah
