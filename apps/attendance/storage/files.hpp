// Files that must be whole or not there, and those that only their owner may read.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>

namespace wajah::attendance {

// All of a file of at most `most` bytes. Throws Error (storage) naming it.
[[nodiscard]] std::string read_small_file(const std::filesystem::path& file, std::size_t most);

// A new file with these bytes, for its owner alone, on the disk when this returns. Throws Error (storage) if something
// has that name already.
void write_new_file(const std::filesystem::path& file, std::span<const std::byte> bytes);

enum class Lasting { no, yes };

// Puts a file with these bytes, for its owner alone, in the place of what has the name, if anything has: readers see
// the one or the other, never half, and if lasting neither does a crash leave half. Gives what went wrong, without the
// name, which may be somebody's.
[[nodiscard]] std::error_code replace_file(const std::filesystem::path& file, std::span<const std::byte> bytes,
                                           Lasting lasting);

// Gives a finished file its name, replacing what had it, on the disk when this returns. Throws Error (storage).
void rename_into_place(const std::filesystem::path& finished, const std::filesystem::path& name);

void sync_file(const std::filesystem::path& file);
void sync_folder(const std::filesystem::path& folder);

}  // namespace wajah::attendance
