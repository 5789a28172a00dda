// The passphrase of an archive, from a file: on a command line everybody on the machine could read it.
#pragma once

#include <optional>
#include <string>

namespace wajah::cli {

// The first line of the file; nothing if no file is named. Throws Error (usage) on one of fewer than 8 characters.
[[nodiscard]] std::optional<std::string> read_passphrase(const std::string& file);

}  // namespace wajah::cli
