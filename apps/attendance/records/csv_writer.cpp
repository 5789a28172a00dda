#include "attendance/records/table_writer.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace wajah::attendance {
namespace {

// What spreadsheets take for the beginning of a formula (OWASP, "CSV injection"), full-width forms included.
constexpr std::array<std::string_view, 11> formula_starts{"=",  "+",      "-",      "@",      "\t",    "\r",
                                                          "\n", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"};

struct Field {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(const std::string& text) const { return csv_field(text); }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(Date date) const { return date_text(date); }
  std::string operator()(const LocalTime& t) const {
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", t.year, t.month, t.day, t.hour, t.minute, t.second);
  }
  std::string operator()(Minutes time) const { return fmt::format("{}:{:02}", time.count() / 60, time.count() % 60); }
};

}  // namespace

std::string csv_field(std::string_view text) {
  const bool formula = std::ranges::any_of(formula_starts, [&](auto start) { return text.starts_with(start); });
  const bool quoted = formula || text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (!quoted) return std::string(text);
  std::string field = formula ? "\"'" : "\"";
  for (const char c : text) {
    if (c == '"') field += '"';
    field += c;
  }
  return field + '"';
}

void CsvWriter::begin(const std::string&, std::span<const Column> columns) {
  if (begun_) fail(ErrorKind::usage, "a CSV file holds one table; write another file for the second, or XLSX");
  begun_ = true;
  if (bom_) sink_("\uFEFF");
  line_.clear();
  for (const Column& column : columns) {
    if (!line_.empty()) line_ += ',';
    line_ += csv_field(column.title);
  }
  sink_(line_ += "\r\n");
}

void CsvWriter::row(std::span<const Cell> cells) {
  line_.clear();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line_ += ',';
    line_ += std::visit(Field{}, cells[i]);
  }
  sink_(line_ += "\r\n");
}

}  // namespace wajah::attendance
