// What the tests of attendance records share: exact instants, and an office over real SQLite whose clock they set.
#pragma once

#include "attendance/records/attendance_book.hpp"
#include "attendance/records/sqlite_record_store.hpp"
#include "attendance/sqlite_store.hpp"
#include "fakes.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace wajah::attendance::testing {

[[nodiscard]] Time instant(std::string_view rfc3339);  // "2026-11-22T07:58:11+07:00"
[[nodiscard]] Date on(std::string_view text);          // "2026-11-22"
[[nodiscard]] Minutes o_clock(std::string_view text);  // "04:00"

// From Monday to Friday, with a pause from 12:00 to 13:00 if it lasts so long.
[[nodiscard]] Shift weekday_shift(std::string code, std::string_view start, std::string_view end, int grace = 5);
[[nodiscard]] Shift every_day_shift(std::string code, std::string_view start, std::string_view end, int grace = 5);

// The fakes have a Site of their own.
using Door = attendance::Site;

struct Office {
  Office();
  explicit Office(BookOptions options);

  PersonId hire(const std::string& nik, const std::string& name, std::string_view when = "2026-01-01T08:00:00+07:00");
  void dismiss(const std::string& nik, const std::string& name);

  // The person stands at the door at that time.
  Checked at(std::string_view rfc3339, PersonId person, const std::string& site = "",
             std::optional<Direction> direction = std::nullopt);
  Day day(PersonId person, std::string_view date, std::string_view now = "2027-01-01T00:00:00Z");
  std::vector<Day> days(PersonId person, std::string_view from, std::string_view to);
  [[nodiscard]] Member member(PersonId person);

  void assign(PersonId person, const Shift& shift, std::string_view from = "2026-01-01");

  template <class Call>
  [[nodiscard]] static std::optional<Cause> cause_of(Call&& call) {
    try {
      call();
    } catch (const Refusal& refusal) {
      return refusal.cause();
    }
    return std::nullopt;
  }

  TempFolder folder;
  Time now;
  DataFolder data;
  Database database;
  std::unique_ptr<SqliteStore> people;
  SqliteRecordStore records;
  AttendanceBook book;
};

}  // namespace wajah::attendance::testing
