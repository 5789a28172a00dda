#include "records.hpp"

#include "store_contract.hpp"

#include <doctest/doctest.h>

#include <cstdio>

namespace wajah::attendance::testing {
namespace {

Shift shift_of(std::string code, std::string_view start, std::string_view end, int grace, std::size_t weekdays) {
  Shift shift;
  shift.name = "SHIFT " + code;
  shift.code = std::move(code);
  shift.grace = Minutes(grace);
  Hours hours{o_clock(start), o_clock(end), std::nullopt};
  if (hours.start < o_clock("12:00") && hours.end > o_clock("13:00"))
    hours.pause = {o_clock("12:00"), o_clock("13:00")};
  for (std::size_t i = 0; i < weekdays; ++i) shift.week[i] = hours;
  return shift;
}

}  // namespace

Time instant(std::string_view rfc3339) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, zone_hour = 0, zone_minute = 0;
  char sign = 'Z';
  const int read = std::sscanf(std::string(rfc3339).c_str(), "%d-%d-%dT%d:%d:%d%c%d:%d", &year, &month, &day, &hour,
                               &minute, &second, &sign, &zone_hour, &zone_minute);
  REQUIRE_MESSAGE((read == 9 || (read == 7 && sign == 'Z')), rfc3339);
  const std::chrono::year_month_day ymd(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                        std::chrono::day(static_cast<unsigned>(day)));
  const auto offset = std::chrono::hours(zone_hour) + Minutes(zone_minute);
  return Date(ymd) + std::chrono::hours(hour) + Minutes(minute) + std::chrono::seconds(second) -
         (sign == '-' ? -offset : offset);
}

Date on(std::string_view text) {
  const auto parsed = parse_date(text);
  REQUIRE_MESSAGE(parsed, text);
  return *parsed;
}

Minutes o_clock(std::string_view text) {
  const auto parsed = parse_clock(text);
  REQUIRE_MESSAGE(parsed, text);
  return *parsed;
}

Shift weekday_shift(std::string code, std::string_view start, std::string_view end, int grace) {
  return shift_of(std::move(code), start, end, grace, 5);
}

Shift every_day_shift(std::string code, std::string_view start, std::string_view end, int grace) {
  return shift_of(std::move(code), start, end, grace, 7);
}

Office::Office() : Office(BookOptions{}) {}

Office::Office(BookOptions options)
    : now(instant("2026-11-23T00:00:00Z")),
      data(folder.path()),
      database(data),
      people(std::make_unique<SqliteStore>(database)),
      records(database),
      book(records, [&] {
        options.now = [this] { return now; };
        return options;
      }()) {}

PersonId Office::hire(const std::string& nik, const std::string& name, std::string_view when) {
  auto enrolment = testing::enrolment(nik, name, {1});
  enrolment.at = instant(when);
  return people->enrol(enrolment)->person.id;
}

void Office::dismiss(const std::string& nik, const std::string& name) { REQUIRE(people->remove(nik, name)); }

Checked Office::at(std::string_view rfc3339, PersonId person, const std::string& site,
                   std::optional<Direction> direction) {
  now = instant(rfc3339);
  CheckIn check;
  check.person = person;
  check.site = site;
  check.direction = direction;
  check.actor = "test";
  return book.check(check);
}

Member Office::member(PersonId person) {
  const auto found = records.members(person - 1, 1);
  REQUIRE(found.size() == 1);
  return found[0];
}

Day Office::day(PersonId person, std::string_view date, std::string_view at) {
  now = instant(at);
  return book.days(member(person), on(date), on(date)).at(0);
}

std::vector<Day> Office::days(PersonId person, std::string_view from, std::string_view to) {
  return book.days(member(person), on(from), on(to));
}

void Office::assign(PersonId person, const Shift& shift, std::string_view from) {
  Assignment assignment;
  assignment.shift = book.save(shift).id;
  assignment.person = person;
  assignment.from = on(from);
  book.save(assignment);
}

}  // namespace wajah::attendance::testing
