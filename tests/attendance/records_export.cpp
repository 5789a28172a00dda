// Reports and exports: a month of an office with day and night shifts, as CSV and XLSX.
#include "attendance/records/export.hpp"
#include "records.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

struct Month {
  Month() {
    ani = office.hire("3171234567890001", "ANI");
    citra = office.hire("0042", "=CITRA, \"C\"");
    office.assign(ani, weekday_shift("PAGI", "08:00", "17:00"));
    office.assign(citra, every_day_shift("MALAM", "22:00", "06:00"));
    office.book.save(Placement{ani, on("2026-01-01"), "IT", ""});
    office.book.save(Holiday{0, on("2026-11-25"), "HARI GURU", std::nullopt});
    office.at("2026-11-23T07:58:11+07:00", ani);
    office.at("2026-11-23T17:03:00+07:00", ani);
    office.at("2026-11-23T21:50:00+07:00", citra);
    office.at("2026-11-24T06:05:00+07:00", citra);
    office.at("2026-11-24T08:20:00+07:00", ani);
    office.now = instant("2026-12-02T00:00:00Z");
  }

  Office office;
  PersonId ani = 0, citra = 0;
};

ReportQuery november() {
  ReportQuery query;
  query.from = on("2026-11-01");
  query.to = on("2026-11-30");
  return query;
}

std::string csv(AttendanceBook& book, const ReportQuery& query, Table table, bool bom = false) {
  std::string text;
  CsvWriter writer([&](std::string_view part) { text += part; }, bom);
  write_table(book, query, table, writer);
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Whether a spreadsheet program is there and asked for; it takes many seconds to start.
bool spreadsheet_program() {
  if (std::getenv("WAJAH_SPREADSHEET") == nullptr) {
    MESSAGE("skipped: opening exports in LibreOffice; WAJAH_SPREADSHEET=1 asks for it");
    return false;
  }
  if (std::system("command -v soffice >/dev/null 2>&1") == 0) return true;
  MESSAGE("skipped: opening exports in LibreOffice; there is no soffice (Debian package libreoffice-calc)");
  return false;
}

// Every sheet of the file as LibreOffice sees it, as out/<name>-<sheet>.csv.
void convert(const std::filesystem::path& folder, const std::string& file) {
  const std::string command = fmt::format(
      "cd '{0}' && HOME='{0}' soffice -env:UserInstallation=file://{0}/profile --headless {1} --convert-to "
      "'csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1' --outdir out {2} >log 2>&1",
      folder.string(), file.ends_with(".csv") ? "--infilter=CSV:44,34,76,1" : "", file);
  REQUIRE_MESSAGE(std::system(command.c_str()) == 0, contents(folder / "log"));
}

}  // namespace

