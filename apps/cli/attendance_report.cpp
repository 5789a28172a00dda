// wajah attendance: days, sheets and summaries of a data folder. Needs no models.
#include "cli/attendance_report.hpp"

#include "attendance/records/export.hpp"
#include "attendance/text.hpp"
#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs.hpp"
#include "server/api/attendance_json.hpp"

#include <boost/json.hpp>

#include <array>

namespace wajah::cli {
namespace {

namespace json = boost::json;
using attendance::Date;
using attendance::Day;
using attendance::Minutes;
using attendance::PersonDays;
using attendance::Time;

std::string name_of(const PersonDays& person) { return attendance::escape(person.member.person.name); }

json::object person_json(const PersonDays& person) {
  return {{"nik", person.member.person.nik},
          {"name", person.member.person.name},
          {"group", person.placement.group.empty() ? json::value(nullptr) : json::value(person.placement.group)}};
}

// 07:58, or 06:05+1 on the morning after the business date.
std::string clock_of(const std::optional<Time>& at, const Day& day) {
  if (!at) return "-";
  const auto wall = attendance::Zone(day.zone).wall(*at);
  const auto midnight = std::chrono::floor<std::chrono::days>(wall);
  const auto later = (midnight.time_since_epoch() - day.date.time_since_epoch()).count();
  const auto text = attendance::clock_text(std::chrono::floor<Minutes>(wall - midnight));
  return later == 0 ? text : fmt::format("{}{:+}", text, later);
}

std::string duration(Minutes time) { return fmt::format("{}:{:02}", time.count() / 60, time.count() % 60); }

std::string remarks(const Day& day) {
  std::string text;
  const auto add = [&](bool holds, const std::string& remark) {
    if (holds) text += (text.empty() ? "" : ", ") + remark;
  };
  add(day.late > Minutes(0), fmt::format("late {} min", day.late.count()));
  add(day.early_leave > Minutes(0), fmt::format("left {} min early", day.early_leave.count()));
  add(day.overtime > Minutes(0), fmt::format("overtime {} min", day.overtime.count()));
  add(day.missing_in, "arrival missing");
  add(day.missing_out, "departure missing");
  add(day.open, "still inside");
  add(day.edited, "edited");
  add(!day.holiday.empty(), attendance::escape(day.holiday));
  return text;
}

void print_days(attendance::AttendanceBook& book, const PersonDays& person, bool as_json) {
  for (const Day& day : person.days) {
    if (as_json) {
      json::object line = person_json(person);
      for (const auto& member : server::day_json(day, *book.calendar())) line.insert(member);
      print_json(line);
    } else {
      fmt::print("{}  {:<18} {:<24} {:<8} {:>8} {:>8} {:>6}  {:<9} {}\n", attendance::date_text(day.date),
                 person.member.person.nik, name_of(person), day.shift, clock_of(day.in, day), clock_of(day.out, day),
                 duration(day.worked), attendance::name_of(day.status), remarks(day));
    }
  }
}

void print_sheet_row(const PersonDays& person, bool as_json) {
  if (as_json) {
    json::object line = person_json(person);
    json::object dates;
    for (const Day& day : person.days) dates[attendance::date_text(day.date)] = attendance::sheet_code(day);
    line["days"] = std::move(dates);
    line["summary"] = server::summary_json(person.summary);
    return print_json(line);
  }
  std::string row = fmt::format("{:<18} {:<24}", person.member.person.nik, name_of(person));
  for (const Day& day : person.days) row += fmt::format("{:>3}", attendance::sheet_code(day));
  const auto& s = person.summary;
  fmt::print("{}  {:>3} {:>3} {:>3} {:>3}\n", row, s.present, s.late, s.absent, s.missing);
}

void print_sheet_header(const attendance::ReportQuery& query) {
  attendance::check_sheet(query);
  std::string header = fmt::format("{:<18} {:<24}", "NIK", "Name");
  for (Date date = query.from; date <= query.to; date += std::chrono::days(1)) {
    header += fmt::format("{:>3}", unsigned(std::chrono::year_month_day(date).day()));
  }
  fmt::print("{} to {}: P present, L late, A absent, H holiday, O day off, ! punch missing\n",
             attendance::date_text(query.from), attendance::date_text(query.to));
  fmt::print("{}    P   L   A   !\n", header);
}

void print_summary(const PersonDays& person, bool as_json) {
  const auto& s = person.summary;
  if (as_json) {
    json::object line = person_json(person);
    for (const auto& member : server::summary_json(s)) line.insert(member);
    return print_json(line);
  }
  fmt::print("{:<18} {:<24} {:>3} present, {:>2} absent, {:>2} late ({}), {:>2} missing, {} worked, {} overtime\n",
             person.member.person.nik, name_of(person), s.present, s.absent, s.late, duration(s.late_minutes),
             s.missing, duration(s.worked), duration(s.overtime));
}

template <class Header, class Print>
int report(Arguments arguments, const char* usage, const char* about, const Header& header, const Print& print) {
  ReportOptions options;
  OptionSet set(usage, about);
  options.declare(set);
  if (!set.parse(arguments)) return exit_yes;
  OpenBook open(options);
  const auto query = open.query(options);
  attendance::check_query(open.book(), query);
  if (!options.common.json) header(query);
  attendance::visit_days(open.book(), query, 0, [&](const PersonDays& person) {
    print(open.book(), person, options.common.json);
    return true;
  });
  return exit_yes;
}

int days(Arguments arguments) {
  return report(
      arguments, "attendance days [--from DATE] [--to DATE] [--person NIK] ...",
      "A line for each person and date: arrival, departure, hours, and what was late or missing.", [](const auto&) {},
      [](auto& book, const PersonDays& person, bool as_json) { print_days(book, person, as_json); });
}

int sheet(Arguments arguments) {
  return report(arguments, "attendance sheet [--month MONTH] [--group GROUP] ...",
                "A line for each person, a letter for each date.", print_sheet_header,
                [](auto&, const PersonDays& person, bool as_json) { print_sheet_row(person, as_json); });
}

int summary(Arguments arguments) {
  return report(
      arguments, "attendance summary [--month MONTH] [--group GROUP] ...",
      "A line for each person: days present, absent and late, hours and overtime.", [](const auto&) {},
      [](auto&, const PersonDays& person, bool as_json) { print_summary(person, as_json); });
}

int inside(Arguments arguments) {
  ReportOptions options;
  OptionSet set("attendance inside [--site CODE]", "Who has arrived and not left, in the order they came.");
  set.add("site", options.site, "CODE", "at one site only");
  options.declare_book(set);
  if (!set.parse(arguments)) return exit_yes;
  OpenBook open(options);
  const auto at = options.site.empty() ? std::nullopt : std::optional(open.book().site(options.site).id);
  const auto calendar = open.book().calendar();
  for (const auto& event : open.book().inside(at)) {
    if (options.common.json) {
      print_json(server::event_json(event, *calendar));
    } else {
      fmt::print("{}  {:<18} {}\n", attendance::Zone(event.zone).rfc3339(event.at), event.person->nik,
                 attendance::escape(event.person->name));
    }
  }
  return exit_yes;
}

int run(Arguments arguments) {
  static constexpr std::array verbs{Command{"days", "lists people's days", days},
                                    Command{"sheet", "shows a month at a glance", sheet},
                                    Command{"summary", "adds up days, lateness and hours", summary},
                                    Command{"inside", "lists who is inside now", inside},
                                    Command{"export", "writes a CSV or XLSX file", export_attendance}};
  return run_verb("attendance", "Attendance in the data folder. Needs no models, and no server running.", verbs,
                  arguments);
}

}  // namespace

const Command attendance_command{"attendance", "lists and exports attendance", run};

}  // namespace wajah::cli
