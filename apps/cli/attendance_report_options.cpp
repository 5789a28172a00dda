#include "cli/attendance.hpp"
#include "cli/attendance_report.hpp"
#include "cli/folder_settings.hpp"

#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <array>
#include <optional>

namespace wajah::cli {
namespace {

using attendance::Date;

constexpr std::array own_names{OwnName{"day-start", "attendance.day_start"}};

Date date_of(const char* option, const std::string& text) {
  const auto date = attendance::parse_date(text);
  if (!date) fail(ErrorKind::usage, "{} {}: expected a date such as 2026-11-22", option, quote(text));
  return *date;
}

std::optional<std::string> given(const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); }

attendance::BookOptions book_options(const ReportOptions& options) {
  const server::Settings settings = folder_settings(options.common, own_names);
  attendance::BookOptions book;
  book.zone = settings.attendance.zone;
  book.day_start = *attendance::parse_clock(settings.attendance.day_start);
  return book;
}

// After the checks that need no folder, so that a slip is told first and nothing is made.
const std::string& existing_folder(const ReportOptions& options) {
  static_cast<void>(book_options(options));
  require_data_folder(options.common);
  return options.common.data;
}

}  // namespace

void ReportOptions::declare(OptionSet& set) {
  set.add("from", from, "DATE", "first business date, e.g. 2026-11-01; default: the first of this month");
  set.add("to", to, "DATE", "last business date; default: today");
  set.add("month", month, "MONTH", "a whole month instead, e.g. 2026-11");
  set.add("person", person, "NIK", "one person only");
  set.add("group", group, "GROUP", "people of one group only");
  set.add("site", site, "CODE", "people of one site only");
  declare_book(set);
}

void ReportOptions::declare_book(OptionSet& set) {
  set.add_setting("zone", "NAME", "IANA time zone of sites that name none (attendance.zone) [Asia/Jakarta]");
  set.add_setting("day-start", "HH:MM", "when a business date begins at such sites (attendance.day_start) [04:00]");
  set.common(common, {.data = true, .json = true});
}

OpenBook::OpenBook(const ReportOptions& options)
    : folder_(existing_folder(options)),
      database_(folder_, {options.common.storage_key_file, {}}),
      store_(database_),
      book_(store_, book_options(options)) {}

attendance::ReportQuery OpenBook::query(const ReportOptions& options) {
  using std::chrono::year_month_day;
  if (!options.month.empty() && !(options.from.empty() && options.to.empty())) {
    fail(ErrorKind::usage, "--month and --from or --to exclude each other");
  }
  attendance::ReportQuery query;
  query.to = options.to.empty() ? book_.today(book_.site("")) : date_of("--to", options.to);
  const year_month_day last(query.to);
  query.from = options.from.empty() ? Date(last.year() / last.month() / 1) : date_of("--from", options.from);
  if (!options.month.empty()) {
    const auto first = attendance::parse_date(options.month + "-01");
    if (!first) fail(ErrorKind::usage, "--month {}: expected a month such as 2026-11", quote(options.month));
    const year_month_day ymd(*first);
    query.from = *first;
    query.to = Date(ymd.year() / ymd.month() / std::chrono::last);
  }
  query.nik = given(options.person);
  query.group = given(options.group);
  query.site = given(options.site);
  return query;
}

}  // namespace wajah::cli
