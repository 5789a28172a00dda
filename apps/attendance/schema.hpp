// The database file: made whole, checked, and brought to the newest schema.
#pragma once

#include "attendance/sqlite.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>

namespace wajah::attendance {

// The one connection for writing. Makes the database if there is none; a file that is there is never replaced. Throws
// Error (storage) naming the file if it is another program's, of a newer wajah, or damaged.
[[nodiscard]] std::unique_ptr<sqlite::Connection> open_database(const std::filesystem::path& file);

// Applies the steps from the connection's schema to `version` (0: the newest).
void upgrade(sqlite::Connection& writer, std::size_t version = 0);

// Throws Error (storage) unless what the connection is on is whole and of this wajah or an older one; `thorough` reads
// every index as well.
void check_database(sqlite::Connection& connection, bool thorough);

// An empty file for its owner alone. Throws Error (storage), also if something has that name.
void create_with_owner_rights(const std::filesystem::path& file);

}  // namespace wajah::attendance
