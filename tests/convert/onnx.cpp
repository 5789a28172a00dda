// ONNX initialisers and nodes.
#include <doctest/doctest.h>
#include <wajah/convert/onnx.hpp>

#include <array>

#include "convert/graphs.hpp"

namespace wajah {
namespace {

void read(const std::filesystem::path& file) { static_cast<void>(read_onnx(file)); }

const std::string some_node = onnx::node("Relu", {"x"}, "y");

TEST_CASE("initialisers, constants and nodes are read") {
  const std::string graph =
      onnx::node("Conv", {"x", "w", "b"}, "y", onnx::integers("strides", {2, 2}) + onnx::integer("group", 4)) +
      onnx::constant("six", onnx::tensor("", 1, {}, protobuf::bytes(9, bytes_of(std::array{6.0F})))) +
      onnx::node("Elu", {"y"}, "z", onnx::number("alpha", 0.25F)) + onnx::floats("w", {2, 3}, counting(6)) +
      onnx::initialiser(
          onnx::tensor("b", 1, std::array<std::int64_t, 1>{2}, protobuf::bytes(4, bytes_of(counting(2))))) +
      onnx::initialiser(protobuf::bytes(1, protobuf::varint(1) + protobuf::varint(2)) + protobuf::number(2, 1) +
                        protobuf::bytes(8, "packed") + protobuf::real(4, 1) + protobuf::real(4, 2)) +
      onnx::initialiser(onnx::tensor("names", 8, std::array<std::int64_t, 1>{1}, protobuf::bytes(6, "text")));
  const TemporaryFolder folder;
  const OnnxGraph model = read_onnx(folder.write("m.onnx", onnx::model(graph)));
  CHECK(model.tensors.names() == std::vector<std::string>{"b", "packed", "six", "w"});
  CHECK(model.tensors.get("w", {2, 3})[5] == 0.625F);
  CHECK(model.tensors.get("b", {2})[1] == 0.125F);
  CHECK(model.tensors.get("packed", {1, 2})[1] == 2);
  CHECK(model.tensors.get("six", {})[0] == 6);
  REQUIRE(model.nodes.size() == 2);
  const OnnxNode& conv = model.nodes[0];
  CHECK(conv.op == "Conv");
  CHECK(conv.name == "Conv_of_y");
  CHECK(conv.inputs == std::vector<std::string_view>{"x", "w", "b"});
  CHECK(conv.outputs == std::vector<std::string_view>{"y"});
  CHECK(conv.integers.at("strides") == std::vector<std::int64_t>{2, 2});
  CHECK(conv.integers.at("group") == std::vector<std::int64_t>{4});
  CHECK(model.nodes[1].numbers.at("alpha") == 0.25F);
}

TEST_CASE("a model that lies is refused with a sentence") {
  struct Case {
    const char* name;
    std::string graph;
    const char* message;
  };
  const auto shaped = [](std::vector<std::int64_t> shape, const std::string& data) {
    return some_node + onnx::initialiser(onnx::tensor("w", 1, shape, data));
  };
  const std::string raw = protobuf::bytes(9, bytes_of(counting(4)));
  const std::string location =
      protobuf::bytes(13, protobuf::bytes(1, "location") + protobuf::bytes(2, "../../etc/passwd"));
  const std::vector<Case> cases = {
      {"shape disagrees with the data", shaped({3, 3}, raw),
       "tensor 'w' has 16 bytes, which do not make the shape [3, 3] of float32"},
      {"float_data too short", shaped({3}, protobuf::real(4, 1)),
       "tensor 'w' has 4 bytes, which do not make the shape [3]"},
      {"no data", shaped({3}, ""), "tensor 'w' has 0 bytes"},
      {"2^32 x 2^32", shaped({1LL << 32, 1LL << 32}, raw), "do not make the shape [4294967296, 4294967296]"},
      {"negative", shaped({-4}, raw), "do not make the shape [-4]"},
      {"33 dimensions", shaped(std::vector<std::int64_t>(33, 1), raw),
       "tensor 'w' has 9 dimensions, expected at most 8"},
      {"external data", shaped({4}, location), "tensor 'w' keeps its data in another file, expected it inside"},
      {"external by location alone", shaped({4}, protobuf::number(14, 1)), "tensor 'w' keeps its data in another file"},
      {"name twice", shaped({4}, raw) + shaped({4}, raw), "tensor 'w' is given twice"},
      {"float_data cut", shaped({1}, protobuf::bytes(4, "xyz")), "float_data at byte"},
      {"no nodes", onnx::floats("w", {4}, counting(4)), "holds no graph; is it an ONNX model?"},
  };
  const TemporaryFolder folder;
  for (const Case& each : cases) {
    const auto file = folder.write("bad.onnx", onnx::model(each.graph));
    check_refused(each.name, each.message, [&] { read(file); });
  }
  const auto empty = folder.write("bad.onnx", "");
  check_refused("empty", "holds no graph", [&] { read(empty); });
}

TEST_CASE("millions of tiny parts are refused, not stored") {
  const TemporaryFolder folder;
  std::string inputs, attribute = protobuf::bytes(1, "ints");
  for (int i = 0; i < 300'000; ++i) {
    inputs += protobuf::bytes(1, "");
    attribute += protobuf::number(8, 1);
  }
  for (const std::string& node : {inputs, protobuf::bytes(5, attribute)}) {
    const auto file = folder.write("bad.onnx", onnx::model(protobuf::bytes(1, node)));
    check_refused("many", "has more than 262144 nodes, names and attributes", [&] { read(file); });
  }
}

TEST_CASE("a damaged model opens or is refused") {
  std::string graph = onnx::node("Conv", {"x", "w0"}, "y", onnx::integers("strides", {2, 2}));
  for (int i = 0; i < 5; ++i) graph += onnx::floats(fmt::format("w{}", i), {2, 3}, counting(6));
  const TemporaryFolder folder;
  // The graph is one field: cut anywhere inside it, the file cannot be read.
  std::string model = onnx::model(graph);
  model.resize(model.size() - protobuf::bytes(8, protobuf::number(2, 18)).size());
  check_damaged(folder, model, 1, read);
}

}  // namespace
}  // namespace wajah
