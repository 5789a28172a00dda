#include "attendance/records/export.hpp"

#include "attendance/records/names.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace wajah::attendance {
namespace {

using std::chrono::days;
using std::chrono::year_month_day;

constexpr int longest_sheet_days = 62;

constexpr Names<Table, 3> tables{{{Table::days, "days"}, {Table::sheet, "sheet"}, {Table::summary, "summary"}}};

constexpr Column day_columns[] = {
    {"Date", 11},        {"NIK", 18},     {"Name", 28},   {"Group", 16},   {"Site", 10},     {"Shift", 10},
    {"Start", 19},       {"End", 19},     {"In", 19},     {"Out", 19},     {"Worked", 8},    {"Late", 8},
    {"Early leave", 11}, {"Overtime", 9}, {"Status", 10}, {"Remarks", 32}, {"Time zone", 16}};

constexpr Column summary_columns[] = {{"NIK", 18},       {"Name", 28},         {"Group", 16},      {"Site", 10},
                                      {"Scheduled", 10}, {"Present", 8},       {"Absent", 8},      {"Late", 6},
                                      {"Late time", 10}, {"Early leaves", 12}, {"Early time", 10}, {"Missing", 8},
                                      {"Worked", 9},     {"Overtime", 9}};

Cell text_or_nothing(const std::string& text) { return text.empty() ? Cell() : Cell(text); }
Cell positive(Minutes time) { return time > Minutes(0) ? Cell(time) : Cell(); }
Cell number(int value) { return std::int64_t{value}; }

Cell local(const std::optional<Time>& at, const Zone& zone) { return at ? Cell(zone.local(*at)) : Cell(); }

std::string remarks(const Day& day) {
  std::string text;
  const auto add = [&](bool holds, std::string_view remark) {
    if (holds) text.append(text.empty() ? "" : "; ").append(remark);
  };
  add(day.missing_in, "arrival missing");
  add(day.missing_out, "departure missing");
  add(day.open, "still inside");
  add(day.edited, "edited");
  add(!day.holiday.empty(), day.holiday);
  return text;
}

void write_days(const PersonDays& person, const std::string& site, TableWriter& writer) {
  for (const Day& day : person.days) {
    const Zone zone(day.zone);
    const std::array<Cell, std::size(day_columns)> cells{Cell(day.date),
                                                         person.member.person.nik,
                                                         person.member.person.name,
                                                         text_or_nothing(person.placement.group),
                                                         site,
                                                         text_or_nothing(day.shift),
                                                         local(day.start, zone),
                                                         local(day.end, zone),
                                                         local(day.in, zone),
                                                         local(day.out, zone),
                                                         positive(day.worked),
                                                         positive(day.late),
                                                         positive(day.early_leave),
                                                         positive(day.overtime),
                                                         std::string(name_of(day.status)),
                                                         text_or_nothing(remarks(day)),
                                                         day.zone};
    writer.row(cells);
  }
}

void write_summary(const PersonDays& person, const std::string& site, TableWriter& writer) {
  const Summary& s = person.summary;
  const std::array<Cell, std::size(summary_columns)> cells{person.member.person.nik,
                                                           person.member.person.name,
                                                           text_or_nothing(person.placement.group),
                                                           site,
                                                           number(s.scheduled),
                                                           number(s.present),
                                                           number(s.absent),
                                                           number(s.late),
                                                           s.late_minutes,
                                                           number(s.early_leaves),
                                                           s.early_minutes,
                                                           number(s.missing),
                                                           s.worked,
                                                           s.overtime};
  writer.row(cells);
}

void write_sheet_row(const PersonDays& person, TableWriter& writer) {
  std::vector<Cell> cells{person.member.person.nik, person.member.person.name, text_or_nothing(person.placement.group)};
  for (const Day& day : person.days) cells.push_back(text_or_nothing(sheet_code(day)));
  const Summary& s = person.summary;
  for (const int total : {s.present, s.late, s.absent, s.missing}) cells.push_back(number(total));
  writer.row(cells);
}

void begin_sheet(const ReportQuery& query, TableWriter& writer) {
  check_sheet(query);
  std::vector<std::string> dates;
  for (Date date = query.from; date <= query.to; date += days(1)) dates.push_back(date_text(date).substr(5));
  std::vector<Column> columns{{"NIK", 18}, {"Name", 28}, {"Group", 16}};
  for (const std::string& date : dates) columns.push_back({date, 6});
  for (const std::string_view total : {"Present", "Late", "Absent", "Missing"}) columns.push_back({total, 8});
  writer.begin("Sheet", columns);
}

std::string home_code(AttendanceBook& book, const PersonDays& person) {
  return book.calendar()->home(person.placement).code;
}

Date last_of_month(Date date) {
  const year_month_day ymd(date);
  return Date(ymd.year() / ymd.month() / std::chrono::last);
}

}  // namespace

std::string_view name_of(Table table) { return name_in(tables, table); }
std::optional<Table> parse_table(std::string_view text) { return value_in(tables, text); }

std::string sheet_code(const Day& day) {
  const auto letter = [&]() -> std::string {
    switch (day.status) {
      case DayStatus::on_time:
      case DayStatus::present: return "P";
      case DayStatus::late: return "L";
      case DayStatus::absent: return "A";
      case DayStatus::holiday: return "H";
      case DayStatus::off: return "O";
      case DayStatus::expected:
      case DayStatus::unplanned: break;
    }
    return "";
  };
  return letter() + (day.missing_in || day.missing_out ? "!" : "");
}

void check_sheet(const ReportQuery& query) {
  const auto length = (query.to - query.from).count() + 1;
  if (length <= longest_sheet_days) return;
  refuse(Cause::bad_value, "A sheet has a column for each date and spans at most {} days; the period has {}",
         longest_sheet_days, length);
}

void write_table(AttendanceBook& book, const ReportQuery& query, Table table, TableWriter& writer) {
  check_query(book, query);
  switch (table) {
    case Table::days: writer.begin("Days", day_columns); break;
    case Table::sheet: begin_sheet(query, writer); break;
    case Table::summary: writer.begin("Summary", summary_columns); break;
  }
  visit_days(book, query, 0, [&](const PersonDays& person) {
    switch (table) {
      case Table::days: write_days(person, home_code(book, person), writer); break;
      case Table::sheet: write_sheet_row(person, writer); break;
      case Table::summary: write_summary(person, home_code(book, person), writer); break;
    }
    return true;
  });
  writer.finish();
}

void write_workbook(AttendanceBook& book, const ReportQuery& query, TableWriter& writer) {
  check_query(book, query);
  struct Total {
    PersonDays person;  // without days
    std::string site;
  };
  std::map<PersonId, Total> totals;  // a few words a person, so that no month is read twice
  for (Date first = query.from; first <= query.to; first = last_of_month(first) + days(1)) {
    ReportQuery month = query;
    month.from = first;
    month.to = std::min(query.to, last_of_month(first));
    writer.begin(date_text(first).substr(0, 7), day_columns);
    visit_days(book, month, 0, [&](const PersonDays& person) {
      const std::string site = home_code(book, person);
      write_days(person, site, writer);
      Total& total = totals[person.member.person.id];
      total.person.summary.add(person.summary);
      total.person.member = person.member;
      total.person.placement = person.placement;
      total.site = site;
      return true;
    });
  }
  writer.begin("Summary", summary_columns);
  for (const auto& [id, total] : totals) write_summary(total.person, total.site, writer);
  writer.finish();
}

}  // namespace wajah::attendance
