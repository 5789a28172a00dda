// Report: days of many people over a period, one person after another, so that 5,000 people and a year need no more
// memory than one person and a page of names.
#pragma once

#include "attendance/records/attendance_book.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace wajah::attendance {

struct ReportQuery {
  Date from, to;                     // business dates, both included
  std::optional<std::string> nik;    // one person
  std::optional<std::string> group;  // those who belong to it on the last day they have in the period
  std::optional<std::string> site;   // code, likewise
};

struct PersonDays {
  Member member;
  Placement placement;  // on the last day of the period
  std::vector<Day> days;
  Summary summary;
};

// At most so many days: what a reply or a file can bear.
inline constexpr int longest_report_days = 3 * 366;

// Refusals: bad_value (period), unknown_person, unknown_site. Whoever streams a report asks before the first byte.
void check_query(AttendanceBook& book, const ReportQuery& query);

// Calls visit for every person the query asks for, in the order of their ids, those with an id above `after`, until it
// returns false. People enrolled after the period are left out, and those no longer active who
// did not come in it. Refusals as of check_query().
void visit_days(AttendanceBook& book, const ReportQuery& query, PersonId after,
                const std::function<bool(const PersonDays&)>& visit);

}  // namespace wajah::attendance
