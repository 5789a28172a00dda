// The tables people download: days, month sheets and summaries, written to any TableWriter.
#pragma once

#include "attendance/records/report.hpp"
#include "attendance/records/table_writer.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wajah::attendance {

enum class Table {
  days,     // a row for each person and date
  sheet,    // a row for each person, a column for each date
  summary,  // a row for each person
};
[[nodiscard]] std::string_view name_of(Table table);
[[nodiscard]] std::optional<Table> parse_table(std::string_view text);

// A day in a sheet: P present, L late, A absent, H holiday, O day off, nothing if nothing was planned or the day is not
// over; with ! where an arrival or departure is missing.
[[nodiscard]] std::string sheet_code(const Day& day);

// A sheet has a column for each date and spans at most 62 of them. Refusal bad_value.
void check_sheet(const ReportQuery& query);

// One table over the whole period; what CSV is made of.
void write_table(AttendanceBook& book, const ReportQuery& query, Table table, TableWriter& writer);

// The workbook: a table of days for each month of the period, then the summary.
void write_workbook(AttendanceBook& book, const ReportQuery& query, TableWriter& writer);

}  // namespace wajah::attendance
