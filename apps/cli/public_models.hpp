// The public originals of the networks' weights: where they are, whose they are, and how to know them.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace wajah::cli {

// One file at one commit of a public Git repository. Known by the SHA-256 of its bytes or by its Git blob id, the SHA-1
// of "blob <size>\0" and the bytes; the other of the two is empty.
struct PublicFile {
  std::string_view repository, commit, path;
  std::string_view sha256, git_blob;

  [[nodiscard]] std::string_view name() const { return path.substr(path.rfind('/') + 1); }
  // The path of a URL, after the host: "/<repository>/<commit>/<path>".
  [[nodiscard]] std::string location() const;
};

enum class ModelRole { detector, embedder };

[[nodiscard]] std::string_view name_of(ModelRole role);

struct PublicModel {
  std::string_view name;
  ModelRole role = ModelRole::embedder;
  std::string_view about, licence;
  std::string_view output;  // name of the safetensors file that is made of it
  std::span<const PublicFile> files;
};

[[nodiscard]] std::span<const PublicModel> public_models();

// Throws Error (usage) on an unknown name, with a suggestion.
[[nodiscard]] const PublicModel& find_public_model(std::string_view name);
[[nodiscard]] const PublicModel* public_model_or_null(std::string_view name);

// What is wrong with a downloaded file, or nothing. Throws Error (input) if it cannot be read.
[[nodiscard]] std::string fault_of(const PublicFile& known, const std::filesystem::path& file);

}  // namespace wajah::cli
