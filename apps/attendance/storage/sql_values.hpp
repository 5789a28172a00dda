// How the values of the stores' interfaces stand in SQLite's columns.
#pragma once

#include "attendance/sqlite.hpp"
#include "attendance/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

// Microseconds since 1970 in UTC.
[[nodiscard]] std::int64_t microseconds(Time at);
[[nodiscard]] std::optional<std::int64_t> microseconds(const std::optional<Time>& at);
[[nodiscard]] Time time_of(std::int64_t microseconds_since_1970);
[[nodiscard]] std::optional<Time> time_in(const sqlite::Statement& row, int column);  // nothing if NULL

// Columns id, nik, name from `first_column` on.
[[nodiscard]] Person person_of(const sqlite::Statement& row, int first_column);

// Words without spaces, as one text and back: "a b c".
[[nodiscard]] std::string joined(const std::vector<std::string>& words);
[[nodiscard]] std::vector<std::string> split(std::string_view words);

}  // namespace wajah::attendance
