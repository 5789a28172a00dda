// Published weights as one set of tensors, proven by loading them: what no network takes must not be written as if one
// did.
#pragma once

#include <wajah/weights.hpp>

#include <filesystem>
#include <span>

namespace wajah::cli {

// det1.npy, det2.npy and det3.npy, or one file or folder that open_mtcnn takes. Throws Error (model).
[[nodiscard]] Weights convert_detector(std::span<const std::filesystem::path> files);

// A frozen graph, ONNX or safetensors. Throws Error (model).
[[nodiscard]] Weights convert_embedder(const std::filesystem::path& file);

}  // namespace wajah::cli
