#include "attendance/records/calendar_rules.hpp"

#include "attendance/refusal.hpp"
#include "attendance/site_time.hpp"
#include "attendance/text.hpp"

#include <wajah/text.hpp>

#include <algorithm>

namespace wajah::attendance {
namespace {

constexpr Minutes whole_day{24 * 60};
constexpr Minutes longest_grace{4 * 60};

void check_code(std::string_view what, std::string_view code) {
  if (valid_nik(code)) return;
  refuse(Cause::bad_value, "{} code {}: expected 1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit", what,
         quote(code));
}

void check_name(std::string_view what, std::string_view name) {
  if (const auto fault = fault_of_name(name)) refuse(Cause::bad_value, "{} name: {}", what, *fault);
}

void check_minutes(std::string_view what, Minutes minutes, Minutes most) {
  if (minutes >= Minutes(0) && minutes <= most) return;
  refuse(Cause::bad_value, "{}: {} minutes, expected 0 to {}", what, minutes.count(), most.count());
}

void check_clock(std::string_view what, Minutes clock) {
  if (clock >= Minutes(0) && clock < whole_day) return;
  refuse(Cause::bad_value, "{}: minute {} of the day, expected 0 to {}", what, clock.count(), whole_day.count() - 1);
}

void check_zone(const std::string& zone) {
  if (zone.empty()) return;
  try {
    static_cast<void>(Zone(zone));
  } catch (const Error& error) {
    refuse(Cause::bad_value, "{}", error.what());
  }
}

template <class T>
void check_known(const std::vector<T>& entries, std::int64_t id, std::string_view what) {
  if (id == 0 || std::ranges::find(entries, id, &T::id) != entries.end()) return;
  refuse(Cause::not_found, "There is no {} {}; 0 adds a new one", what, id);
}

template <class T>
void check_free(const std::vector<T>& entries, const T& entry, std::string_view what) {
  const auto same = [&](const T& other) { return other.code == entry.code && other.id != entry.id; };
  if (std::ranges::any_of(entries, same)) {
    refuse(Cause::conflict, "There is a {} with the code {} already; choose another", what, quote(entry.code));
  }
}

void check_hours(const Hours& hours) {
  check_clock("Start of the working hours", hours.start);
  check_clock("End of the working hours", hours.end);
  if (!hours.pause) return;
  for (const Minutes clock : *hours.pause) check_clock("The pause", clock);
  // Distances from the start, so that midnight needs no case of its own.
  const auto since_start = [&](Minutes clock) {
    const Minutes length = clock - hours.start;
    return length <= Minutes(0) ? length + whole_day : length;
  };
  const Minutes begin = since_start((*hours.pause)[0]), end = since_start((*hours.pause)[1]);
  if (begin < end && end <= since_start(hours.end)) return;
  refuse(Cause::bad_value, "The pause {}-{} does not lie within {}-{}", clock_text((*hours.pause)[0]),
         clock_text((*hours.pause)[1]), clock_text(hours.start), clock_text(hours.end));
}

}  // namespace

void check_entry(const Calendar& calendar, const Site& site) {
  check_known(calendar.entries().sites, site.id, "site");
  check_code("Site", site.code);
  check_name("Site", site.name);
  check_zone(site.zone);
  if (site.day_start) check_clock("day_start", *site.day_start);
  if (site.duplicate_window) check_minutes("duplicate_minutes", *site.duplicate_window, whole_day);
  check_free(calendar.entries().sites, site, "site");
  const Site* former = calendar.site(site.id);
  if (site.id && former && former->code != site.code) {
    refuse(Cause::bad_value, "The site's code is {} and stays so, because keys and people name it; got {}",
           quote(former->code), quote(site.code));
  }
}

void check_entry(const Calendar& calendar, const Shift& shift) {
  check_known(calendar.entries().shifts, shift.id, "shift");
  check_code("Shift", shift.code);
  check_name("Shift", shift.name);
  check_minutes("grace", shift.grace, longest_grace);
  check_minutes("overtime_after", shift.overtime_after, whole_day);
  bool works = false;
  for (const auto& hours : shift.week) {
    if (hours) check_hours(*hours);
    works |= hours.has_value();
  }
  if (!works) refuse(Cause::bad_value, "A shift needs working hours on one weekday at least; it has none");
  check_free(calendar.entries().shifts, shift, "shift");
}

void check_entry(const Calendar& calendar, const Assignment& assignment) {
  check_known(calendar.entries().assignments, assignment.id, "assignment");
  if (!calendar.shift(assignment.shift)) refuse(Cause::not_found, "There is no shift {}", assignment.shift);
  if (assignment.to == Assignment::To::site && !calendar.site(assignment.site)) {
    refuse(Cause::not_found, "There is no site {}", assignment.site);
  }
  if (assignment.to == Assignment::To::group) check_name("Group", assignment.group);
  if (assignment.until && *assignment.until < assignment.from) {
    refuse(Cause::bad_value, "The assignment ends on {}, before it begins on {}", date_text(*assignment.until),
           date_text(assignment.from));
  }
}

void check_entry(const Calendar& calendar, const Holiday& holiday) {
  check_known(calendar.entries().holidays, holiday.id, "holiday");
  check_name("Holiday", holiday.name);
  if (holiday.site && !calendar.site(*holiday.site)) refuse(Cause::not_found, "There is no site {}", *holiday.site);
  const auto same = [&](const Holiday& other) {
    return other.date == holiday.date && other.site == holiday.site && other.id != holiday.id;
  };
  if (std::ranges::any_of(calendar.entries().holidays, same)) {
    refuse(Cause::conflict, "{} is a holiday already", date_text(holiday.date));
  }
}

void check_entry(const Calendar& calendar, const Placement& placement) {
  if (!placement.group.empty()) check_name("Group", placement.group);
  if (!placement.site.empty() && !calendar.site(placement.site)) {
    refuse(Cause::unknown_site, "There is no site with the code {}", quote(placement.site));
  }
}

}  // namespace wajah::attendance
