// Weights: names, scopes, types, and what its errors say.
#include <doctest/doctest.h>
#include <wajah/error.hpp>
#include <wajah/text.hpp>
#include <wajah/weights.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "convert/files.hpp"

namespace wajah {
namespace {

Weights small_set() {
  Weights::Builder builder("small");
  builder.add("conv1/weights", {2, 3}, counting(6));
  builder.add("conv1/biases", {3}, counting(3, 10));
  builder.add("conv2/weights", {1}, counting(1));
  return std::move(builder).build();
}

template <class T>
std::vector<std::byte> raw_bytes(std::initializer_list<T> values) {
  const auto bytes = std::as_bytes(std::span(values.begin(), values.size()));
  return {bytes.begin(), bytes.end()};
}

TEST_CASE("a tensor is found by name and by scope") {
  const Weights weights = small_set();
  CHECK(weights.get("conv1/weights", {2, 3})[5] == 0.625F);
  CHECK(weights.scope("conv1").get("biases", {3})[0] == 10);
  CHECK(weights.scope("conv1").has("biases"));
  CHECK_FALSE(weights.scope("conv3").has("biases"));
  CHECK(weights.names() == std::vector<std::string>{"conv1/biases", "conv1/weights", "conv2/weights"});
}

TEST_CASE("what nobody asked for is unused") {
  const Weights weights = small_set();
  static_cast<void>(weights.scope("conv1").get("weights", {2, 3}));
  static_cast<void>(weights.raw("conv2/weights"));
  static_cast<void>(weights.has("conv1/biases"));
  static_cast<void>(weights.tensors());
  CHECK(weights.unused() == std::vector<std::string>{"conv1/biases"});
}

TEST_CASE("errors name the tensor, what came, what was expected, and a hint") {
  const Weights weights = small_set();
  CHECK(message_of([&] {
          static_cast<void>(weights.get("conv1/weights", {3, 2}));
        }) == "small: tensor 'conv1/weights' has shape [2, 3], expected [3, 2]");
  CHECK(message_of([&] {
          static_cast<void>(weights.scope("conv1").get("weigths", {2, 3}));
        }) == "small: no tensor 'conv1/weigths' of shape [2, 3]; similar: 'conv1/weights', 'conv2/weights'");
  CHECK(message_of([&] { static_cast<void>(weights.raw("pnet/PReLU1/alpha")); }) ==
        "small: no tensor 'pnet/PReLU1/alpha'; none of its 3 tensors is named alike, is it of another network?");
}

TEST_CASE("every floating-point type becomes float32") {
  Weights::Builder builder("types");
  builder.add("half", DataType::f16, {6}, raw_bytes<std::uint16_t>({0x3C00, 0xC000, 0x0001, 0x8000, 0x7BFF, 0x0400}));
  builder.add("brain", DataType::bf16, {2}, raw_bytes<std::uint16_t>({0x3F80, 0xC049}));
  builder.add("double", DataType::f64, {2}, raw_bytes<double>({0.1, -1e300 / 1e299}));
  const Weights weights = std::move(builder).build();

  const Values half = weights.get("half", {6});
  const std::array expected = {1.0F, -2.0F, std::ldexp(1.0F, -24), -0.0F, 65504.0F, std::ldexp(1.0F, -14)};
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(half[i] == expected[i]);
  CHECK(std::signbit(half[3]));
  CHECK(weights.get("brain", {2})[0] == 1.0F);
  CHECK(weights.get("brain", {2})[1] == -3.140625F);
  CHECK(weights.get("double", {2})[0] == 0.1F);
  CHECK(weights.get("double", {2})[1] == -10.0F);
}

TEST_CASE("int8 is scaled along its last dimension") {
  Weights::Builder builder("int8");
  builder.add("w", DataType::i8, {2, 2}, raw_bytes<std::int8_t>({1, -2, 127, -128}));
  builder.add("w.scale", {2}, std::array{0.5F, 2.0F});
  builder.add("bare", DataType::i8, {1}, raw_bytes<std::int8_t>({1}));
  const Weights weights = std::move(builder).build();
  const Values values = weights.get("w", {2, 2});
  CHECK(values[0] == 0.5F);
  CHECK(values[1] == -4.0F);
  CHECK(values[2] == 63.5F);
  CHECK(values[3] == -256.0F);
  check_refused("no scale", "no tensor 'bare.scale' of shape [1]",
                [&] { static_cast<void>(weights.get("bare", {1})); });
  CHECK(weights.unused().empty());
}

TEST_CASE("float32 is not copied, unless it lies askew") {
  alignas(float) std::array<std::byte, 12> memory{};
  const float value = 3;
  std::memcpy(memory.data() + 4, &value, sizeof(value));
  std::memcpy(memory.data() + 9 - 1, &value, sizeof(value));
  Weights::Builder builder("views");
  builder.view("straight", DataType::f32, {1}, std::span<const std::byte>(memory).subspan(4, 4));
  std::array<std::byte, 5> askew{};
  std::memcpy(askew.data() + 1, &value, sizeof(value));
  const bool odd = reinterpret_cast<std::uintptr_t>(askew.data() + 1) % alignof(float) != 0;
  builder.view("askew", DataType::f32, {1}, std::span<const std::byte>(askew).subspan(1, 4));
  const Weights weights = std::move(builder).build();
  CHECK(static_cast<const void*>(weights.get("straight", {1}).data()) == memory.data() + 4);
  const Values copied = weights.get("askew", {1});
  CHECK(copied[0] == 3);
  CHECK((static_cast<const void*>(copied.data()) != askew.data() + 1) == odd);
}

TEST_CASE("values outlive the set they came from") {
  const Values values = small_set().get("conv1/weights", {2, 3});
  CHECK(values[5] == 0.625F);
}

TEST_CASE("invented weights have any name and shape, and the same values every time") {
  const Weights weights = Weights::invented(7);
  const Values kernel = weights.scope("a").get("b", {3, 3, 16, 8});
  double sum = 0, squares = 0;
  for (const float v : kernel.span()) {
    sum += double{v};
    squares += double{v} * double{v};
  }
  const auto count = static_cast<double>(kernel.size());
  CHECK(std::abs(sum / count) < 0.01);
  CHECK(squares / count * (3 * 3 * 16) == doctest::Approx(1).epsilon(0.1));
  CHECK(std::ranges::equal(Weights::invented(7).get("a/b", {3, 3, 16, 8}).span(), kernel.span()));
  CHECK_FALSE(std::ranges::equal(Weights::invented(8).get("a/b", {3, 3, 16, 8}).span(), kernel.span()));
}

TEST_CASE("numbers that are no weights are refused") {
  Weights::Builder builder("bad");
  builder.add("nan", {3}, std::array{1.0F, std::nanf(""), 2.0F});
  builder.add("inf", {1}, std::array{-std::numeric_limits<float>::infinity()});
  builder.add("integers", DataType::i64, {1}, raw_bytes<std::int64_t>({1}));
  builder.add("bytes", DataType::u8, {1}, raw_bytes<std::uint8_t>({1}));
  const Weights weights = std::move(builder).build();
  check_refused("nan", "tensor 'nan' has the value nan at element 1, expected finite",
                [&] { static_cast<void>(weights.get("nan", {3})); });
  check_refused("inf", "tensor 'inf' has the value -inf at element 0",
                [&] { static_cast<void>(weights.get("inf", {1})); });
  check_refused("int64", "tensor 'integers' holds int64, expected float32",
                [&] { static_cast<void>(weights.get("integers", {1})); });
  check_refused("uint8", "tensor 'bytes' holds uint8, expected float32",
                [&] { static_cast<void>(weights.get("bytes", {1})); });
}

TEST_CASE("a set takes a name once, and only bytes that make the shape") {
  Weights::Builder builder("set");
  builder.add("a", {2}, counting(2));
  check_refused("twice", "set: tensor 'a' is given twice", [&] { builder.add("a", {2}, counting(2)); });
  check_refused("short", "tensor 'b' has 8 bytes, which do not make the shape [3] of float32",
                [&] { builder.add("b", {3}, counting(2)); });
  check_refused("negative", "do not make the shape [-1]", [&] { builder.add("b", {-1}, counting(1)); });
  check_refused("wraps", "do not make the shape [4294967296, 4294967296]", [&] {
    builder.add("b", {1LL << 32, 1LL << 32}, {});
  });
  check_refused("wraps in bytes", "do not make the shape [4611686018427387904]",
                [&] { builder.add("b", {1LL << 62}, {}); });
  check_refused("rank", "has 9 dimensions, expected at most 8",
                [&] { builder.add("b", std::vector<std::int64_t>(9, 1), counting(1)); });
}

TEST_CASE("the product of a shape never wraps") {
  const auto count = [](std::initializer_list<std::int64_t> shape) {
    return element_count(std::span(shape.begin(), shape.size()));
  };
  CHECK(count({}) == 1);
  CHECK(count({3, 4}) == 12);
  CHECK(count({1LL << 62, 0, 1LL << 62}) == 0);
  CHECK_FALSE(count({1LL << 32, 1LL << 32}).has_value());
  CHECK_FALSE(count({-2, -2}).has_value());
  CHECK_FALSE(count({0, -1}).has_value());
}

TEST_CASE("the fingerprint sees names, types, shapes and every byte") {
  const auto make = [](std::string name, DataType type, std::vector<std::int64_t> shape, std::vector<std::byte> bytes) {
    Weights::Builder builder("any");
    builder.add(std::move(name), type, std::move(shape), std::move(bytes));
    return fingerprint(std::move(builder).build());
  };
  const auto bytes = raw_bytes<std::int32_t>({1, 2, 3});
  const std::uint64_t first = make("a", DataType::i32, {3}, bytes);
  CHECK(first == make("a", DataType::i32, {3}, bytes));
  CHECK(first != make("b", DataType::i32, {3}, bytes));
  CHECK(first != make("a", DataType::f32, {3}, bytes));
  CHECK(first != make("a", DataType::i32, {3, 1}, bytes));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] ^= std::byte{0x80};
    CHECK(first != make("a", DataType::i32, {3}, changed));
  }
}

TEST_CASE("text from files is quoted harmlessly") {
  CHECK(quote("a\nb\x1b[31m\xff") == R"('a\x0ab\x1b[31m\xff')");
  CHECK(quote(std::string(100, 'x'), 3) == "'xxx...'");
  CHECK(shape_text(std::vector<std::int64_t>{3, -1}) == "[3, -1]");
}

TEST_CASE("UTF-8 is told from what only looks like it") {
  for (const char* good :
       {"", "abc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"})
    CHECK(is_utf8(good));
  for (const char* bad : {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                          "\xF4\x90\x80\x80", "\xFF", "\xE2\x82"}) {
    CHECK_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace wajah
