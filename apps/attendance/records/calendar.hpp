// Calendar: what an organisation has agreed on: sites with their time zones, shifts, who works which, holidays. It
// changes rarely and is held whole in memory; looking something up in it needs no store.
//
// Dates are business dates, in no zone. A clock time before a site's day_start belongs to the morning after the date:
// with 04:00, a shift that begins at 01:00 "on" the 1st begins on the calendar's 2nd.
#pragma once

#include "attendance/store.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace wajah::attendance {

using Date = std::chrono::sys_days;
using Minutes = std::chrono::minutes;
using SiteId = std::int64_t;
using ShiftId = std::int64_t;
using AssignmentId = std::int64_t;
using HolidayId = std::int64_t;

[[nodiscard]] std::string date_text(Date date);                           // 2026-11-22
[[nodiscard]] std::optional<Date> parse_date(std::string_view text);      // exactly so, years 1970 to 9999
[[nodiscard]] std::string clock_text(Minutes clock);                      // 04:00
[[nodiscard]] std::optional<Minutes> parse_clock(std::string_view text);  // 00:00 to 23:59

enum class Direction { in, out };
[[nodiscard]] std::string_view name_of(Direction direction);
[[nodiscard]] std::optional<Direction> parse_direction(std::string_view text);

// Empty fields are as the service's options say.
struct Site {
  SiteId id = 0;
  std::string code, name;  // the code, [A-Za-z0-9][A-Za-z0-9._-]{0,63}, stays as it was made: keys and people name it
  std::string zone;        // IANA name
  std::optional<Minutes> day_start, duplicate_window;
  std::optional<Direction> direction;  // of a door that only lets in or only lets out

  friend bool operator==(const Site&, const Site&) = default;
};

inline constexpr std::string_view main_site_code = "main";
inline constexpr SiteId main_site = 1;  // always there; where people belong who were placed nowhere else

// Working hours of one weekday. An end not after the start is on the next day; a pause lies within.
struct Hours {
  Minutes start{0}, end{0};
  std::optional<std::array<Minutes, 2>> pause;

  friend bool operator==(const Hours&, const Hours&) = default;
};

struct Shift {
  ShiftId id = 0;
  std::string code, name;
  std::array<std::optional<Hours>, 7> week;  // Monday first; nothing: a day off
  Minutes grace{0};           // so many minutes after the start are still on time, and before the end not yet early
  Minutes overtime_after{0};  // so many minutes after the end are not overtime; beyond them all are

  friend bool operator==(const Shift&, const Shift&) = default;
};

// A shift for a person, a group, or everybody of a site, in that order of precedence; of equals the one that began
// last, then the one made last.
struct Assignment {
  enum class To { person, group, site };

  AssignmentId id = 0;
  ShiftId shift = 0;
  To to = To::person;
  PersonId person = 0;
  std::string group;
  SiteId site = 0;
  Date from;
  std::optional<Date> until;  // the last day; nothing: for good

  friend bool operator==(const Assignment&, const Assignment&) = default;
};
[[nodiscard]] std::string_view name_of(Assignment::To to);
[[nodiscard]] std::optional<Assignment::To> parse_assigned_to(std::string_view text);

struct Holiday {
  HolidayId id = 0;
  Date date;
  std::string name;
  std::optional<SiteId> site;  // nothing: everywhere

  friend bool operator==(const Holiday&, const Holiday&) = default;
};

// Where a person belongs from a date on, until their next placement. The store adds one whenever a person's team or
// site is changed, so that a move changes no sheet of the months before it.
struct Placement {
  PersonId person = 0;
  Date from;
  std::string group;  // a department or team; may be empty
  std::string site;   // its code; empty, or a code that no site has: the main site

  friend bool operator==(const Placement&, const Placement&) = default;
};

struct CalendarEntries {
  std::int64_t revision = 0;  // rises with every change
  std::vector<Site> sites;
  std::vector<Shift> shifts;
  std::vector<Assignment> assignments;
  std::vector<Holiday> holidays;
  std::vector<Placement> placements;
  std::vector<std::string> unreadable;  // entries that are left out, one sentence each
};

class Calendar {
 public:
  explicit Calendar(CalendarEntries entries);

  [[nodiscard]] const CalendarEntries& entries() const { return entries_; }

  [[nodiscard]] const Site* site(SiteId id) const;
  [[nodiscard]] const Site* site(std::string_view code) const;
  [[nodiscard]] const Site& home(const Placement& placement) const;
  [[nodiscard]] const Shift* shift(ShiftId id) const;

  [[nodiscard]] Placement placement(PersonId person, Date date) const;  // no group, the main site by default
  [[nodiscard]] const Shift* shift_of(PersonId person, Date date) const;
  [[nodiscard]] const Holiday* holiday(Date date, SiteId site) const;

 private:
  using Indexes = std::vector<std::size_t>;

  [[nodiscard]] const Assignment* newest(const Indexes* indexes, Date date) const;

  CalendarEntries entries_;
  std::unordered_map<PersonId, Indexes> placements_, of_person_;  // in order of their first day
  std::unordered_map<std::string, Indexes> of_group_;
  std::unordered_map<SiteId, Indexes> of_site_;
  std::unordered_map<std::int64_t, Indexes> holidays_;  // by days since 1970
};

}  // namespace wajah::attendance
