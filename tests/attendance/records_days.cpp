// Calendar, business dates and computed days: golden examples at exact instants, no store.
#include "attendance/records/day.hpp"
#include "attendance/records/direction_rule.hpp"
#include "records.hpp"

#include <doctest/doctest.h>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

const BusinessDay& jakarta() {
  static const BusinessDay business_day(Zone("Asia/Jakarta"), o_clock("04:00"));
  return business_day;
}

Event event(Direction direction, std::string_view at) {
  Event event;
  event.direction = direction;
  event.at = instant(at);
  event.date = jakarta().date_of(event.at);
  return event;
}

// The 23rd of November 2026 is a Monday.
Day monday(const std::vector<Event>& events, const Shift* shift, std::string_view now = "2026-12-01T00:00:00Z",
           const Holiday* holiday = nullptr) {
  return compute_day(1, on("2026-11-23"), Door{main_site, "main", "", "", {}, {}, {}}, jakarta(), shift, holiday,
                     events, instant(now));
}

constexpr auto in = Direction::in;
constexpr auto out = Direction::out;

}  // namespace

TEST_CASE("dates and clock times are read strictly") {
  CHECK(date_text(on("2026-11-22")) == "2026-11-22");
  CHECK(date_text(on("2028-02-29")) == "2028-02-29");
  for (const char* bad : {"", "2026-2-1", "2026-02-30", "2026-13-01", "2027-02-29", "1969-12-31", "2026-11-22 ",
                          "+026-11-22", "2026/11/22", "2026-00-10", "20261122"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_date(bad));
  }
  CHECK(clock_text(o_clock("04:07")) == "04:07");
  CHECK(o_clock("23:59") == Minutes(1439));
  for (const char* bad : {"", "4:00", "24:00", "12:60", "12:5", "12.30", "-1:00", "12:300"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_clock(bad));
  }
}

TEST_CASE("a zone tells walls and instants") {
  const Zone jakarta_zone("Asia/Jakarta");
  CHECK(jakarta_zone.rfc3339(instant("2026-11-22T00:58:11Z")) == "2026-11-22T07:58:11+07:00");
  CHECK(Zone("America/St_Johns").rfc3339(instant("2026-11-22T00:58:11Z")) == "2026-11-21T21:28:11-03:30");
  CHECK(Zone("UTC").rfc3339(instant("2026-11-22T00:58:11Z")) == "2026-11-22T00:58:11+00:00");
  CHECK(jakarta_zone.instant(jakarta_zone.wall(instant("2026-11-22T00:58:11Z"))) == instant("2026-11-22T00:58:11Z"));
}

TEST_CASE("business dates go on through summer time") {
  // Berlin leaves out 02:00-03:00 on 2026-03-29 and has 02:00-03:00 twice on 2026-10-25.
  const BusinessDay berlin(Zone("Europe/Berlin"), o_clock("02:30"));
  CHECK(berlin.begin(on("2026-03-29")) == instant("2026-03-29T01:00:00Z"));  // the instant the clocks jump
  CHECK(berlin.date_of(instant("2026-03-29T00:59:59Z")) == on("2026-03-28"));
  CHECK(berlin.date_of(instant("2026-03-29T01:00:00Z")) == on("2026-03-29"));
  CHECK(berlin.begin(on("2026-10-25")) == instant("2026-10-25T00:30:00Z"));  // the first 02:30
  CHECK(berlin.date_of(instant("2026-10-25T00:29:59Z")) == on("2026-10-24"));
  CHECK(berlin.date_of(instant("2026-10-25T00:30:00Z")) == on("2026-10-25"));
  CHECK(berlin.date_of(instant("2026-10-25T01:10:00Z")) == on("2026-10-25"));  // the wall shows 02:10 again
  CHECK(berlin.end(on("2026-10-24")) - berlin.begin(on("2026-10-24")) == std::chrono::hours(24));
  CHECK(berlin.end(on("2026-10-25")) - berlin.begin(on("2026-10-25")) == std::chrono::hours(25));

  INFO("a night shift until 06:00 ends at 06:00 in the night the clocks change");
  const Shift night = every_day_shift("N", "22:00", "06:00");
  const auto spring = duty_on(night, on("2026-03-28"), berlin);
  REQUIRE(spring);
  CHECK(spring->start == instant("2026-03-28T21:00:00Z"));
  CHECK(spring->end == instant("2026-03-29T04:00:00Z"));  // seven hours later
  CHECK(duty_on(night, on("2026-10-24"), berlin)->end - duty_on(night, on("2026-10-24"), berlin)->start ==
        std::chrono::hours(9));
}

