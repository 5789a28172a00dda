// Where things are on this machine. Only main.cpp is compiled with these paths, so that a compiler cache knows every
// other test by its text, whichever folder it was cloned into.
#pragma once

#include <filesystem>
#include <optional>

namespace wajah {

[[nodiscard]] std::filesystem::path source_folder();
[[nodiscard]] std::filesystem::path built_program();  // build/wajah; where the server is built

// The shared frozen graph, unpacked by the build; nothing where there is none.
[[nodiscard]] std::optional<std::filesystem::path> frozen_graph();

}  // namespace wajah
