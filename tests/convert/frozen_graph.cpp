// The constants of frozen TensorFlow graphs.
#include <doctest/doctest.h>
#include <wajah/convert/frozen_graph.hpp>

#include <array>

#include "convert/graphs.hpp"

namespace wajah {
namespace {

void read(const std::filesystem::path& file) { static_cast<void>(read_frozen_graph(file)); }

TEST_CASE("Const nodes are read by name, everything else is skipped") {
  const std::vector<float> values = counting(6);
  const std::string graph =
      frozen::node("phase_train", "Placeholder") + frozen::floats("a/weights", {2, 3}, values) +
      frozen::constant("a/text", frozen::tensor(7, {}, protobuf::bytes(8, "hello"))) +
      frozen::node("a/switch", "Switch", protobuf::bytes(3, "a/weights")) +
      frozen::constant("a/shape", frozen::tensor(3, std::array<std::int64_t, 1>{2},
                                                 protobuf::bytes(4, little_endian(std::int32_t{1}) +
                                                                        little_endian(std::int32_t{-1})))) +
      frozen::constant("a/axis", frozen::tensor(3, {}, protobuf::number(7, 1))) +
      protobuf::bytes(4, protobuf::number(1, 1987)) + protobuf::bytes(2, "library");
  const TemporaryFolder folder;
  const Weights weights = read_frozen_graph(folder.write("graph.pb", graph));
  CHECK(weights.names() == std::vector<std::string>{"a/shape", "a/weights"});
  CHECK(weights.scope("a").get("weights", {2, 3})[5] == values[5]);
  CHECK(weights.raw("a/shape").type == DataType::i32);
}

TEST_CASE("listed numbers are read, the last one repeated over the shape") {
  const std::string packed = protobuf::bytes(5, bytes_of(std::array{1.0F, 2.0F}));
  const std::string graph = frozen::constant("packed", frozen::tensor(1, std::array<std::int64_t, 1>{2}, packed)) +
                            frozen::constant("repeated", frozen::tensor(1, std::array<std::int64_t, 2>{2, 3}, packed)) +
                            frozen::constant("single", frozen::tensor(1, {}, protobuf::real(5, 0.5F))) +
                            frozen::constant("none", frozen::tensor(1, std::array<std::int64_t, 1>{0}, ""));
  const TemporaryFolder folder;
  const Weights weights = read_frozen_graph(folder.write("graph.pb", graph));
  CHECK(weights.get("packed", {2})[1] == 2);
  CHECK(weights.get("repeated", {2, 3})[0] == 1);
  CHECK(weights.get("repeated", {2, 3})[5] == 2);
  CHECK(weights.get("single", {})[0] == 0.5F);
  CHECK(weights.get("none", {0}).size() == 0);
}

TEST_CASE("a graph that lies is refused with a sentence") {
  struct Case {
    const char* name;
    std::string graph;
    const char* message;
  };
  const auto shaped = [](std::vector<std::int64_t> shape, const std::string& data) {
    return frozen::constant("w", frozen::tensor(1, shape, data));
  };
  const std::string four = frozen::content(counting(4));
  const std::vector<Case> cases = {
      {"shape disagrees with the content", shaped({3, 3}, four),
       "tensor 'w' has 16 bytes, which do not make the shape [3, 3] of float32"},
      {"content cut in a number", shaped({1}, protobuf::bytes(4, "xyz")), "tensor 'w' has 3 bytes"},
      {"2^32 x 2^32", shaped({1LL << 32, 1LL << 32}, four), "do not make the shape [4294967296, 4294967296]"},
      {"2^42 + 1", shaped({(1LL << 42) + 1, 1LL << 22}, four), "do not make the shape"},
      {"negative", shaped({-1}, four), "do not make the shape [-1]"},
      {"9 dimensions", shaped(std::vector<std::int64_t>(33, 1), frozen::content(counting(1))),
       "tensor 'w' has 9 dimensions, expected at most 8"},
      {"repeated beyond the file", shaped({1 << 20, 1 << 20}, protobuf::real(5, 1)),
       "tensor 'w' repeats a number over the shape [1048576, 1048576], larger than the whole file"},
      {"too many listed", shaped({2}, protobuf::bytes(5, bytes_of(counting(3)))),
       "tensor 'w' lists 3 numbers, which do not make the shape [2]"},
      {"none listed", shaped({2}, ""), "tensor 'w' lists 0 numbers"},
      {"listed half a number", shaped({2}, protobuf::bytes(5, "xyz")), "float_val at byte"},
      {"name twice", shaped({4}, four) + shaped({4}, four), "tensor 'w' is given twice"},
      {"no constants", frozen::node("x", "Placeholder"), "holds no constant tensor; is it a frozen TensorFlow graph?"},
      {"empty", "", "holds no constant tensor"},
      {"length beyond the file", protobuf::key(1, 2) + protobuf::varint(1ULL << 31),
       "protobuf field at byte 6 takes 2147483648 bytes, but only 0 are left"},
      {"text", "this is no graph", "is it a protobuf file?"},
  };
  const TemporaryFolder folder;
  for (const Case& each : cases) {
    const auto file = folder.write("bad.pb", each.graph);
    check_refused(each.name, each.message, [&] { read(file); });
  }
}

TEST_CASE("wrong types show when the tensor is asked for") {
  const TemporaryFolder folder;
  const Weights weights = read_frozen_graph(
      folder.write("graph.pb", frozen::constant("w", frozen::tensor(9, std::array<std::int64_t, 1>{1},
                                                                    protobuf::bytes(4, std::string(8, '\0'))))));
  check_refused("int64", "tensor 'w' holds int64, expected float32", [&] { static_cast<void>(weights.get("w", {1})); });
}

TEST_CASE("a damaged graph opens or is refused") {
  std::string graph;
  for (int i = 0; i < 5; ++i)
    graph += frozen::floats(fmt::format("InceptionResnetV1/Conv2d_{}/weights", i), {2, 3}, counting(6));
  const TemporaryFolder folder;
  folder.write("good.pb", graph);
  for (std::size_t size = 0; size < graph.size(); ++size) {
    const auto file = folder.write("cut.pb", std::string_view(graph).substr(0, size));
    try {
      const std::size_t left = read_frozen_graph(file).names().size();
      CHECK(left < 5);  // cut between two nodes: a smaller graph, which its converter refuses
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::model);
    }
  }
  check_damaged(folder, graph, graph.size(), read);
}

}  // namespace
}  // namespace wajah