TEST_CASE("a day on time, late, early, over") {
  const Shift shift = weekday_shift("PAGI", "08:00", "17:00", 5);
  const Day good = monday({event(in, "2026-11-23T07:58:11+07:00"), event(out, "2026-11-23T17:00:30+07:00")}, &shift);
  CHECK(good.status == DayStatus::on_time);
  CHECK(good.shift == "PAGI");
  CHECK(good.start == instant("2026-11-23T01:00:00Z"));
  CHECK(good.end == instant("2026-11-23T10:00:00Z"));
  CHECK(good.worked == Minutes(8 * 60 + 2));  // 9:02:19 less the hour's pause
  CHECK(good.overtime == Minutes(0));
  CHECK_FALSE(good.missing_in);
  CHECK_FALSE(good.missing_out);

  CHECK(monday({event(in, "2026-11-23T08:05:59+07:00")}, &shift).status == DayStatus::on_time);
  const Day late = monday({event(in, "2026-11-23T08:06:00+07:00"), event(out, "2026-11-23T16:50:00+07:00")}, &shift);
  CHECK(late.status == DayStatus::late);
  CHECK(late.late == Minutes(6));
  CHECK(late.early_leave == Minutes(10));
  CHECK(monday({event(in, "2026-11-23T08:00:00+07:00"), event(out, "2026-11-23T16:55:00+07:00")}, &shift).early_leave ==
        Minutes(0));

  Shift lenient = shift;
  lenient.overtime_after = Minutes(30);
  const std::vector worked{event(in, "2026-11-23T08:00:00+07:00"), event(out, "2026-11-23T17:30:00+07:00")};
  CHECK(monday(worked, &shift).overtime == Minutes(30));
  CHECK(monday(worked, &lenient).overtime == Minutes(0));
  CHECK(monday({worked[0], event(out, "2026-11-23T17:31:00+07:00")}, &lenient).overtime == Minutes(31));
}

TEST_CASE("a pause counts only as far as somebody was there") {
  const Shift shift = weekday_shift("PAGI", "08:00", "17:00");
  const auto worked = [&](const char* from, const char* to) {
    return monday({event(in, fmt::format("2026-11-23T{}:00+07:00", from)),
                   event(out, fmt::format("2026-11-23T{}:00+07:00", to))},
                  &shift)
        .worked;
  };
  CHECK(worked("08:00", "11:00") == Minutes(180));
  CHECK(worked("08:00", "12:20") == Minutes(240));
  CHECK(worked("12:30", "17:00") == Minutes(240));
  CHECK(worked("13:00", "17:00") == Minutes(240));
  CHECK(worked("12:10", "12:50") == Minutes(0));
}

TEST_CASE("missing punches are flagged when the day is over, never made up") {
  const Shift shift = weekday_shift("PAGI", "08:00", "17:00");
  const std::vector arrived{event(in, "2026-11-23T08:00:00+07:00")};
  const Day open = monday(arrived, &shift, "2026-11-24T03:59:59+07:00");
  CHECK(open.open);
  CHECK_FALSE(open.missing_out);
  const Day over = monday(arrived, &shift, "2026-11-24T04:00:00+07:00");
  CHECK_FALSE(over.open);
  CHECK(over.missing_out);
  CHECK_FALSE(over.out);
  CHECK(over.worked == Minutes(0));
  CHECK(over.status == DayStatus::on_time);

  const Day left = monday({event(out, "2026-11-23T17:00:00+07:00")}, &shift);
  CHECK(left.missing_in);
  CHECK_FALSE(left.in);
  CHECK(left.status == DayStatus::present);
  CHECK(left.late == Minutes(0));

  INFO("coming back without leaving again is a missing departure, not a short day");
  const Day back = monday({event(in, "2026-11-23T08:00:00+07:00"), event(out, "2026-11-23T12:00:00+07:00"),
                           event(in, "2026-11-23T13:00:00+07:00")},
                          &shift);
  CHECK(back.missing_out);
  CHECK_FALSE(back.out);

  INFO("a night shift is open until four hours after its end");
  const Shift night = every_day_shift("MALAM", "22:00", "06:00");
  const std::vector evening{event(in, "2026-11-23T21:55:00+07:00")};
  CHECK(monday(evening, &night, "2026-11-24T09:59:59+07:00").open);
  CHECK(monday(evening, &night, "2026-11-24T10:00:00+07:00").missing_out);
}

TEST_CASE("days without events") {
  const Shift shift = weekday_shift("PAGI", "08:00", "17:00");
  CHECK(monday({}, &shift, "2026-11-23T16:59:59+07:00").status == DayStatus::expected);
  CHECK(monday({}, &shift, "2026-11-23T17:00:00+07:00").status == DayStatus::absent);
  CHECK(monday({}, nullptr).status == DayStatus::unplanned);
  Shift tuesday = shift;
  tuesday.week[0].reset();
  CHECK(monday({}, &tuesday).status == DayStatus::off);
  const Holiday holiday{1, on("2026-11-23"), "HARI RAYA", std::nullopt};
  CHECK(monday({}, &shift, "2026-12-01T00:00:00Z", &holiday).status == DayStatus::holiday);
  CHECK_FALSE(monday({}, &shift, "2026-12-01T00:00:00Z", &holiday).start);
}

