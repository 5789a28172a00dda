#include "attendance/records/business_day.hpp"

namespace wajah::attendance {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::local_seconds;

Date BusinessDay::date_of(Time at) const {
  const auto shifted = std::chrono::floor<days>(zone_.wall(at) - day_start_);
  Date date(shifted.time_since_epoch());
  // When clocks are set back over day_start the wall shows a time before it once more; the date has begun nevertheless.
  while (begin(date + days(1)) <= at) date += days(1);
  while (at < begin(date)) date -= days(1);
  return date;
}

Time BusinessDay::begin(Date date) const { return zone_.instant(wall(date, day_start_)); }

Time BusinessDay::instant(Date date, Minutes clock) const { return zone_.instant(wall(date, clock)); }

local_seconds BusinessDay::wall(Date date, Minutes clock) const {
  const local_days day(date.time_since_epoch());
  return local_seconds(day) + clock + (clock < day_start_ ? days(1) : days(0));
}

}  // namespace wajah::attendance
