#include <wajah/layers/linear.hpp>

#include "compare.hpp"

namespace wajah {
namespace {

TEST_CASE("Linear: a matrix product over flattened images") {
  std::mt19937 random(1);
  Weights::Builder builder("test");
  builder.add("wide/weights", {60, 33}, random_numbers(random, 60 * 33, 0.3F))
      .add("wide/biases", {33}, random_numbers(random, 33, 0.3F))
      .add("narrow/weights", {128, 2}, random_numbers(random, 256, 0.3F))
      .add("narrow/biases", {2}, random_numbers(random, 2, 0.3F))
      .add("slopes/alpha", {33}, random_numbers(random, 33, 0.3F));
  const Weights weights = std::move(builder).build();
  for (const int n : {1, 2, 9, 12, 13, 40}) {
    compare<Linear<"wide", 60, 33>>("Linear", weights, {n, 3, 4, 5}, {1e-5, 1e-5}, {0, 2});
    compare<Linear<"wide", 60, 33, PRelu<"slopes">>>("Linear", weights, {n, 2, 2, 15}, {1e-5, 1e-5});
    compare<Linear<"narrow", 128, 2>>("Linear", weights, {n, 1, 1, 128}, {1e-5, 1e-5});
  }
  CHECK(weights.unused().empty());
}

TEST_CASE("Linear: refuses other sizes and slices of channels") {
  using Layer = Linear<"fc", 60, 2>;
  static_assert(Layer::out({3, 3, 4, 5}) == Shape{3, 1, 1, 2});
  static_assert(Layer::macs({3, 3, 4, 5}) == 3 * 60 * 2);
  CHECK_THROWS_WITH_AS((void)Layer::out({1, 3, 4, 6}), "fc: input has 3x4x6 = 72 numbers, expected 60", Error);
  std::vector<float> x(100), y(2);
  const ConstView<float> slice(x.data(), {1, 1, 1, 60}, 61);
  CHECK_THROWS_WITH_AS(Layer().forward(Cpu(), slice, {y.data(), {1, 1, 1, 2}}, Arena{}),
                       "fc: input is a slice of channels, expected dense images", Error);
}

}  // namespace
}  // namespace wajah
