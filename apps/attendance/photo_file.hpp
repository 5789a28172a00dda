// A photo's bytes from a file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace wajah::attendance {

// Throws Error (input) if it cannot be read or is larger than a picture may be.
[[nodiscard]] std::vector<std::byte> read_photo(const std::filesystem::path& file);

}  // namespace wajah::attendance
