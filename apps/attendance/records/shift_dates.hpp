// Which business date an event belongs to for somebody who works shifts.
#pragma once

#include "attendance/records/business_day.hpp"
#include "attendance/records/calendar.hpp"

namespace wajah::attendance {

// How long before a shift's start an arrival already belongs to it.
inline constexpr Minutes early_reach{2 * 60};

// The site's date, unless a shift of the person's on the date before or after is nearer: leaving a night shift at 06:05
// belongs to the evening it began, arriving at 03:50 for 05:00 to the day that begins at 04:00. A shift reaches from
// early_reach before its start to overtime_reach after its end.
[[nodiscard]] Date date_of_event(const Calendar& calendar, PersonId person, const BusinessDay& business_day, Time at);

}  // namespace wajah::attendance
