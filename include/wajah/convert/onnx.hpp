// Reader of ONNX models (onnx/onnx.proto3): the initialisers, and the nodes as far as their order must be known.
#pragma once

#include <wajah/weights.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wajah {

// A node of the graph; the texts point into the mapped file, which the graph's tensors keep open.
struct OnnxNode {
  std::string_view name, op;
  std::vector<std::string_view> inputs, outputs;
  std::map<std::string_view, std::vector<std::int64_t>> integers;  // attributes of one or several integers
  std::map<std::string_view, float> numbers;                       // attributes of one float
};

struct OnnxGraph {
  Weights tensors;              // initialisers, and the values of Constant nodes under the name of their output
  std::vector<OnnxNode> nodes;  // in the file's order, which ONNX demands to be topological; Constant nodes left out
};

// Reads model.graph. Tensor data is not copied where the file has it as raw_data. Throws Error (model) on what is no
// ONNX model, a tensor whose bytes do not make its shape, or data kept in another file: no other file is ever opened.
[[nodiscard]] OnnxGraph read_onnx(const std::filesystem::path& file);

}  // namespace wajah
