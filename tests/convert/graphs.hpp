// Writers of frozen graphs and ONNX models for the readers' tests.
#pragma once

#include "convert/files.hpp"

namespace wajah {

// --- tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape}.proto ---

namespace frozen {

inline std::string shape(std::span<const std::int64_t> dimensions) {
  std::string out;
  for (const std::int64_t dimension : dimensions) out += protobuf::bytes(2, protobuf::number(1, dimension));
  return out;
}
inline std::string tensor(int type, std::span<const std::int64_t> dimensions, const std::string& data) {
  return protobuf::number(1, type) + protobuf::bytes(2, shape(dimensions)) + data;
}
inline std::string content(std::span<const float> values) { return protobuf::bytes(4, bytes_of(values)); }
inline std::string node(std::string_view name, std::string_view op, const std::string& attributes = "") {
  return protobuf::bytes(1, protobuf::bytes(1, name) + protobuf::bytes(2, op) + attributes);
}
inline std::string constant(std::string_view name, const std::string& tensor) {
  const auto attribute = [](std::string_view key, const std::string& value) {
    return protobuf::bytes(5, protobuf::bytes(1, key) + protobuf::bytes(2, value));
  };
  return node(name, "Const",
              attribute("dtype", protobuf::number(6, 1)) + attribute("value", protobuf::bytes(8, tensor)));
}
inline std::string floats(std::string_view name, const std::vector<std::int64_t>& dimensions,
                          std::span<const float> values) {
  return constant(name, tensor(1, dimensions, content(values)));
}

}  // namespace frozen

// --- onnx/onnx.proto3 ---

namespace onnx {

inline std::string tensor(std::string_view name, int type, std::span<const std::int64_t> dimensions,
                          const std::string& data) {
  std::string out;
  for (const std::int64_t dimension : dimensions) out += protobuf::number(1, dimension);
  return out + protobuf::number(2, type) + protobuf::bytes(8, name) + data;
}
inline std::string initialiser(const std::string& tensor) { return protobuf::bytes(5, tensor); }
inline std::string floats(std::string_view name, const std::vector<std::int64_t>& dimensions,
                          std::span<const float> values) {
  return initialiser(tensor(name, 1, dimensions, protobuf::bytes(9, bytes_of(values))));
}
inline std::string integers(std::string_view name, const std::vector<std::int64_t>& values) {
  std::string out = protobuf::bytes(1, name);
  for (const std::int64_t value : values) out += protobuf::number(8, value);
  return protobuf::bytes(5, out + protobuf::number(20, 7));
}
inline std::string integer(std::string_view name, std::int64_t value) {
  return protobuf::bytes(5, protobuf::bytes(1, name) + protobuf::number(3, value) + protobuf::number(20, 2));
}
inline std::string number(std::string_view name, float value) {
  return protobuf::bytes(5, protobuf::bytes(1, name) + protobuf::real(2, value) + protobuf::number(20, 1));
}
inline std::string node(std::string_view op, const std::vector<std::string>& inputs, std::string_view output,
                        const std::string& attributes = "") {
  std::string out;
  for (const std::string& input : inputs) out += protobuf::bytes(1, input);
  out += protobuf::bytes(2, output) + protobuf::bytes(3, fmt::format("{}_of_{}", op, output)) + protobuf::bytes(4, op);
  return protobuf::bytes(1, out + attributes);
}
inline std::string constant(std::string_view output, const std::string& tensor) {
  return node("Constant", {}, output,
              protobuf::bytes(5, protobuf::bytes(1, "value") + protobuf::bytes(5, tensor) + protobuf::number(20, 4)));
}
inline std::string model(const std::string& graph) {
  return protobuf::number(1, 8) + protobuf::bytes(2, "pytorch") + protobuf::bytes(7, graph) +
         protobuf::bytes(8, protobuf::number(2, 18));
}

}  // namespace onnx

}  // namespace wajah
