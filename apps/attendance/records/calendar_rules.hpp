// What entries of the calendar must look like. All throw Refusal (bad_value, conflict, not_found) with what came, what
// was expected, and what to do.
#pragma once

#include "attendance/records/calendar.hpp"

namespace wajah::attendance {

void check_entry(const Calendar& calendar, const Site& site);
void check_entry(const Calendar& calendar, const Shift& shift);
void check_entry(const Calendar& calendar, const Assignment& assignment);
void check_entry(const Calendar& calendar, const Holiday& holiday);
void check_entry(const Calendar& calendar, const Placement& placement);

}  // namespace wajah::attendance
