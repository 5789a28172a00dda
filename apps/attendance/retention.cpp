#include "attendance/retention.hpp"

#include "attendance/original_log.hpp"

#include <fmt/format.h>

#include <exception>
#include <system_error>
#include <utility>
#include <vector>

namespace wajah::attendance {

using std::chrono::days;

Retention::Retention(const Parts& parts, const RetentionRules& rules, std::filesystem::path log_folder,
                     const Zone& zone, std::function<void(const Person&)> removed)
    : parts_(parts), rules_(rules), log_folder_(std::move(log_folder)), zone_(zone), removed_(std::move(removed)) {}

RetentionReport Retention::run(Time now) {
  RetentionReport report;
  std::exception_ptr fault;
  try {
    erase_due(now, report);
  } catch (...) {
    fault = std::current_exception();  // what was erased until then is written down all the same
  }
  if (report != RetentionReport{}) {
    parts_.audit.append({now, "server", "retention.erase", std::nullopt, "",
                         fmt::format(R"({{"events":{},"rows":{},"log_files":{},"people":{}}})", report.events,
                                     report.rows, report.log_files, report.people)});
  }
  if (fault) std::rethrow_exception(fault);
  return report;
}

void Retention::erase_due(Time now, RetentionReport& report) {
  if (rules_.events > days(0)) erase_attendance(date_of(now) - rules_.events, report);
  if (rules_.templates > days(0)) erase_unseen(now, now - rules_.templates, report.people);
  if (rules_.leftovers > days(0)) {
    parts_.jobs.remove_ended_before(now - rules_.leftovers);
    parts_.records.prune_keys(now - rules_.leftovers);
    parts_.webhooks.remove_ended_before(now - rules_.leftovers);
  }
}

Date Retention::date_of(Time at) const { return Date(std::chrono::floor<days>(zone_.wall(at)).time_since_epoch()); }

void Retention::erase_attendance(Date before, RetentionReport& report) {
  const auto midnight = zone_.instant(std::chrono::local_days(before.time_since_epoch()));
  report.events = parts_.records.prune(before, midnight);
  report.rows = parts_.store.prune(midnight);
  report.log_files = erase_logs(before);
}

std::int64_t Retention::erase_logs(Date before) const {
  using namespace std::chrono;
  std::int64_t erased = 0;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(log_folder_, none)) {
    const auto day = day_of_log(entry.path().filename().string());
    if (!day) continue;
    const year_month_day date(year(day->year), month(static_cast<unsigned>(day->month)),
                              std::chrono::day(static_cast<unsigned>(day->day)));
    if (Date(date) < before && std::filesystem::remove(entry.path(), none)) ++erased;
  }
  return erased;
}

void Retention::erase_unseen(Time now, Time before, std::int64_t& erased) {
  std::vector<PersonRecord> unseen;
  PeopleQuery query;
  query.limit = 500;
  do {
    auto page = parts_.people.search(query);
    for (auto& person : page.people) {
      if (!seen_since(person, before)) unseen.push_back(std::move(person));
    }
    query.after = page.next;
  } while (!query.after.empty());
  for (const PersonRecord& record : unseen) {
    // Of that version: whoever was changed since has been heard of.
    if (!parts_.people.remove(record.person.id, false, now, record.version)) continue;
    ++erased;
    removed_(record.person);
  }
}

bool Retention::seen_since(const PersonRecord& person, Time before) {
  if (person.enrolled_at >= before || person.updated_at >= before) return true;
  EventFilter filter;
  filter.from = date_of(before);
  filter.person = person.person.id;
  return !parts_.records.events(filter, 0, 1).empty();
}

}  // namespace wajah::attendance