TEST_CASE("fields are quoted as RFC 4180 says and never begin a formula") {
  CHECK(csv_field("") == "");
  CHECK(csv_field("ANI") == "ANI");
  CHECK(csv_field("ANI, BUDI") == "\"ANI, BUDI\"");
  CHECK(csv_field("A \"B\" C") == "\"A \"\"B\"\" C\"");
  CHECK(csv_field("a\r\nb") == "\"a\r\nb\"");
  CHECK(csv_field("2+2") == "2+2");
  for (const std::string start : {"=", "+", "-", "@", "\t", "\r", "\n", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"}) {
    CAPTURE(start);
    CHECK(csv_field(start + "1") == "\"'" + start + "1\"");
  }
  CHECK(csv_field("=HYPERLINK(\"http://x\")") == "\"'=HYPERLINK(\"\"http://x\"\")\"");
}

TEST_CASE("a month's days as CSV") {
  Month month;
  const auto text = csv(month.office.book, november(), Table::days);
  const auto lines = lines_of(text);
  REQUIRE(lines.size() == 61);
  CHECK(lines[0] ==
        "Date,NIK,Name,Group,Site,Shift,Start,End,In,Out,Worked,Late,Early leave,Overtime,Status,Remarks,Time zone\r");
  CHECK(lines[1] == "2026-11-01,3171234567890001,ANI,IT,main,PAGI,,,,,,,,,off,,Asia/Jakarta\r");  // a Sunday
  CHECK(lines[23] ==
        "2026-11-23,3171234567890001,ANI,IT,main,PAGI,2026-11-23 08:00:00,2026-11-23 17:00:00,2026-11-23 07:58:11,"
        "2026-11-23 17:03:00,8:04,,,0:03,on_time,,Asia/Jakarta\r");
  CHECK(lines[24] ==
        "2026-11-24,3171234567890001,ANI,IT,main,PAGI,2026-11-24 08:00:00,2026-11-24 17:00:00,2026-11-24 08:20:00,"
        ",,0:20,,,late,departure missing,Asia/Jakarta\r");
  CHECK(has(lines[25], ",holiday,HARI GURU,"));
  CHECK(has(lines[26], ",absent,,"));
  CHECK(lines[53] ==
        "2026-11-23,0042,\"'=CITRA, \"\"C\"\"\",,main,MALAM,2026-11-23 22:00:00,2026-11-24 06:00:00,"
        "2026-11-23 21:50:00,2026-11-24 06:05:00,8:15,,,0:05,on_time,,Asia/Jakarta\r");
  CHECK(csv(month.office.book, november(), Table::days, true)
            .starts_with("\xEF\xBB\xBF"
                         "Date,"));
}

TEST_CASE("a month's sheet and summary") {
  Month month;
  const auto sheet = lines_of(csv(month.office.book, november(), Table::sheet));
  REQUIRE(sheet.size() == 3);
  CHECK(sheet[0].starts_with("NIK,Name,Group,11-01,11-02,"));
  CHECK(sheet[1] == "3171234567890001,ANI,IT,O,A,A,A,A,A,O,O,A,A,A,A,A,O,O,A,A,A,A,A,O,O,P,L!,H,A,A,O,O,A,2,1,18,1\r");
  const auto summary = lines_of(csv(month.office.book, november(), Table::summary));
  REQUIRE(summary.size() == 3);
  CHECK(
      summary[0] ==
      "NIK,Name,Group,Site,Scheduled,Present,Absent,Late,Late time,Early leaves,Early time,Missing,Worked,Overtime\r");
  CHECK(summary[1] == "3171234567890001,ANI,IT,main,20,2,18,1,0:20,0,0:00,1,8:04,0:03\r");
  auto query = november();
  query.to = on("2027-02-01");
  CHECK(Office::cause_of([&] { csv(month.office.book, query, Table::sheet); }) == Cause::bad_value);
}

TEST_CASE("a report asks for one person, a group or a site") {
  Month month;
  AttendanceBook& book = month.office.book;
  const auto people = [&](const ReportQuery& query, PersonId after = 0) {
    std::string niks;
    visit_days(book, query, after, [&](const PersonDays& person) {
      niks += person.member.person.nik + " ";
      CHECK(std::ssize(person.days) == (query.to - query.from).count() + 1);
      return true;
    });
    return niks;
  };
  auto query = november();
  CHECK(people(query) == "3171234567890001 0042 ");
  CHECK(people(query, month.ani) == "0042 ");
  query.group = "IT";
  CHECK(people(query) == "3171234567890001 ");
  query.group = "HR";
  CHECK(people(query).empty());
  query = november();
  query.nik = "0042";
  CHECK(people(query) == "0042 ");
  query.site = "main";
  CHECK(people(query) == "0042 ");
  query.site = "nowhere";
  CHECK(Office::cause_of([&] { people(query); }) == Cause::unknown_site);
  query = november();
  query.nik = "nobody";
  CHECK(Office::cause_of([&] { people(query); }) == Cause::unknown_person);
  query = november();
  std::swap(query.from, query.to);
  CHECK(Office::cause_of([&] { people(query); }) == Cause::bad_value);
  query.from = on("2000-01-01");
  CHECK(Office::cause_of([&] { people(query); }) == Cause::bad_value);

  INFO("nobody is absent before they were enrolled");
  const auto late = month.office.hire("77", "NEW", "2026-11-20T09:00:00+07:00");
  month.office.assign(late, weekday_shift("SIANG", "13:00", "21:00"));
  const auto days = month.office.days(late, "2026-11-18", "2026-11-20");
  CHECK(days[0].status == DayStatus::unplanned);
  CHECK(days[2].status == DayStatus::absent);
  query = november();
  query.to = on("2026-11-19");
  CHECK(people(query).find("77") == std::string::npos);
  INFO("but whoever has events was there, as an imported log may tell");
  month.office.at("2026-11-18T13:00:00+07:00", late);
  CHECK(people(query).find("77") != std::string::npos);
}

TEST_CASE("a status follows edits of shifts and holidays") {
  Month month;
  AttendanceBook& book = month.office.book;
  CHECK(month.office.days(month.ani, "2026-11-24", "2026-11-24")[0].late == Minutes(20));
  Shift shift = book.calendar()->entries().shifts.at(0);
  shift.grace = Minutes(20);
  book.save(shift);
  CHECK(month.office.days(month.ani, "2026-11-24", "2026-11-24")[0].status == DayStatus::on_time);
  book.save(Holiday{0, on("2026-11-26"), "CUTI BERSAMA", std::nullopt});
  CHECK(month.office.days(month.ani, "2026-11-26", "2026-11-26")[0].status == DayStatus::holiday);
}

TEST_CASE("the calendar refuses what cannot be") {
  Office office;
  AttendanceBook& book = office.book;
  const auto cause = [](auto&& call) { return Office::cause_of(call); };
  CHECK(cause([&] { book.save(Door{0, "a b", "X", "", {}, {}, {}}); }) == Cause::bad_value);
  CHECK(cause([&] { book.save(Door{0, "a", "", "", {}, {}, {}}); }) == Cause::bad_value);
  CHECK(cause([&] { book.save(Door{0, "a", "X", "Asia/Bandung", {}, {}, {}}); }) == Cause::bad_value);
  CHECK(cause([&] { book.save(Door{0, "a", "X", "", Minutes(1440), {}, {}}); }) == Cause::bad_value);
  CHECK(cause([&] { book.save(Door{0, "main", "X", "", {}, {}, {}}); }) == Cause::conflict);
  CHECK(cause([&] { book.save(Door{9, "a", "X", "", {}, {}, {}}); }) == Cause::not_found);
  CHECK(cause([&] { book.save(Door{main_site, "renamed", "X", "", {}, {}, {}}); }) == Cause::bad_value);

  auto shift = weekday_shift("S", "08:00", "17:00");
  shift.week[0]->pause = {{o_clock("17:00"), o_clock("18:00")}};
  CHECK(cause([&] { book.save(shift); }) == Cause::bad_value);
  shift.week = {};
  CHECK(cause([&] { book.save(shift); }) == Cause::bad_value);
  auto night = every_day_shift("N", "22:00", "06:00");
  night.week[0]->pause = {{o_clock("01:00"), o_clock("02:00")}};
  night = book.save(night);
  CHECK(cause([&] { book.save(every_day_shift("N", "21:00", "06:00")); }) == Cause::conflict);

  Assignment assignment{0, night.id, Assignment::To::group, 0, "IT", 0, on("2026-11-02"), on("2026-11-01")};
  CHECK(cause([&] { book.save(assignment); }) == Cause::bad_value);
  assignment.until.reset();
  assignment.shift = 99;
  CHECK(cause([&] { book.save(assignment); }) == Cause::not_found);
  CHECK(cause([&] { book.save(Placement{1, on("2026-11-02"), "", "nowhere"}); }) == Cause::unknown_site);
  CHECK(cause([&] { book.remove(RecordStore::Entry::site, main_site); }) == Cause::conflict);
  CHECK(cause([&] { book.remove(RecordStore::Entry::shift, 99); }) == Cause::not_found);
  CHECK_THROWS_AS(Office(BookOptions{"Asia/Bandung", {}, {}, {}}), Error);
  CHECK_THROWS_AS(Office(BookOptions{"UTC", Minutes(1440), {}, {}}), Error);
}

TEST_CASE("a workbook is whole or not there") {
  Month month;
  const auto file = month.office.folder.path() / "november.xlsx";
  {
    XlsxWriter writer(file);
    write_workbook(month.office.book, november(), writer);
  }
  CHECK(contents(file).starts_with("PK"));
  CHECK_FALSE(std::filesystem::exists(file.string() + ".part"));

  const auto before = contents(file);
  {
    XlsxWriter writer(file);
    auto query = november();
    query.nik = "nobody";
    CHECK_THROWS_AS(write_workbook(month.office.book, query, writer), Refusal);
  }
  CHECK(contents(file) == before);
  CHECK_FALSE(std::filesystem::exists(file.string() + ".part"));
  CHECK_THROWS_AS(XlsxWriter(month.office.folder.path() / "no" / "such.xlsx"), Error);
  CsvWriter writer([](std::string_view) {}, false);
  CHECK_THROWS_AS(write_workbook(month.office.book, november(), writer), Error);  // two tables
}

TEST_CASE("a finished workbook takes nothing more and stays as it is") {
  Month month;
  const auto file = month.office.folder.path() / "book.xlsx";
  XlsxWriter writer(file);
  constexpr std::array columns{Column{"a"}};
  const std::array<Cell, 1> cells{std::string("b")};
  CHECK_THROWS_AS(writer.row(cells), Error);
  writer.begin("x", columns);
  writer.row(cells);
  writer.finish();
  const auto made = contents(file);
  CHECK_THROWS_AS(writer.finish(), Error);
  CHECK_THROWS_AS(writer.begin("y", columns), Error);
  CHECK_THROWS_AS(writer.row(cells), Error);
  CHECK(contents(file) == made);
}

TEST_CASE("LibreOffice opens the exports") {
  if (!spreadsheet_program()) return;
  Month month;
  const auto folder = month.office.folder.path() / "sheets";
  std::filesystem::create_directory(folder);
  auto query = november();
  query.from = on("2026-10-15");
  {
    XlsxWriter writer(folder / "book.xlsx");
    write_workbook(month.office.book, query, writer);
  }
  std::ofstream(folder / "days.csv", std::ios::binary) << csv(month.office.book, november(), Table::days, true);
  convert(folder, "book.xlsx");
  convert(folder, "days.csv");

  const auto october = lines_of(contents(folder / "out" / "book-2026-10.csv"));
  REQUIRE(october.size() == 1 + 2 * 17);
  const auto november = lines_of(contents(folder / "out" / "book-2026-11.csv"));
  REQUIRE(november.size() == 1 + 2 * 30);
  // Its own CSV shows a duration in full, as a time of day if it is below 24 hours.
  CHECK(november[23] ==
        "2026-11-23,3171234567890001,ANI,IT,main,PAGI,2026-11-23 08:00:00,2026-11-23 17:00:00,2026-11-23 07:58:11,"
        "2026-11-23 17:03:00,08:04:00 AM,,,12:03:00 AM,on_time,,Asia/Jakarta");
  CHECK(has(november[53], "0042,\"=CITRA, \"\"C\"\"\","));  // a text with its zeros, not a formula's error
  const auto summary = lines_of(contents(folder / "out" / "book-Summary.csv"));
  REQUIRE(summary.size() == 3);
  CHECK(has(summary[1], "08:04:00"));
  const auto days = contents(folder / "out" / "days-days.csv");
  CHECK(lines_of(days).size() == 61);
  CHECK(has(days, "'=CITRA, \"\"C\"\""));
  CHECK_FALSE(has(days, "Err:"));
  CHECK_FALSE(has(days, "#NAME?"));
}

TEST_CASE("a workbook has every person and date once") {
  Office office;
  for (int i = 0; i < 400; ++i) office.hire(fmt::format("{:05}", i), "PERSON");
  Assignment everybody;
  everybody.shift = office.book.save(weekday_shift("PAGI", "08:00", "17:00")).id;
  everybody.to = Assignment::To::site;
  everybody.site = main_site;
  everybody.from = on("2026-01-01");
  office.book.save(everybody);
  office.now = instant("2026-12-02T00:00:00Z");
  struct Counter final : TableWriter {
    void begin(const std::string&, std::span<const Column>) override { ++tables; }
    void row(std::span<const Cell> cells) override { rows += !cells.empty(); }
    void finish() override { finished = true; }
    int tables = 0, rows = 0;
    bool finished = false;
  } counter;
  write_workbook(office.book, november(), counter);
  CHECK(counter.tables == 2);
  CHECK(counter.rows == 400 * 30 + 400);
  CHECK(counter.finished);
}
