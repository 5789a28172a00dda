#include "attendance/original_log.hpp"

#include <charconv>
#include <chrono>

namespace wajah::attendance {
namespace {

// Takes `prefix` off the text, if it begins with it.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_digits(std::string_view& text, std::size_t count, int& value) {
  if (text.size() < count) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + count, value);
  if (error != std::errc() || end != text.data() + count || value < 0) return false;
  text.remove_prefix(count);
  return true;
}

// Takes everything from the last `mark` on off the text's end, and returns what follows the mark.
std::optional<std::string_view> take_tail(std::string_view& text, std::string_view mark) {
  const auto found = text.rfind(mark);
  if (found == std::string_view::npos) return std::nullopt;
  const auto tail = text.substr(found + mark.size());
  text = text.substr(0, found);
  return tail;
}

bool real(std::string_view text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<LoggedRecognition> parse_log_line(std::string_view line, const LocalTime& day) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  LoggedRecognition found;
  found.at = day;
  if (!take_digits(line, 2, found.at.hour) || !take(line, ":") || !take_digits(line, 2, found.at.minute) ||
      !take(line, ":") || !take_digits(line, 2, found.at.second) || !take(line, " - NIK: ")) {
    return std::nullopt;
  }
  if (found.at.hour > 23 || found.at.minute > 59 || found.at.second > 59) return std::nullopt;
  // From the end: a NIK or name may hold anything, what follows them not.
  const auto matched = take_tail(line, ", Matched: ");
  const auto accuracy = matched ? take_tail(line, ", Accuracy: ") : std::nullopt;
  const auto name = accuracy ? take_tail(line, ", Name: ") : std::nullopt;
  if (!name || !real(*accuracy, found.accuracy) || (*matched != "True" && *matched != "False")) return std::nullopt;
  found.nik = line;
  found.name = *name;
  found.matched = *matched == "True";
  return found;
}

std::optional<LocalTime> day_of_log(std::string_view file_name) {
  LocalTime day;
  if (!take(file_name, "logging_") || !take_digits(file_name, 2, day.day) || !take(file_name, "-") ||
      !take_digits(file_name, 2, day.month) || !take(file_name, "-") || !take_digits(file_name, 4, day.year) ||
      file_name != ".txt") {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(day.year),
                                         std::chrono::month(static_cast<unsigned>(day.month)),
                                         std::chrono::day(static_cast<unsigned>(day.day)));
  if (!date.ok()) return std::nullopt;
  return day;
}

}  // namespace wajah::attendance
