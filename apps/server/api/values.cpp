#include "server/api/values.hpp"

#include "attendance/site_time.hpp"
#include "server/problem.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include <charconv>
#include <chrono>
#include <cmath>

namespace wajah::server {
namespace json = boost::json;
using attendance::Time;

namespace {

int digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (const char c : text.substr(at, count)) value = value * 10 + (c - '0');
  return value;
}

std::chrono::minutes offset_of(std::string_view text) {
  if (text.ends_with('Z') || text.ends_with('z')) return std::chrono::minutes(0);
  const auto sign = text.size() - 6;
  const std::chrono::minutes offset(digits(text, sign + 1, 2) * 60 + digits(text, sign + 4, 2));
  return text[sign] == '-' ? -offset : offset;
}

[[noreturn]] void refuse_value(std::string_view name, const std::string& expected) {
  throw Problem("validation_failed", fmt::format("{}: {}", name, expected),
                {error_entry({"body", name}, expected, "value_error")});
}

}  // namespace

std::string rfc3339(Time at, std::string_view zone) { return attendance::Zone(zone).rfc3339(at); }

Time parse_rfc3339(std::string_view text) {
  const std::chrono::sys_days day(std::chrono::year(digits(text, 0, 4)) / digits(text, 5, 2) / digits(text, 8, 2));
  const auto clock = std::chrono::hours(digits(text, 11, 2)) + std::chrono::minutes(digits(text, 14, 2)) +
                     std::chrono::seconds(digits(text, 17, 2));
  return Time(day.time_since_epoch() + clock - offset_of(text));
}

json::value nullable(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

json::value nullable_time(const std::optional<Time>& at, std::string_view zone) {
  return at ? json::value(rfc3339(*at, zone)) : json::value(nullptr);
}

std::string id_text(char letter, std::int64_t id) { return fmt::format("{}_{}", letter, id); }

std::optional<std::int64_t> parse_id(char letter, std::string_view text) {
  if (text.size() < 3 || text[0] != letter || text[1] != '_') return std::nullopt;
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id < 1) return std::nullopt;
  return id;
}

std::optional<std::string> text_in(const json::object& values, std::string_view name) {
  const auto* value = values.if_contains(name);
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

std::string text_or(const json::object& values, std::string_view name, std::string_view otherwise) {
  return text_in(values, name).value_or(std::string(otherwise));
}

std::optional<std::int64_t> integer_in(const json::object& values, std::string_view name) {
  const auto* value = values.if_contains(name);
  if (!value || !value->is_number()) return std::nullopt;
  return value->to_number<std::int64_t>();
}

std::optional<bool> flag_in(const json::object& values, std::string_view name) {
  const auto* value = values.if_contains(name);
  if (!value || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

std::optional<attendance::Date> date_in(const json::object& values, std::string_view name) {
  const auto text = text_in(values, name);
  if (!text) return std::nullopt;
  if (const auto date = attendance::parse_date(*text)) return date;
  refuse_value(name, "expected a date from 1970-01-01 to 9999-12-31, like 2026-11-22");
}

std::optional<Time> time_in(const json::object& values, std::string_view name) {
  const auto text = text_in(values, name);
  if (!text) return std::nullopt;
  return parse_rfc3339(*text);
}

attendance::Date needed_date(const json::object& values, std::string_view name) {
  if (const auto date = date_in(values, name)) return *date;
  refuse_value(name, "a date is needed, like 2026-11-22");
}

Time needed_time(const json::object& values, std::string_view name) {
  if (const auto time = time_in(values, name)) return *time;
  refuse_value(name, "a time is needed, like 2026-11-22T07:58:11+07:00");
}

double rounded(double value, int decimals) {
  const double scale = std::pow(10, decimals);
  return std::round(value * scale) / scale;
}

json::object mention(const attendance::Person& person) {
  return {{"id", id_text('p', person.id)}, {"nik", person.nik}, {"name", person.name}};
}

json::object person_json(const attendance::PersonRecord& record, std::string_view zone) {
  auto result = mention(record.person);
  result["group"] = record.details.group;
  result["site"] = record.details.site;
  result["external_id"] = nullable(record.details.external_id);
  result["metadata"] = json::parse(record.details.metadata);
  result["active"] = record.details.active;
  result["photos"] = record.photos;
  result["enrolled_at"] = rfc3339(record.enrolled_at, zone);
  result["updated_at"] = rfc3339(record.updated_at, zone);
  result["version"] = record.version;
  return result;
}

}  // namespace wajah::server
