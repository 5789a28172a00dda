#include "server/api/calendar_json.hpp"

#include "server/api/values.hpp"
#include "server/problem.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace wajah::server {
namespace json = boost::json;
using attendance::Assignment;
using attendance::Calendar;
using attendance::Holiday;
using attendance::Hours;
using attendance::Minutes;
using attendance::Shift;

namespace {

json::value minutes_or_null(const std::optional<Minutes>& minutes) {
  return minutes ? json::value(minutes->count()) : json::value(nullptr);
}

json::value clock_or_null(const std::optional<Minutes>& clock) {
  return clock ? json::value(attendance::clock_text(*clock)) : json::value(nullptr);
}

// The schema's pattern has let "29:00" through.
Minutes clock_of(std::string_view text, std::string_view field) {
  if (const auto clock = attendance::parse_clock(text)) return *clock;
  const auto detail = fmt::format("expected a clock time from 00:00 to 23:59, got {}", text);
  throw Problem("validation_failed", detail, {error_entry({"body", field}, detail, "time_parsing")});
}

std::optional<Minutes> clock_in(const json::object& body, std::string_view name) {
  const auto text = text_in(body, name);
  return text ? std::optional(clock_of(*text, name)) : std::nullopt;
}

json::value hours_json(const std::optional<Hours>& hours) {
  if (!hours) return nullptr;
  json::object result{{"start", attendance::clock_text(hours->start)}, {"end", attendance::clock_text(hours->end)}};
  if (hours->pause) {
    const auto& [begin, end] = *hours->pause;
    result["pause"] = json::array{json::value(attendance::clock_text(begin)), json::value(attendance::clock_text(end))};
  }
  return result;
}

std::optional<Hours> hours_of(const json::value& value) {
  if (value.is_null()) return std::nullopt;
  const auto& object = value.as_object();
  Hours hours{clock_of(object.at("start").as_string(), "week"), clock_of(object.at("end").as_string(), "week"), {}};
  if (const auto* pause = object.if_contains("pause")) {
    const auto& times = pause->as_array();
    hours.pause = {clock_of(times[0].as_string(), "week"), clock_of(times[1].as_string(), "week")};
  }
  return hours;
}

[[noreturn]] void refuse_unknown(std::string_view what, std::string_view code) {
  throw Problem("not_found", fmt::format("There is no {} with the code {}.", what, header_text(code)));
}

}  // namespace

json::object site_json(const attendance::Site& site) {
  return {{"code", site.code},
          {"name", site.name},
          {"zone", site.zone},
          {"day_start", clock_or_null(site.day_start)},
          {"duplicate_minutes", minutes_or_null(site.duplicate_window)},
          {"direction", site.direction ? json::value(attendance::name_of(*site.direction)) : json::value(nullptr)}};
}

attendance::Site site_of(const json::object& body) {
  attendance::Site site;
  site.code = text_or(body, "code", "");
  site.name = text_or(body, "name", "");
  site.zone = text_or(body, "zone", "");
  site.day_start = clock_in(body, "day_start");
  if (const auto minutes = integer_in(body, "duplicate_minutes")) site.duplicate_window = Minutes(*minutes);
  site.direction = attendance::parse_direction(text_or(body, "direction", ""));
  return site;
}

json::object shift_json(const Shift& shift) {
  json::array week;
  for (const auto& hours : shift.week) week.push_back(hours_json(hours));
  return {{"code", shift.code},
          {"name", shift.name},
          {"week", std::move(week)},
          {"grace_minutes", shift.grace.count()},
          {"overtime_after_minutes", shift.overtime_after.count()}};
}

Shift shift_of(const json::object& body) {
  Shift shift;
  shift.code = text_or(body, "code", "");
  shift.name = text_or(body, "name", "");
  const auto& week = body.at("week").as_array();
  for (std::size_t day = 0; day < shift.week.size(); ++day) shift.week[day] = hours_of(week[day]);
  shift.grace = Minutes(integer_in(body, "grace_minutes").value_or(0));
  shift.overtime_after = Minutes(integer_in(body, "overtime_after_minutes").value_or(0));
  return shift;
}

json::object holiday_json(const Holiday& holiday, const Calendar& calendar) {
  const auto* site = holiday.site ? calendar.site(*holiday.site) : nullptr;
  return {{"id", id_text('h', holiday.id)},
          {"date", attendance::date_text(holiday.date)},
          {"name", holiday.name},
          {"site", site ? json::value(site->code) : json::value(nullptr)}};
}

Holiday holiday_of(const json::object& body, const Calendar& calendar) {
  Holiday holiday;
  holiday.date = needed_date(body, "date");
  holiday.name = text_or(body, "name", "");
  if (const auto code = text_in(body, "site")) holiday.site = site_with(calendar, *code).id;
  return holiday;
}

json::object assignment_json(const Assignment& assignment, const Calendar& calendar) {
  const auto* shift = calendar.shift(assignment.shift);
  const auto* site = assignment.to == Assignment::To::site ? calendar.site(assignment.site) : nullptr;
  const bool of_person = assignment.to == Assignment::To::person;
  const bool of_group = assignment.to == Assignment::To::group;
  return {{"id", id_text('a', assignment.id)},
          {"shift", shift ? json::value(shift->code) : json::value(nullptr)},
          {"to", attendance::name_of(assignment.to)},
          {"person", of_person ? json::value(id_text('p', assignment.person)) : json::value(nullptr)},
          {"group", of_group ? json::value(assignment.group) : json::value(nullptr)},
          {"site", site ? json::value(site->code) : json::value(nullptr)},
          {"from", attendance::date_text(assignment.from)},
          {"until", assignment.until ? json::value(attendance::date_text(*assignment.until)) : json::value(nullptr)}};
}

const attendance::Site& site_with(const Calendar& calendar, std::string_view code) {
  const auto* site = calendar.site(code);
  if (!site) refuse_unknown("site", code);
  return *site;
}

const Shift& shift_with(const Calendar& calendar, std::string_view code) {
  const auto& shifts = calendar.entries().shifts;
  const auto found = std::ranges::find(shifts, code, &Shift::code);
  if (found == shifts.end()) refuse_unknown("shift", code);
  return *found;
}

}  // namespace wajah::server
