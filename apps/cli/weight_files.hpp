// Where the two weight files lie when nobody says so.
#pragma once

#include "cli/devices.hpp"
#include "cli/options.hpp"

#include <wajah/recognizer.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace wajah::cli {

// Names of the built-in weights.
inline constexpr std::string_view mtcnn_file_name = "mtcnn.safetensors";
inline constexpr std::string_view embedder_file_name = "inception_resnet_v1.safetensors";

// <data>/models: what was fetched, and what is in use (model_choice.hpp).
[[nodiscard]] std::filesystem::path models_folder(const CommonOptions& options);

// Folders of the built-in weights, in this order: share/wajah/weights beside the program's bin folder, and the weights
// folder of the source tree the program was built from.
[[nodiscard]] std::vector<std::filesystem::path> built_in_folders();

// What --mtcnn and --weights (or their environment twins) name; else what was chosen for the data folder; else the
// built-in weights; else, so that a program without any runs once they are fetched, a public model in the data folder.
// Throw Error (model) if what was chosen is not there.
[[nodiscard]] std::optional<std::filesystem::path> look_for_mtcnn(const CommonOptions& options);
[[nodiscard]] std::optional<std::filesystem::path> look_for_embedder(const CommonOptions& options);

// The same for who cannot go on without. Throw Error (model) with a sentence that says how to get weights.
[[nodiscard]] std::filesystem::path mtcnn_file(const CommonOptions& options);
[[nodiscard]] std::filesystem::path embedder_file(const CommonOptions& options);

// Both, or one, on the card if there is one. Throws Error (model), and Error
// (device_memory) if the card has too little memory.
[[nodiscard]] std::shared_ptr<const Models> load_models(const CommonOptions& options, const Devices& devices);
[[nodiscard]] std::shared_ptr<const DetectorModel> load_detector(const Weights& weights, const Devices& devices);
[[nodiscard]] std::shared_ptr<const EmbedderModel> load_embedder(const Weights& weights, const Devices& devices);

}  // namespace wajah::cli
