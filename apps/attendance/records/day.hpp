// Day: what a person's events of one business date amount to. It is computed from events and calendar whenever somebody
// asks and stored nowhere, so that a correction, a new shift or a holiday declared afterwards changes it.
#pragma once

#include "attendance/records/business_day.hpp"
#include "attendance/records/calendar.hpp"
#include "attendance/records/event.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace wajah::attendance {

// A shift on a date, as instants.
struct Duty {
  const Shift* shift = nullptr;
  Time start, end;
  std::optional<std::array<Time, 2>> pause;
};

// Nothing if the shift has that weekday off.
[[nodiscard]] std::optional<Duty> duty_on(const Shift& shift, Date date, const BusinessDay& business_day);

enum class DayStatus {
  on_time,
  late,
  present,   // there was no shift to be late for
  absent,    // a shift has ended and nobody came
  expected,  // a shift has not ended yet and nobody has come so far
  holiday,
  off,        // the shift has this weekday off
  unplanned,  // no shift, and no events
};
[[nodiscard]] std::string_view name_of(DayStatus status);

struct Day {
  PersonId person = 0;
  Date date;
  SiteId site = main_site;         // of the first event, else the home site
  std::string zone;                // of that site: what clock times are shown in
  std::string shift;               // code; empty: none
  std::optional<Time> start, end;  // of the shift on that date
  std::optional<Time> in, out;     // the first event if it is an arrival, the last if it is a departure
  DayStatus status = DayStatus::unplanned;
  Minutes late{0};                               // from the shift's start, if beyond the grace
  Minutes early_leave{0};                        // to the shift's end, if beyond the grace
  Minutes overtime{0};                           // after the shift's end; on a holiday or a day off, all of `worked`
  Minutes worked{0};                             // from in to out without the pause
  bool missing_in = false, missing_out = false;  // flagged, never made up
  bool open = false;                             // in, not yet out, and the day is not over
  bool edited = false;                           // an event is a manual entry or a correction
  std::string holiday;                           // its name, also when somebody worked

  [[nodiscard]] bool attended() const { return in || out; }
  friend bool operator==(const Day&, const Day&) = default;
};

// How long after a shift's end a departure still belongs to it.
inline constexpr Minutes overtime_reach{4 * 60};

// When nobody expects a departure any more: the date's end, or later that of a shift that runs on.
[[nodiscard]] Time end_of_day(Date date, const BusinessDay& business_day, const std::optional<Duty>& duty);

// What the day's events (those that count, in order of time) amount to at the instant `now`. `shift` and `holiday` may
// be null.
[[nodiscard]] Day compute_day(PersonId person, Date date, const Site& site, const BusinessDay& business_day,
                              const Shift* shift, const Holiday* holiday, std::span<const Event> events, Time now);

// What many days amount to.
struct Summary {
  int present = 0;  // days attended
  int late = 0, early_leaves = 0, absent = 0;
  int missing = 0;  // days with a missing arrival or departure
  int scheduled = 0;
  Minutes late_minutes{0}, early_minutes{0}, worked{0}, overtime{0};

  void add(const Day& day);
  void add(const Summary& other);
  friend bool operator==(const Summary&, const Summary&) = default;
};

}  // namespace wajah::attendance