TEST_CASE("work on a holiday or a day off is overtime and never late") {
  const Shift shift = weekday_shift("PAGI", "08:00", "17:00");
  Shift tuesday = shift;
  tuesday.week[0].reset();
  const Holiday holiday{1, on("2026-11-23"), "HARI RAYA", std::nullopt};
  const std::vector events{event(in, "2026-11-23T10:00:00+07:00"), event(out, "2026-11-23T15:00:00+07:00")};
  const Day worked = monday(events, &shift, "2026-12-01T00:00:00Z", &holiday);
  CHECK(worked.status == DayStatus::present);
  CHECK(worked.holiday == "HARI RAYA");
  CHECK(worked.late == Minutes(0));
  CHECK(worked.worked == Minutes(240));
  CHECK(worked.overtime == Minutes(240));
  CHECK(monday(events, &tuesday).overtime == Minutes(300));
  CHECK(monday(events, nullptr).overtime == Minutes(0));
}

TEST_CASE("the nearest assignment wins: person, then group, then site; the later of equals") {
  CalendarEntries entries;
  entries.sites = {{1, "main", "MAIN", "", {}, {}, {}}, {2, "mks", "MKS", "", {}, {}, {}}};
  for (int i = 1; i <= 5; ++i) {
    entries.shifts.push_back(weekday_shift("S" + std::to_string(i), "08:00", "17:00"));
    entries.shifts.back().id = i;
  }
  using To = Assignment::To;
  entries.assignments = {{1, 1, To::site, 0, "", 2, on("2026-01-01"), {}},
                         {2, 2, To::group, 0, "IT", 0, on("2026-03-01"), on("2026-03-31")},
                         {3, 3, To::person, 7, "", 0, on("2026-03-10"), on("2026-03-20")},
                         {4, 4, To::person, 7, "", 0, on("2026-03-15"), on("2026-03-16")},
                         {5, 5, To::person, 7, "", 0, on("2026-03-15"), on("2026-03-15")}};
  entries.placements = {{7, on("2026-02-01"), "IT", "mks"}, {7, on("2026-06-01"), "HR", ""}};
  entries.holidays = {{1, on("2026-12-25"), "NATAL", std::nullopt}, {2, on("2026-04-01"), "LOKAL", 2}};
  const Calendar calendar(entries);
  const auto shift = [&](const char* date) {
    const Shift* found = calendar.shift_of(7, on(date));
    return found ? found->code : std::string("none");
  };
  CHECK(shift("2026-01-31") == "none");  // not placed yet: the main site
  CHECK(shift("2026-02-01") == "S1");
  CHECK(shift("2026-03-01") == "S2");
  CHECK(shift("2026-03-10") == "S3");
  CHECK(shift("2026-03-15") == "S5");
  CHECK(shift("2026-03-16") == "S4");
  CHECK(shift("2026-03-20") == "S3");
  CHECK(shift("2026-03-21") == "S2");
  CHECK(shift("2026-04-01") == "S1");
  CHECK(shift("2026-06-01") == "none");
  CHECK(calendar.placement(7, on("2026-06-02")).group == "HR");
  CHECK(calendar.holiday(on("2026-12-25"), 1)->name == "NATAL");
  CHECK(calendar.holiday(on("2026-04-01"), 2)->name == "LOKAL");
  CHECK_FALSE(calendar.holiday(on("2026-04-01"), 1));
}

TEST_CASE("a summary adds days up") {
  const Shift shift = weekday_shift("PAGI", "08:00", "17:00");
  Summary summary;
  summary.add(monday({event(in, "2026-11-23T08:30:00+07:00"), event(out, "2026-11-23T17:45:00+07:00")}, &shift));
  summary.add(monday({event(in, "2026-11-23T08:00:00+07:00")}, &shift));
  summary.add(monday({}, &shift));
  summary.add(monday({}, nullptr));
  Summary expected;
  expected.present = 2;
  expected.late = 1;
  expected.absent = 1;
  expected.missing = 1;
  expected.scheduled = 3;
  expected.late_minutes = Minutes(30);
  expected.worked = Minutes(8 * 60 + 15);
  expected.overtime = Minutes(45);
  CHECK(summary == expected);
  Summary twice = summary;
  twice.add(summary);
  CHECK(twice.present == 4);
  CHECK(twice.worked == Minutes(2 * (8 * 60 + 15)));
}
