// Reader of the constants of a frozen TensorFlow graph (tensorflow/core/framework/graph.proto).
#pragma once

#include <wajah/weights.hpp>

#include <filesystem>

namespace wajah {

// Every numeric `Const` node under its node name; the rest of the graph is skipped. Data that the file stores in one
// piece is not copied. Throws Error (model) on what is no protobuf, a tensor whose bytes do not make its shape, or a
// graph without constants.
[[nodiscard]] Weights read_frozen_graph(const std::filesystem::path& file);

}  // namespace wajah
