#include "attendance/records/export.hpp"
#include "server/api/attendance_json.hpp"
#include "server/api/attendance_routes.hpp"
#include "server/api/documented.hpp"
#include "server/api/people.hpp"
#include "server/api/scratch.hpp"
#include "server/api/values.hpp"
#include "server/json.hpp"
#include "server/problem.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <charconv>
#include <fstream>
#include <iterator>

namespace wajah::server {
namespace json = boost::json;
using attendance::Date;
using attendance::PersonDays;
using attendance::ReportQuery;

namespace {

// Without dates: this month so far.
ReportQuery report_query(Backend& backend, const Request& request) {
  ReportQuery query;
  const auto code = request.caller.site ? *request.caller.site : text_or(request.query, "site", "");
  const auto today = backend.book.today(backend.book.site(code));
  const std::chrono::year_month_day day(today);
  query.to = date_in(request.query, "to").value_or(today);
  query.from = date_in(request.query, "from").value_or(std::min(query.to, Date(day.year() / day.month() / 1)));
  query.group = text_in(request.query, "group");
  if (!code.empty()) query.site = code;
  if (const auto id = text_in(request.query, "person")) {
    const auto person = find_person(backend, *id);
    if (!person) throw Problem("person_unknown", "Nobody has this id.");
    query.nik = person->person.nik;
  }
  return query;
}

json::object person_days_json(const PersonDays& days, const attendance::Calendar& calendar, bool with_days) {
  json::object result{{"person", mention(days.member.person)},
                      {"group", days.placement.group},
                      {"site", calendar.home(days.placement).code}};
  if (with_days) {
    json::array list;
    for (const auto& day : days.days) list.push_back(day_json(day, calendar));
    result["days"] = std::move(list);
  }
  result["summary"] = summary_json(days.summary);
  return result;
}

// A page of people, each with the days of the period or only what they amount to.
Reply report_page(Site& site, Request& request, std::string_view name, bool with_days) {
  auto& backend = *site.backend;
  const auto list = list_name(name, request.query);
  const auto query = report_query(backend, request);
  const auto limit = static_cast<std::size_t>(integer_in(request.query, "limit").value_or(50));
  const auto position = backend.cursors.read(list, text_or(request.query, "cursor", ""));
  attendance::PersonId after = 0;
  std::from_chars(position.data(), position.data() + position.size(), after);
  const auto calendar = backend.book.calendar();
  json::array items;
  bool more = false;
  attendance::visit_days(backend.book, query, after, [&](const PersonDays& days) {
    more = items.size() == limit;
    if (more) return false;
    items.push_back(person_days_json(days, *calendar, with_days));
    after = days.member.person.id;
    return true;
  });
  json::object body{{"from", attendance::date_text(query.from)},
                    {"to", attendance::date_text(query.to)},
                    {"items", std::move(items)},
                    {"next_cursor", nullptr}};
  if (more) body["next_cursor"] = backend.cursors.sign(list, std::to_string(after));
  return json_reply(200, body);
}

Reply days(Site& site, Request& request) { return report_page(site, request, "/days", true); }
Reply summary(Site& site, Request& request) { return report_page(site, request, "/summary", false); }

std::string csv_of(Backend& backend, const ReportQuery& query, const Request& request) {
  std::string text;
  attendance::CsvWriter writer([&](std::string_view piece) { text += piece; },
                               flag_in(request.query, "bom").value_or(true));
  const auto table = *attendance::parse_table(text_or(request.query, "table", "days"));
  attendance::write_table(backend.book, query, table, writer);
  return text;
}

std::string workbook_of(Backend& backend, const ReportQuery& query) {
  const ScratchFolder folder(backend.options.temporary_folder, "export");
  const auto file = folder.path() / "attendance.xlsx";
  attendance::XlsxWriter writer(file);
  attendance::write_workbook(backend.book, query, writer);
  std::ifstream made(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(made), {}};
}

std::string json_of(Backend& backend, const ReportQuery& query) {
  json::array items;
  const auto calendar = backend.book.calendar();
  attendance::visit_days(backend.book, query, 0, [&](const PersonDays& days) {
    items.push_back(person_days_json(days, *calendar, true));
    return true;
  });
  return to_text(json::object{{"from", attendance::date_text(query.from)},
                              {"to", attendance::date_text(query.to)},
                              {"items", std::move(items)},
                              {"next_cursor", nullptr}});
}

Reply export_report(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto query = report_query(backend, request);
  const auto format = text_or(request.query, "format", "csv");
  Reply reply;
  if (format == "csv") reply = {200, "text/csv; charset=utf-8", csv_of(backend, query, request), {}};
  if (format == "json") reply = {200, std::string(json_type), json_of(backend, query), {}};
  if (format == "xlsx") {
    reply = {200, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", workbook_of(backend, query), {}};
  }
  audit(backend, request, "attendance.export", std::nullopt, format,
        {{"from", attendance::date_text(query.from)}, {"to", attendance::date_text(query.to)}});
  return reply.with("Content-Disposition",
                    fmt::format("attachment; filename=\"attendance-{}-{}.{}\"", attendance::date_text(query.from),
                                attendance::date_text(query.to), format));
}

constexpr std::string_view date_schema = R"({"type":"string","format":"date"})";
constexpr Parameter from_parameter{Where::query, "from", "First business date; without: of the month", date_schema};
constexpr Parameter to_parameter{Where::query, "to", "Last business date; without: today", date_schema};
constexpr Parameter whom_parameter{Where::query, "person", "p_12, or nik:12345", R"({"type":"string","maxLength":80})"};
constexpr Parameter group_parameter{Where::query, "group", "Of this group", R"({"type":"string","maxLength":128})"};
constexpr Parameter site_parameter{Where::query, "site", "Code of the site", R"({"type":"string","maxLength":64})"};
constexpr Parameter page_parameters[] = {from_parameter, to_parameter,    whom_parameter,  group_parameter,
                                         site_parameter, limit_parameter, cursor_parameter};
constexpr Parameter export_parameters[] = {
    from_parameter,
    to_parameter,
    whom_parameter,
    group_parameter,
    site_parameter,
    {Where::query, "format", "Of the file", R"({"type":"string","enum":["csv","xlsx","json"],"default":"csv"})"},
    {Where::query, "table", "Of the CSV: a row a day, a month's sheet, or a row a person",
     R"({"type":"string","enum":["days","sheet","summary"],"default":"days"})"},
    {Where::query, "bom", "Mark the CSV as UTF-8 for spreadsheets", R"({"type":"boolean","default":true})"},
};

constexpr Answer days_answers[] = {ok("DaysPage", "A page of people with their days"),
                                   problem(400, "The cursor is not of this list"), no_such, wrong_values};
constexpr Answer summary_answers[] = {ok("SummaryPage", "A page of people with their sums"),
                                      problem(400, "The cursor is not of this list"), no_such, wrong_values};
constexpr Answer export_answers[] = {ok("DaysPage", "The file: text/csv, a workbook, or this JSON"), no_such,
                                     wrong_values};

constexpr Route report_route(std::string_view path, std::string_view title, std::string_view about,
                             std::span<const Parameter> parameters, std::span<const Answer> answers,
                             Reply (*handle)(Site&, Request&)) {
  return {.verb = Verb::get,
          .path = path,
          .tag = "attendance",
          .summary = title,
          .about = about,
          .scope = Scope::attendance_read,
          .lane = Lane::query,
          .parameters = parameters,
          .answers = answers,
          .handle = handle,
          .shape = Shape::problem};
}

constexpr Route table[] = {
    report_route("/api/v1/attendance/days", "Days", "What each person's events amount to, day by day.", page_parameters,
                 days_answers, days),
    report_route("/api/v1/attendance/summary", "Summary", "The sums of a period for each person.", page_parameters,
                 summary_answers, summary),
    report_route("/api/v1/attendance/export", "Export", "A file for spreadsheets, safe to open: no cell is a formula.",
                 export_parameters, export_answers, export_report),
};

}  // namespace

std::span<const Route> report_routes() { return table; }

}  // namespace wajah::server
