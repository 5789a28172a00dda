#include "attendance/records/shift_dates.hpp"

#include "attendance/records/day.hpp"

#include <algorithm>

namespace wajah::attendance {
namespace {

// How far `at` is from the person's shift on the date; nothing if beyond its reach or without one.
std::optional<Time::duration> distance(const Calendar& calendar, PersonId person, Date date,
                                       const BusinessDay& business_day, Time at) {
  const Shift* shift = calendar.shift_of(person, date);
  const auto duty = shift ? duty_on(*shift, date, business_day) : std::nullopt;
  if (!duty || at < duty->start - early_reach || at > duty->end + overtime_reach) return std::nullopt;
  return std::max({duty->start - at, at - duty->end, Time::duration(0)});
}

}  // namespace

Date date_of_event(const Calendar& calendar, PersonId person, const BusinessDay& business_day, Time at) {
  using std::chrono::days;
  const Date today = business_day.date_of(at);
  Date nearest = today;
  std::optional<Time::duration> least;
  for (const Date date : {today, today + days(1), today - days(1)}) {
    const auto away = distance(calendar, person, date, business_day, at);
    if (!away || (least && *least <= *away)) continue;
    least = away;
    nearest = date;
  }
  return nearest;
}

}  // namespace wajah::attendance
