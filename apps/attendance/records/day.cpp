#include "attendance/records/day.hpp"

#include "attendance/records/names.hpp"

#include <algorithm>

namespace wajah::attendance {
namespace {

constexpr Names<DayStatus, 8> statuses{{{DayStatus::on_time, "on_time"},
                                        {DayStatus::late, "late"},
                                        {DayStatus::present, "present"},
                                        {DayStatus::absent, "absent"},
                                        {DayStatus::expected, "expected"},
                                        {DayStatus::holiday, "holiday"},
                                        {DayStatus::off, "off"},
                                        {DayStatus::unplanned, "unplanned"}}};

// Whole minutes, so that 08:05:59 is as late as the 08:05 that people read; none if `to` is before `from`.
Minutes minutes_between(Time from, Time to) { return std::max(std::chrono::floor<Minutes>(to - from), Minutes(0)); }

Minutes beyond(Minutes minutes, Minutes allowed) { return minutes > allowed ? minutes : Minutes(0); }

Minutes presence(Time in, Time out, const std::optional<Duty>& duty) {
  auto time = out - in;
  if (duty && duty->pause) {
    const auto& [begin, end] = *duty->pause;
    time -= std::max(std::min(out, end) - std::max(in, begin), Time::duration(0));
  }
  return std::max(std::chrono::floor<Minutes>(time), Minutes(0));
}

void read_events(Day& day, std::span<const Event> events, Time over, Time now) {
  if (events.empty()) return;
  if (events.front().direction == Direction::in) day.in = events.front().at;
  if (events.back().direction == Direction::out) day.out = events.back().at;
  day.missing_in = !day.in;
  day.open = !day.out && now < over;
  day.missing_out = !day.out && !day.open;
  day.edited = std::ranges::any_of(events, [](const Event& e) { return e.source == Source::manual || e.corrects; });
}

void compare(Day& day, const Duty& duty) {
  if (day.in) day.late = beyond(minutes_between(duty.start, *day.in), duty.shift->grace);
  if (day.out) {
    day.early_leave = beyond(minutes_between(*day.out, duty.end), duty.shift->grace);
    day.overtime = beyond(minutes_between(duty.end, *day.out), duty.shift->overtime_after);
  }
}

DayStatus status_of(const Day& day, const Shift* shift, const std::optional<Duty>& duty, bool came, Time now) {
  if (came) {
    if (!duty || !day.in) return DayStatus::present;
    return day.late > Minutes(0) ? DayStatus::late : DayStatus::on_time;
  }
  if (!day.holiday.empty()) return DayStatus::holiday;
  if (duty) return now < duty->end ? DayStatus::expected : DayStatus::absent;
  return shift ? DayStatus::off : DayStatus::unplanned;
}

}  // namespace

std::string_view name_of(DayStatus status) { return name_in(statuses, status); }

std::optional<Duty> duty_on(const Shift& shift, Date date, const BusinessDay& business_day) {
  const auto& hours = shift.week[std::chrono::weekday(date).iso_encoding() - 1];
  if (!hours) return std::nullopt;
  // Added on the wall, not as elapsed time: a shift until 06:00 ends at 06:00 also in the night the clocks change.
  const auto begin = business_day.wall(date, hours->start);
  const auto later = [&](Minutes clock) {
    const Minutes length = clock - hours->start;
    return business_day.zone().instant(begin + length + Minutes(length <= Minutes(0) ? 24 * 60 : 0));
  };
  Duty duty{&shift, business_day.zone().instant(begin), later(hours->end), std::nullopt};
  if (hours->pause) duty.pause = {later((*hours->pause)[0]), later((*hours->pause)[1])};
  return duty;
}

Time end_of_day(Date date, const BusinessDay& business_day, const std::optional<Duty>& duty) {
  const Time end = business_day.end(date);
  return duty ? std::max(end, Time(duty->end + overtime_reach)) : end;
}

Day compute_day(PersonId person, Date date, const Site& site, const BusinessDay& business_day, const Shift* shift,
                const Holiday* holiday, std::span<const Event> events, Time now) {
  Day day;
  day.person = person;
  day.date = date;
  day.site = site.id;
  day.zone = business_day.zone().name();
  if (shift) day.shift = shift->code;
  if (holiday) day.holiday = holiday->name;
  const auto planned = shift ? duty_on(*shift, date, business_day) : std::nullopt;
  read_events(day, events, end_of_day(date, business_day, planned), now);
  const auto duty = holiday ? std::nullopt : planned;
  if (duty) {
    day.start = duty->start;
    day.end = duty->end;
    compare(day, *duty);
  }
  if (day.in && day.out) day.worked = presence(*day.in, *day.out, planned);
  if (!duty && (holiday || shift)) day.overtime = day.worked;
  day.status = status_of(day, shift, duty, !events.empty(), now);
  return day;
}

void Summary::add(const Day& day) {
  present += day.attended();
  late += day.late > Minutes(0);
  early_leaves += day.early_leave > Minutes(0);
  absent += day.status == DayStatus::absent;
  missing += day.missing_in || day.missing_out;
  scheduled += day.start.has_value();
  late_minutes += day.late;
  early_minutes += day.early_leave;
  worked += day.worked;
  overtime += day.overtime;
}

void Summary::add(const Summary& other) {
  present += other.present;
  late += other.late;
  early_leaves += other.early_leaves;
  absent += other.absent;
  missing += other.missing;
  scheduled += other.scheduled;
  late_minutes += other.late_minutes;
  early_minutes += other.early_minutes;
  worked += other.worked;
  overtime += other.overtime;
}

}  // namespace wajah::attendance
