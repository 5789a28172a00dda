#include "server/api/attendance_json.hpp"

#include "attendance/site_time.hpp"
#include "server/api/values.hpp"

#include <fmt/format.h>

namespace wajah::server {
namespace json = boost::json;
using attendance::Calendar;
using attendance::Day;
using attendance::Direction;
using attendance::Event;

namespace {

std::string site_code(const Calendar& calendar, attendance::SiteId id) {
  const auto* site = calendar.site(id);
  return site ? site->code : std::string();
}

json::value event_id(const std::optional<attendance::EventId>& id) {
  return id ? json::value(id_text('e', *id)) : json::value(nullptr);
}

json::value optional_number(const std::optional<double>& number) {
  return number ? json::value(rounded(*number, 4)) : json::value(nullptr);
}

struct Words {
  std::string_view id, en;
};

Words words_at(int hour) {
  if (hour >= 4 && hour < 11) return {"Selamat pagi", "Good morning"};
  if (hour >= 11 && hour < 15) return {"Selamat siang", "Good day"};
  if (hour >= 15 && hour < 18) return {"Selamat sore", "Good afternoon"};
  return {"Selamat malam", "Good evening"};
}

}  // namespace

json::object event_json(const Event& event, const Calendar& calendar) {
  return {{"id", id_text('e', event.id)},
          {"person", event.person ? json::value(mention(*event.person)) : json::value(nullptr)},
          {"site", site_code(calendar, event.site)},
          {"direction", attendance::name_of(event.direction)},
          {"at", rfc3339(event.at, event.zone)},
          {"business_date", attendance::date_text(event.date)},
          {"source", attendance::name_of(event.source)},
          {"similarity", optional_number(event.similarity)},
          {"corrects", event_id(event.corrects)},
          {"corrected_by", event_id(event.corrected_by)},
          {"struck", event.struck},
          {"counts", event.counts()},
          {"reason", event.reason},
          {"actor", event.actor}};
}

json::object checked_json(const attendance::Checked& checked, const Calendar& calendar) {
  auto result = event_json(checked.event, calendar);
  const auto& day = checked.day;
  result["shift"] = day.shift.empty() ? json::value(nullptr) : json::value(day.shift);
  result["status"] = attendance::name_of(day.status);
  result["late_minutes"] = day.late.count();
  result["duplicate_of"] = checked.duplicate ? event_id(checked.event.id) : json::value(nullptr);
  result["replayed"] = checked.replayed;
  return result;
}

json::object day_json(const Day& day, const Calendar& calendar) {
  return {{"business_date", attendance::date_text(day.date)},
          {"site", site_code(calendar, day.site)},
          {"zone", day.zone},
          {"shift", day.shift.empty() ? json::value(nullptr) : json::value(day.shift)},
          {"shift_start", nullable_time(day.start, day.zone)},
          {"shift_end", nullable_time(day.end, day.zone)},
          {"in", nullable_time(day.in, day.zone)},
          {"out", nullable_time(day.out, day.zone)},
          {"status", attendance::name_of(day.status)},
          {"late_minutes", day.late.count()},
          {"early_leave_minutes", day.early_leave.count()},
          {"overtime_minutes", day.overtime.count()},
          {"worked_minutes", day.worked.count()},
          {"missing_in", day.missing_in},
          {"missing_out", day.missing_out},
          {"open", day.open},
          {"edited", day.edited},
          {"holiday", day.holiday.empty() ? json::value(nullptr) : json::value(day.holiday)}};
}

json::object summary_json(const attendance::Summary& summary) {
  return {{"days_present", summary.present},
          {"days_scheduled", summary.scheduled},
          {"days_absent", summary.absent},
          {"days_late", summary.late},
          {"days_left_early", summary.early_leaves},
          {"days_missing_punch", summary.missing},
          {"late_minutes", summary.late_minutes.count()},
          {"early_leave_minutes", summary.early_minutes.count()},
          {"overtime_minutes", summary.overtime.count()},
          {"worked_minutes", summary.worked.count()}};
}

json::object greeting(const Event& event) {
  const std::string name = event.person ? event.person->name : std::string();
  if (event.direction == Direction::out) {
    return {{"id", fmt::format("Sampai jumpa, {}", name)}, {"en", fmt::format("Goodbye, {}", name)}};
  }
  const auto words = words_at(attendance::Zone(event.zone).local(event.at).hour);
  return {{"id", fmt::format("{}, {}", words.id, name)}, {"en", fmt::format("{}, {}", words.en, name)}};
}

json::object not_recognised() { return {{"id", "Wajah tidak dikenali"}, {"en", "Face not recognised"}}; }

}  // namespace wajah::server
