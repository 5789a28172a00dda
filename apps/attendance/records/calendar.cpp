#include "attendance/records/calendar.hpp"

#include "attendance/records/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace wajah::attendance {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr Names<Direction, 2> directions{{{Direction::in, "in"}, {Direction::out, "out"}}};
constexpr Names<Assignment::To, 3> assigned_to{
    {{Assignment::To::person, "person"}, {Assignment::To::group, "group"}, {Assignment::To::site, "site"}}};

// Exactly `length` digits.
std::optional<int> digits(std::string_view text, std::size_t length) {
  if (text.size() != length || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

template <class Key>
const std::vector<std::size_t>* found(const std::unordered_map<Key, std::vector<std::size_t>>& map, const Key& key) {
  const auto at = map.find(key);
  return at == map.end() ? nullptr : &at->second;
}

const Site* by_id(const std::vector<Site>& sites, SiteId id) {
  const auto at = std::ranges::find(sites, id, &Site::id);
  return at == sites.end() ? nullptr : &*at;
}

std::int64_t number_of(Date date) { return date.time_since_epoch().count(); }

}  // namespace

std::string date_text(Date date) {
  const year_month_day d(date);
  return fmt::format("{:04}-{:02}-{:02}", int(d.year()), unsigned(d.month()), unsigned(d.day()));
}

std::optional<Date> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto y = digits(text.substr(0, 4), 4), m = digits(text.substr(5, 2), 2), d = digits(text.substr(8), 2);
  if (!y || !m || !d || *y < 1970) return std::nullopt;
  const year_month_day date(year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d)));
  if (!date.ok()) return std::nullopt;
  return Date(date);
}

std::string clock_text(Minutes clock) { return fmt::format("{:02}:{:02}", clock.count() / 60, clock.count() % 60); }

std::optional<Minutes> parse_clock(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = digits(text.substr(0, 2), 2), minute = digits(text.substr(3), 2);
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return Minutes(*hour * 60 + *minute);
}

std::string_view name_of(Direction direction) { return name_in(directions, direction); }
std::optional<Direction> parse_direction(std::string_view text) { return value_in(directions, text); }
std::string_view name_of(Assignment::To to) { return name_in(assigned_to, to); }
std::optional<Assignment::To> parse_assigned_to(std::string_view text) { return value_in(assigned_to, text); }

Calendar::Calendar(CalendarEntries entries) : entries_(std::move(entries)) {
  if (!site(main_site)) entries_.sites.push_back({main_site, std::string(main_site_code), "Main site", "", {}, {}, {}});
  std::ranges::sort(entries_.placements, {}, &Placement::from);
  std::ranges::sort(entries_.assignments, {}, [](const Assignment& a) { return std::pair(a.from, a.id); });
  for (std::size_t i = 0; i < entries_.placements.size(); ++i) placements_[entries_.placements[i].person].push_back(i);
  for (std::size_t i = 0; i < entries_.assignments.size(); ++i) {
    const Assignment& assignment = entries_.assignments[i];
    switch (assignment.to) {
      case Assignment::To::person: of_person_[assignment.person].push_back(i); break;
      case Assignment::To::group: of_group_[assignment.group].push_back(i); break;
      case Assignment::To::site: of_site_[assignment.site].push_back(i); break;
    }
  }
  for (std::size_t i = 0; i < entries_.holidays.size(); ++i) {
    holidays_[number_of(entries_.holidays[i].date)].push_back(i);
  }
}

const Site* Calendar::site(SiteId id) const { return by_id(entries_.sites, id); }

const Site* Calendar::site(std::string_view code) const {
  const auto at = std::ranges::find(entries_.sites, code, &Site::code);
  return at == entries_.sites.end() ? nullptr : &*at;
}

const Site& Calendar::home(const Placement& placement) const {
  const Site* known = site(placement.site);
  return known ? *known : *site(main_site);
}

const Shift* Calendar::shift(ShiftId id) const {
  const auto at = std::ranges::find(entries_.shifts, id, &Shift::id);
  return at == entries_.shifts.end() ? nullptr : &*at;
}

Placement Calendar::placement(PersonId person, Date date) const {
  Placement current{person, date, "", ""};
  if (const Indexes* indexes = found(placements_, person)) {
    for (const auto i : *indexes) {
      if (entries_.placements[i].from <= date) current = entries_.placements[i];
    }
  }
  return current;
}

const Assignment* Calendar::newest(const Indexes* indexes, Date date) const {
  const Assignment* newest = nullptr;
  if (!indexes) return nullptr;
  for (const auto i : *indexes) {
    const Assignment& assignment = entries_.assignments[i];
    if (assignment.from <= date && (!assignment.until || date <= *assignment.until)) newest = &assignment;
  }
  return newest;
}

const Shift* Calendar::shift_of(PersonId person, Date date) const {
  const Placement where = placement(person, date);
  const Assignment* assignment = newest(found(of_person_, person), date);
  if (!assignment && !where.group.empty()) assignment = newest(found(of_group_, where.group), date);
  if (!assignment) assignment = newest(found(of_site_, home(where).id), date);
  return assignment ? shift(assignment->shift) : nullptr;
}

const Holiday* Calendar::holiday(Date date, SiteId site) const {
  const Indexes* indexes = found(holidays_, number_of(date));
  if (!indexes) return nullptr;
  for (const auto i : *indexes) {
    const Holiday& holiday = entries_.holidays[i];
    if (!holiday.site || *holiday.site == site) return &holiday;
  }
  return nullptr;
}

}  // namespace wajah::attendance
