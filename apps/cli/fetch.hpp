// wajah models fetch: public originals, verified and converted, into the data folder.
#pragma once

#include "cli/public_models.hpp"

#include <filesystem>

namespace wajah::cli {

struct Fetched {
  std::filesystem::path file;  // the safetensors file
  bool downloaded = false;     // false: it was there already
};

// Downloads the model's files to <folder>/download/<name>/, checks each against its hash, and writes <folder>/<output>.
// Whatever fails, files that were in the folder stay as they are, and what was downloaded is there for the next attempt
// unless its hash was wrong. One process at a time fetches a model into a folder; another is refused (input). The
// server is WAJAH_FETCH_BASE, if set. Throws Error.
[[nodiscard]] Fetched fetch(const PublicModel& model, const std::filesystem::path& folder);

}  // namespace wajah::cli
