// Sequential, Concat, Residual, Repeat and Scope on toy layers whose results can be worked out by hand.
#include <doctest/doctest.h>

#include <wajah/describe.hpp>
#include <wajah/layers/concat.hpp>
#include <wajah/layers/repeat.hpp>
#include <wajah/layers/residual.hpp>
#include <wajah/layers/scope.hpp>
#include <wajah/layers/sequential.hpp>
#include <wajah/model.hpp>

#include <cstring>
#include <vector>

namespace {

using namespace wajah;

struct Host {  // the least a device can be
  [[nodiscard]] Buffer allocate(std::size_t bytes) const { return Buffer(bytes); }
};

// y = x + k, k a tensor of one value; fills its scratch to prove that nobody else's map lies there.
template <Name N, int Channels, std::size_t Scratch = 0>
struct Plus {
  static constexpr std::string_view name = N.view();
  static constexpr Shape out(Shape x) {
    require_channels(name, x, Channels);
    return x;
  }
  static constexpr std::size_t workspace(Shape) { return Scratch; }
  static constexpr std::size_t macs(Shape x) { return x.size(); }
  void load(const auto&, const Weights& weights) { k = weights.get(name, {1})[0]; }
  void forward(const auto&, ConstView<float> x, View<float> y, Arena arena, const Epilogue& end = {}) const {
    CHECK(arena.size() >= Scratch);
    std::memset(arena.first, 0xFF, arena.size());
    for (int p = 0; p < static_cast<int>(x.shape.pixels()); ++p) {
      for (int c = 0; c < Channels; ++c) {
        const float sum = x.data[p * x.stride + c] + k;
        y.data[p * y.stride + c] = end.add.data == nullptr ? sum : end.add.data[p * end.add.stride + c] + end.scale * sum;
      }
    }
  }
  float k = 0;
};

Weights tensors(std::initializer_list<std::pair<const char*, float>> values) {
  Weights::Builder builder("test");
  for (const auto& [name, value] : values) builder.add(name, {1}, std::span(&value, 1));
  return std::move(builder).build();
}

template <class Net>
std::vector<float> run(const Weights& weights, std::vector<float> x, Shape shape) {
  Session<Net, Host> session(std::make_shared<const Model<Net, Host>>(Host{}, weights));
  const View<float> y = session.forward(View<float>(x.data(), shape));
  return {y.data, y.data + y.shape.size()};
}

TEST_CASE("Sequential runs in order and its maps never overlap") {
  using Net = Sequential<Plus<"a", 2, 100>, Plus<"b", 2>, Plus<"c", 2, 300>, Plus<"d", 2>, Plus<"e", 2>>;
  const Weights weights = tensors({{"a", 1}, {"b", 10}, {"c", 100}, {"d", 1000}, {"e", 10000}});
  CHECK(run<Net>(weights, {1, 2, 3, 4}, {1, 1, 2, 2}) == std::vector<float>{11112, 11113, 11114, 11115});
  // one map of 16 bytes, rounded to a cache line, on each side of c, and its 300 bytes of scratch
  static_assert(Net::workspace({1, 1, 2, 2}) == 64 + 64 + 320);
}

TEST_CASE("Concat writes each branch into its channels") {
  using Net = Concat<Plus<"a", 1>, Scope<"s", Sequential<Plus<"b", 1>, Plus<"c", 1>>>, Plus<"a", 1>>;
  const Weights weights = tensors({{"a", 1}, {"s/b", 10}, {"s/c", 100}});
  static_assert(Net::out({1, 2, 1, 1}) == Shape{1, 2, 1, 3});
  CHECK(run<Net>(weights, {1, 2}, {1, 2, 1, 1}) == std::vector<float>{2, 111, 2, 3, 112, 3});
}

TEST_CASE("Residual hands its body's last layer the sum and the scale") {
  using Net = Residual<Sequential<Plus<"a", 1>, Plus<"b", 1>>, std::ratio<1, 2>>;
  CHECK(run<Net>(tensors({{"a", 1}, {"b", 2}}), {4, 8}, {1, 1, 2, 1}) == std::vector<float>{7.5F, 13.5F});
}

TEST_CASE("Repeat numbers its scopes from 1 and works in place") {
  using Block = Residual<Sequential<Plus<"a", 1>, Plus<"b", 1>>>;
  using Net = Repeat<3, "r/block", Block>;
  const Weights weights =
      tensors({{"r/block_1/a", 1}, {"r/block_1/b", 0}, {"r/block_2/a", 2}, {"r/block_2/b", 0}, {"r/block_3/a", 3},
               {"r/block_3/b", 0}});
  CHECK(run<Net>(weights, {1}, {1, 1, 1, 1}) == std::vector<float>{((1 * 2 + 1) * 2 + 2) * 2 + 3});
  CHECK(weights.unused().empty());
  static_assert(Net::workspace({1, 1, 1, 1}) == Block::workspace({1, 1, 1, 1}));
}

TEST_CASE("A missing tensor is named with all its scopes") {
  using Net = Scope<"net", Repeat<2, "block", Residual<Plus<"a", 1>>>>;
  const Weights weights = tensors({{"net/block_1/a", 1}});
  CHECK_THROWS_WITH_AS((Model<Net, Host>{Host{}, weights}), doctest::Contains("net/block_2/a"), Error);
}

TEST_CASE("Shapes that do not fit are errors that name the layer") {
  using Net = Sequential<Plus<"first", 3>, Plus<"second", 4>>;
  CHECK_THROWS_WITH_AS((void)Net::out({1, 1, 1, 2}), doctest::Contains("first: input has 2 channels, expected 3"), Error);
  CHECK_THROWS_WITH_AS((void)Net::out({1, 1, 1, 3}), doctest::Contains("second: input has 3 channels, expected 4"), Error);
}

TEST_CASE("describe lists leaf layers in order with full names") {
  using Net = Scope<"net", Sequential<Plus<"a", 2>, Repeat<2, "r/block", Residual<Plus<"b", 2>>>, Concat<Plus<"c", 2>>>>;
  const std::vector<LayerInfo> layers = describe<Net>({1, 3, 3, 2});
  std::vector<std::string> names;
  for (const LayerInfo& layer : layers) names.push_back(layer.name);
  CHECK(names == std::vector<std::string>{"net/a", "net/r/block_1/b", "net/r/block_2/b", "net/c"});
  CHECK(layers[0].macs == 18);
}

TEST_CASE("A session allocates on its first call only") {
  using Net = Sequential<Plus<"a", 2>, Plus<"a", 2>, Plus<"a", 2>>;
  Session<Net, Host> session(std::make_shared<const Model<Net, Host>>(Host{}, tensors({{"a", 1}})));
  std::vector<float> x(200);
  const float* first = session.forward(View<float>(x.data(), {1, 10, 10, 2})).data;
  const float* smaller = session.forward(View<float>(x.data(), {1, 3, 3, 2})).data;
  CHECK(first == smaller);
}

}  // namespace
