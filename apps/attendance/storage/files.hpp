// Files that must be whole or not there, and those that only their owner may read.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace wajah::attendance {

// All of a file of at most `most` bytes. Throws Error (storage) naming it.
[[nodiscard]] std::string read_small_file(const std::filesystem::path& file, std::size_t most);

// A new file with these bytes, for its owner alone, on the disk when this returns. Throws Error (storage) if something
// has that name already.
void write_new_file(const std::filesystem::path& file, std::span<const std::byte> bytes);

// Gives a finished file its name, replacing what had it, on the disk when this returns. Throws Error (storage).
void rename_into_place(const std::filesystem::path& finished, const std::filesystem::path& name);

void sync_file(const std::filesystem::path& file);
void sync_folder(const std::filesystem::path& folder);

}  // namespace wajah::attendance
