#include "attendance/records/export.hpp"
#include "server/api/attendance_json.hpp"
#include "server/api/attendance_routes.hpp"
#include "server/api/documented.hpp"
#include "server/api/people.hpp"
#include "server/api/scratch.hpp"
#include "server/api/values.hpp"
#include "server/file_source.hpp"
#include "server/json.hpp"
#include "server/problem.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

namespace wajah::server {
namespace json = boost::json;
using attendance::Date;
using attendance::PersonDays;
using attendance::ReportQuery;

namespace {

// What an answer may hold in memory, what a page may compute, and what a file may tell of.
constexpr std::size_t most_days_of_page = 20'000, most_days_summed = 200'000, most_days_of_file = 1'000'000;

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

// People for a page: those asked for, but no more days than an answer can bear in memory; the cursor leads on.
std::size_t people_of_page(const ReportQuery& query, std::int64_t asked, bool with_days) {
  const auto most = with_days ? most_days_of_page : most_days_summed;
  const auto days = static_cast<std::size_t>((query.to - query.from).count() + 1);
  return std::clamp(most / days, std::size_t{1}, static_cast<std::size_t>(asked));
}

// A page of people, each with the days of the period or only what they amount to.
Reply report_page(Site& site, Request& request, std::string_view name, bool with_days) {
  auto& backend = *site.backend;
  const auto list = list_name(name, request.query);
  const auto query = report_query(backend, request);
  attendance::check_query(backend.book, query);
  const auto limit = people_of_page(query, integer_in(request.query, "limit").value_or(50), with_days);
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

// How many days a file may be made of: a minute's work at most, whoever asks.
class DayLimit {
 public:
  void add(std::size_t days) {
    days_ += days;
    if (days_ <= most_days_of_file) return;
    attendance::refuse(attendance::Cause::bad_value,
                       "The file would tell of more than {} days of people; ask for one group, site or person, or for "
                       "a shorter period",
                       most_days_of_file);
  }

 private:
  std::size_t days_ = 0;
};

// Counts the days behind each row before it is written.
class LimitedWriter final : public attendance::TableWriter {
 public:
  LimitedWriter(attendance::TableWriter& writer, std::size_t days_of_row) : writer_(writer), days_(days_of_row) {}

  void begin(const std::string& name, std::span<const attendance::Column> columns) override {
    writer_.begin(name, columns);
  }
  void row(std::span<const attendance::Cell> cells) override {
    limit_.add(days_);
    writer_.row(cells);
  }
  void finish() override { writer_.finish(); }

 private:
  attendance::TableWriter& writer_;
  std::size_t days_;
  DayLimit limit_;
};

// A file under way; what could not be written is told at its end.
class ReportFile {
 public:
  explicit ReportFile(const std::filesystem::path& file)
      : file_(file), out_(file, std::ios::binary | std::ios::trunc) {}
  void write(std::string_view text) { out_.write(text.data(), static_cast<std::streamsize>(text.size())); }
  void finish() {
    out_.close();
    if (!out_) fail(ErrorKind::storage, "{}: cannot be written; is the disk full?", file_.string());
  }

 private:
  std::filesystem::path file_;
  std::ofstream out_;
};

void write_csv(Backend& backend, const ReportQuery& query, const Request& request, const std::filesystem::path& file) {
  ReportFile out(file);
  attendance::CsvWriter writer([&](std::string_view piece) { out.write(piece); },
                               flag_in(request.query, "bom").value_or(true));
  const auto table = attendance::parse_table(text_or(request.query, "table", "days")).value_or(attendance::Table::days);
  const auto days = static_cast<std::size_t>((query.to - query.from).count() + 1);
  LimitedWriter limited(writer, table == attendance::Table::days ? 1 : days);
  attendance::write_table(backend.book, query, table, limited);
  out.finish();
}

void write_xlsx(Backend& backend, const ReportQuery& query, const std::filesystem::path& file) {
  attendance::XlsxWriter writer(file);
  LimitedWriter limited(writer, 1);
  attendance::write_workbook(backend.book, query, limited);
}

// The page of all people, person by person.
void write_json(Backend& backend, const ReportQuery& query, const std::filesystem::path& file) {
  ReportFile out(file);
  DayLimit limit;
  const auto calendar = backend.book.calendar();
  out.write(fmt::format(R"({{"from":"{}","to":"{}","items":[)", attendance::date_text(query.from),
                        attendance::date_text(query.to)));
  bool first = true;
  attendance::visit_days(backend.book, query, 0, [&](const PersonDays& days) {
    limit.add(days.days.size());
    if (!std::exchange(first, false)) out.write(",");
    out.write(to_text(person_days_json(days, *calendar, true)));
    return true;
  });
  out.write(R"(],"next_cursor":null})");
  out.finish();
}

std::string_view type_of(std::string_view format) {
  if (format == "json") return json_type;
  return format == "xlsx" ? "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
                          : "text/csv; charset=utf-8";
}

// Through a file: an answer in memory would be as large as the company.
Reply export_report(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto query = report_query(backend, request);
  attendance::check_query(backend.book, query);
  const auto format = text_or(request.query, "format", "csv");
  Reply reply{200, std::string(type_of(format)), {}, {}};
  reply.with("Content-Disposition",
             fmt::format("attachment; filename=\"attendance-{}-{}.{}\"", attendance::date_text(query.from),
                         attendance::date_text(query.to), format));
  if (request.method == "HEAD") return reply;
  const ScratchFolder folder(backend.options.temporary_folder, "export");
  const auto file = folder.path() / "attendance";
  if (format == "csv") write_csv(backend, query, request, file);
  if (format == "json") write_json(backend, query, file);
  if (format == "xlsx") write_xlsx(backend, query, file);
  audit(backend, request, "attendance.export", std::nullopt, format,
        {{"from", attendance::date_text(query.from)}, {"to", attendance::date_text(query.to)}});
  reply.source = std::make_shared<FileSource>(file);
  return reply;
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
    report_route(
        "/api/v1/attendance/days", "Days",
        "What each person's events amount to, day by day. A page holds fewer people than `limit` where their days "
        "would be more than 20,000; next_cursor leads on.",
        page_parameters, days_answers, days),
    report_route("/api/v1/attendance/summary", "Summary", "The sums of a period for each person.", page_parameters,
                 summary_answers, summary),
    report_route(
        "/api/v1/attendance/export", "Export",
        "A file for spreadsheets, safe to open: no cell is a formula. It tells of at most 1,000,000 days of people.",
        export_parameters, export_answers, export_report),
};

}  // namespace

std::span<const Route> report_routes() { return table; }

}  // namespace wajah::server
