// Files that commands are given: weights that need no download, pictures, arrays, and what pretends to be one of them.
#pragma once

#include "cli/program.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::test {

// Random weights of the detector as mtcnn.safetensors, of the embedder as embedder.safetensors.
void write_random_mtcnn(const Workplace& place);
void write_random_embedder(const Workplace& place);

// A small JPEG of two drawn faces.
[[nodiscard]] std::string drawn_jpeg();

// The first bytes of a PNG of that size: signature, header and the begin of its data.
[[nodiscard]] std::string png_header(std::uint32_t width, std::uint32_t height);

// An .npy with a header of the given text and these bytes after it.
[[nodiscard]] std::string npy(std::string_view header, std::string_view data);
[[nodiscard]] std::string npy_of(const std::vector<float>& values, const std::string& shape);
[[nodiscard]] std::string npy_of(const std::vector<std::int64_t>& values);

// A frozen TensorFlow graph of one Const node, float32 zeros of the given shape.
[[nodiscard]] std::string frozen_graph(const std::string& node, const std::vector<int>& shape);

}  // namespace wajah::test
