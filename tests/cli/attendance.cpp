// wajah attendance: what it prints and writes about a small office.
#include "attendance/records/attendance_book.hpp"
#include "attendance/records/sqlite_record_store.hpp"
#include "attendance/sqlite_store.hpp"
#include "cli/program.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>

using wajah::test::Outcome;
using wajah::test::Workplace;
namespace attendance = wajah::attendance;

namespace {

using attendance::Minutes;
using attendance::Time;

// Two in the folder data: one came on Monday, the 2nd of November 2026, and went; one never came.
void fill(const Workplace& place) {
  const Time came = std::chrono::sys_days(std::chrono::year(2026) / 11 / 2) + Minutes(60);  // 08:00 in Jakarta
  Time now = came;
  const attendance::DataFolder folder(place / "data");
  attendance::Database database(folder);
  attendance::SqliteStore people(database);
  attendance::SqliteRecordStore records(database);
  attendance::BookOptions options;
  options.now = [&] { return now; };
  attendance::AttendanceBook book(records, options);
  const auto ani = people.enrol({"1001", "=ANI", "m", {}, {}, Time()})->person.id;
  people.enrol({"1002", "BUDI", "m", {}, {}, Time()});
  attendance::CheckIn check;
  check.person = ani;
  book.check(check);
  now += Minutes(9 * 60);
  book.check(check);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("attendance of a folder in words, JSON, CSV and XLSX") {
  const Workplace place;
  fill(place);
  const Outcome days = place.run({"attendance", "days", "--from", "2026-11-02", "--to", "2026-11-02"});
  CAPTURE(days.err);
  REQUIRE(days.status == 0);
  CHECK(contains(days.out, "2026-11-02  1001"));
  CHECK(contains(days.out, "08:00    17:00   9:00  present"));
  CHECK(std::ranges::count(days.out, '\n') == 2);

  const Outcome json = place.run({"attendance", "days", "--month", "2026-11", "--person", "1001", "--json"});
  REQUIRE(json.status == 0);
  CHECK(std::ranges::count(json.out, '\n') == 30);
  const auto second = json.out.substr(json.out.find('\n') + 1);
  const auto day = boost::json::parse(second.substr(0, second.find('\n'))).as_object();
  CHECK(day.at("nik").as_string() == "1001");
  CHECK(day.at("business_date").as_string() == "2026-11-02");
  CHECK(day.at("worked_minutes").as_int64() == 540);

  CHECK(contains(place.run({"attendance", "sheet", "--month", "2026-11"}).out, "BUDI"));
  CHECK(contains(place.run({"attendance", "summary", "--month", "2026-11"}).out, "1 present"));
  CHECK(place.run({"attendance", "inside"}).out.empty());

  REQUIRE(place.run({"attendance", "export", "--month", "2026-11", "-o", "a.csv", "--table", "summary"}).status == 0);
  CHECK(contains(place.read("a.csv"), "1001,\"'=ANI\",,main,0,1,"));
  REQUIRE(place.run({"attendance", "export", "--month", "2026-11", "-o", "a.xlsx"}).status == 0);
  CHECK(place.read("a.xlsx").starts_with("PK"));
  for (const std::string& file : place.files()) CHECK_FALSE(file.ends_with(".part"));
}

TEST_CASE("attendance tells slips from what is not there") {
  const Workplace place;
  const auto refused = [&](int status, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "attendance");
    const Outcome outcome = place.run(arguments);
    CAPTURE(outcome.err);
    CHECK(outcome.status == status);
    CHECK(outcome.one_sentence());
    return outcome.err;
  };
  CHECK(contains(refused(3, {"days"}), "data"));
  CHECK(place.files().empty());
  fill(place);
  CHECK(contains(refused(2, {"days", "--from", "yesterday"}), "2026-11-22"));
  CHECK(contains(refused(2, {"days", "--month", "2026-13"}), "2026-13"));
  CHECK(contains(refused(2, {"days", "--month", "2026-11", "--to", "2026-11-02"}), "--month"));
  CHECK(contains(refused(2, {"days", "--zone", "Mars"}), "Mars"));
  CHECK(contains(refused(2, {"days", "--day-start", "25:00"}), "25:00"));
  CHECK(contains(refused(2, {"days", "--day-start", "25:00"}), "--day-start"));
  INFO("settings of the environment and of wajah.toml count as for the server");
  CHECK(contains(place.run({"attendance", "days"}, {{"WAJAH_ZONE", "Mars"}}).err, "WAJAH_ZONE"));
  CHECK(place.run({"attendance", "days", "--zone", "Asia/Tokyo"}, {{"WAJAH_ZONE", "Asia/Makassar"}}).status == 0);
  place.write("data/wajah.toml", "[attendance]\nday_start = \"25:00\"\n");
  CHECK(contains(refused(2, {"days"}), "data/wajah.toml:2"));
  std::filesystem::remove(place / "data/wajah.toml");
  CHECK(contains(refused(2, {"export"}), "--output"));
  CHECK(contains(refused(2, {"export", "-o", "a.pdf"}), "pdf"));
  CHECK(contains(refused(2, {"export", "-o", "a.csv", "--table", "people"}), "people"));
  CHECK(contains(refused(3, {"days", "--person", "7"}), "7"));
  CHECK(contains(refused(3, {"days", "--site", "moon"}), "moon"));
  CHECK(contains(refused(3, {"days", "--from", "2026-11-02", "--to", "2026-11-01"}), "2026-11-01"));
  CHECK(contains(refused(3, {"sheet", "--from", "2026-01-01", "--to", "2026-11-01"}), "62"));
  CHECK(contains(refused(3, {"export", "-o", "no/such/a.csv"}), "no/such/a.csv"));
  CHECK(contains(refused(3, {"export", "-o", "no/such/a.xlsx"}), "no/such/a.xlsx"));
  for (const std::string& file : place.files()) {
    CAPTURE(file);
    CHECK(file.starts_with("data"));  // the folder and what is in it, nothing half written
  }
}
