// Opens a model file of any format that wajah reads, recognised by its content.
#pragma once

#include <wajah/weights.hpp>

#include <filesystem>
#include <string_view>

namespace wajah {

// Values of the metadata key "architecture" that every opened or converted model carries.
inline constexpr std::string_view architecture_key = "architecture";
inline constexpr std::string_view inception_resnet_v1_name = "inception-resnet-v1";
inline constexpr std::string_view mobilefacenet_name = "mobilefacenet";
inline constexpr std::string_view mtcnn_name = "mtcnn";

// An embedder: .safetensors, a frozen TensorFlow graph of Inception-ResNet-v1, or MobileFaceNet as ONNX. Gives the same
// names from each, and an architecture. Throws Error (model) saying what the file is, if it is none of these.
[[nodiscard]] Weights open_embedder(const std::filesystem::path& file);

// A detector: .safetensors, or a folder with det1.npy, det2.npy and det3.npy. Throws Error (model) likewise.
[[nodiscard]] Weights open_mtcnn(const std::filesystem::path& file_or_folder);

}  // namespace wajah
