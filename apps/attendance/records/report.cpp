#include "attendance/records/report.hpp"

#include <wajah/text.hpp>

#include <algorithm>

namespace wajah::attendance {
namespace {

constexpr std::size_t people_at_once = 200;

void check_period(const ReportQuery& query) {
  const auto days = (query.to - query.from).count() + 1;
  constexpr Date last = std::chrono::sys_days(std::chrono::year(2261) / 12 / 31);  // instants end in 2262
  if (query.to > last) {
    refuse(Cause::bad_value, "The period ends on {}, expected at most {}", date_text(query.to), date_text(last));
  }
  if (days < 1) {
    refuse(Cause::bad_value, "The period ends on {}, before it begins on {}", date_text(query.to),
           date_text(query.from));
  }
  if (days > longest_report_days) {
    refuse(Cause::bad_value, "The period has {} days, expected at most {}; ask for it in parts", days,
           longest_report_days);
  }
}

Member asked_for(AttendanceBook& book, std::string_view nik) {
  const auto member = book.member(nik);
  if (!member) refuse(Cause::unknown_person, "Nobody is enrolled with the NIK {}", quote(nik));
  return *member;
}

bool wanted(const ReportQuery& query, const Calendar& calendar, const Placement& placement) {
  if (query.group && placement.group != *query.group) return false;
  return !query.site || calendar.home(placement).code == *query.site;
}

// Nothing if the person is not asked for, or was not there yet or any more; whoever has events was there, also before
// they were enrolled here: an imported log tells of years.
std::optional<PersonDays> days_of(AttendanceBook& book, const ReportQuery& query, const Member& member) {
  const auto calendar = book.calendar();
  PersonDays person{member, calendar->placement(member.person.id, query.to), {}, {}};
  if (!wanted(query, *calendar, person.placement)) return std::nullopt;
  const Site& home = calendar->home(person.placement);
  const bool expected = member.active && book.business_day(home).date_of(member.enrolled_at) <= query.to;
  person.days = book.days(member, query.from, query.to);
  if (!expected && std::ranges::none_of(person.days, &Day::attended)) return std::nullopt;
  for (const Day& day : person.days) person.summary.add(day);
  return person;
}

}  // namespace

void check_query(AttendanceBook& book, const ReportQuery& query) {
  check_period(query);
  if (query.site) static_cast<void>(book.site(*query.site));
  if (query.nik) static_cast<void>(asked_for(book, *query.nik));
}

void visit_days(AttendanceBook& book, const ReportQuery& query, PersonId after,
                const std::function<bool(const PersonDays&)>& visit) {
  check_query(book, query);
  if (query.nik) {
    const Member member = asked_for(book, *query.nik);
    if (member.person.id <= after) return;
    if (const auto person = days_of(book, query, member)) visit(*person);
    return;
  }
  for (;;) {
    const auto page = book.members(after, people_at_once);
    if (page.empty()) return;
    for (const Member& member : page) {
      const auto person = days_of(book, query, member);
      if (person && !visit(*person)) return;
    }
    after = page.back().person.id;
  }
}

}  // namespace wajah::attendance
