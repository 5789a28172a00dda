// Which weights a data folder is used with, as `wajah models use` wrote it down: <data>/models/in_use.toml.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace wajah::cli {

// Each is a public model's name or the path of a file; nothing: the built-in weights.
struct ModelChoice {
  std::optional<std::string> detector, embedder;

  friend bool operator==(const ModelChoice&, const ModelChoice&) = default;
};

// `models` is the folder <data>/models. Reading gives no choice where there is no file, and throws Error (model) naming
// the line of one that cannot be understood; writing replaces the file as a whole, and throws Error (storage).
[[nodiscard]] ModelChoice read_model_choice(const std::filesystem::path& models);
void write_model_choice(const ModelChoice& choice, const std::filesystem::path& models);

}  // namespace wajah::cli
