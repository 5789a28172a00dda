#include "attendance/storage/sql_values.hpp"

#include <fmt/ranges.h>

#include <chrono>
#include <sstream>

namespace wajah::attendance {

std::int64_t microseconds(Time at) {
  return std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
}

std::optional<std::int64_t> microseconds(const std::optional<Time>& at) {
  if (!at) return std::nullopt;
  return microseconds(*at);
}

Time time_of(std::int64_t microseconds_since_1970) {
  return Time(std::chrono::duration_cast<Time::duration>(std::chrono::microseconds(microseconds_since_1970)));
}

std::optional<Time> time_in(const sqlite::Statement& row, int column) {
  if (row.null(column)) return std::nullopt;
  return time_of(row.integer(column));
}

Person person_of(const sqlite::Statement& row, int first_column) {
  return {row.integer(first_column), row.text(first_column + 1), row.text(first_column + 2)};
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

std::vector<std::string> split(std::string_view words) {
  std::istringstream text{std::string(words)};
  std::vector<std::string> found;
  for (std::string word; text >> word;) found.push_back(word);
  return found;
}

}  // namespace wajah::attendance
