#include "attendance/records/attendance_book.hpp"

#include "attendance/records/calendar_rules.hpp"
#include "attendance/records/direction_rule.hpp"
#include "attendance/records/shift_dates.hpp"
#include "attendance/text.hpp"

#include <wajah/text.hpp>

#include <algorithm>
#include <utility>

namespace wajah::attendance {
namespace {

using Outcome = Written::Outcome;

constexpr Minutes whole_day{24 * 60};
// Whoever arrived longer ago is no longer inside: the longest shift, a day, and what it may run over.
constexpr Minutes longest_stay{36 * 60};
constexpr std::size_t longest_key = 255;

BookOptions checked(BookOptions options) {
  static_cast<void>(Zone(options.zone));
  if (options.day_start < Minutes(0) || options.day_start >= whole_day) {
    fail(ErrorKind::usage, "day_start: minute {} of the day, expected 0 to 1439", options.day_start.count());
  }
  if (options.duplicate_window < Minutes(0) || options.duplicate_window > whole_day) {
    fail(ErrorKind::usage, "duplicate_minutes: {}, expected 0 to 1440", options.duplicate_window.count());
  }
  return options;
}

// As finely as stores keep it, so that what was answered is what will be read.
Time kept(Time at) { return std::chrono::floor<std::chrono::microseconds>(at); }

void check_key(std::string_view key) {
  if (key.size() > longest_key) {
    refuse(Cause::bad_value, "The idempotency key has {} bytes, expected at most {}", key.size(), longest_key);
  }
}

void check_reason(std::string_view reason, std::string_view actor) {
  if (const auto fault = fault_of_name(reason)) refuse(Cause::bad_value, "The reason cannot be used: {}", *fault);
  if (actor.empty()) refuse(Cause::bad_value, "Who makes the entry is missing");
}

// Two days are more than any zone and day_start can move a time into 1969, which has no business dates.
void check_time(Time at, Time now) {
  constexpr Time earliest{std::chrono::days(2)};
  if (at < earliest) refuse(Cause::bad_value, "The time lies before 1970-01-03, the first day that can be recorded");
  if (at > now) refuse(Cause::bad_value, "The time lies in the future; attendance is recorded when it happens");
}

std::string text_of(const std::optional<Time>& at) {
  return at ? fmt::format("{}", at->time_since_epoch().count()) : "-";
}

std::string_view text_of(const std::optional<Direction>& direction) { return direction ? name_of(*direction) : "auto"; }

void check_correction(const Correction& correction, const Event& original) {
  const bool changes = correction.at || correction.direction || correction.site;
  if (correction.strike && changes) {
    refuse(Cause::bad_value, "A correction either strikes an event out or changes it; this one asks for both");
  }
  if (!correction.strike && !changes) {
    refuse(Cause::bad_value, "A correction needs a new time, direction or site, or must strike the event out");
  }
  if (!original.person) refuse(Cause::unknown_event, "The person of event {} was removed", original.id);
  if (original.struck) {
    refuse(Cause::conflict, "Event {} strikes another one out; enter what happened as a new event", original.id);
  }
}

Event event_at(const Site& site, const BusinessDay& business_day, PersonId person, Time at) {
  Event event;
  event.person = Person{person, "", ""};
  event.site = site.id;
  event.at = at;
  event.zone = business_day.zone().name();
  return event;
}

}  // namespace

AttendanceBook::AttendanceBook(RecordStore& store, BookOptions options)
    : store_(store), options_(checked(std::move(options))) {}

std::shared_ptr<const Calendar> AttendanceBook::calendar() {
  const auto revision = store_.revision();
  const std::lock_guard lock(mutex_);
  if (!calendar_ || calendar_->entries().revision != revision) {
    calendar_ = std::make_shared<const Calendar>(store_.calendar());
  }
  return calendar_;
}

BusinessDay AttendanceBook::business_day(const Site& site) const {
  return {Zone(site.zone.empty() ? options_.zone : site.zone), site.day_start.value_or(options_.day_start)};
}

AttendanceBook::Place AttendanceBook::place(const Calendar& calendar, std::string_view code) const {
  const Site* site = code.empty() ? calendar.site(main_site) : calendar.site(code);
  if (!site) refuse(Cause::unknown_site, "There is no site with the code {}", quote(code));
  return {*site, business_day(*site)};
}

Site AttendanceBook::site(std::string_view code) { return place(*calendar(), code).site; }

Checked AttendanceBook::check(const CheckIn& check) {
  const auto calendar = this->calendar();
  const Place place = this->place(*calendar, check.site);
  const Time now = kept(options_.now());
  const Time at = kept(check.at.value_or(now));
  check_time(at, now);
  Event event = event_at(place.site, place.business_day, check.person, at);
  event.date = date_of_event(*calendar, check.person, place.business_day, at);
  event.source = check.source;
  event.similarity = check.similarity;
  event.actor = check.actor;
  event.written_at = now;
  const auto direction = check.direction ? check.direction : place.site.direction;
  return record(
      event, place, direction, check.idempotency_key,
      fmt::format("check {} {} {} {}", check.person, place.site.code, text_of(check.direction), text_of(check.at)));
}

Checked AttendanceBook::enter(const ManualEntry& entry) {
  check_reason(entry.reason, entry.actor);
  const auto calendar = this->calendar();
  const Place place = this->place(*calendar, entry.site);
  const Time now = kept(options_.now());
  const Time at = kept(entry.at);
  check_time(at, now);
  Event event = event_at(place.site, place.business_day, entry.person, at);
  event.date = date_of_event(*calendar, entry.person, place.business_day, at);
  event.source = Source::manual;
  event.reason = entry.reason;
  event.actor = entry.actor;
  event.written_at = now;
  return record(event, place, entry.direction, entry.idempotency_key,
                fmt::format("enter {} {} {} {} {}", entry.person, place.site.code, name_of(entry.direction),
                            text_of(at), entry.reason));
}

Checked AttendanceBook::record(const Event& event, const Place& place, std::optional<Direction> direction,
                               const std::string& key, const std::string& fingerprint) {
  check_key(key);
  const Minutes window = place.site.duplicate_window.value_or(options_.duplicate_window);
  // A day more than the date itself: an event of the same date may have been written at a site further east.
  const Time from = std::min(place.business_day.begin(event.date) - whole_day, event.at - window);
  const Draft draft{event.person->id, from,        event.at + window, key,
                    fingerprint,      event.written_at, event.actor, event.source != Source::manual};
  return answer(store_.write(
      draft, [&](std::span<const Event> others) { return decide_event(event, direction, window, others); }));
}

Checked AttendanceBook::correct(const Correction& correction) {
  check_reason(correction.reason, correction.actor);
  check_key(correction.idempotency_key);
  const auto original = store_.event(correction.event);
  if (!original) refuse(Cause::unknown_event, "There is no event {}", correction.event);
  check_correction(correction, *original);
  const auto calendar = this->calendar();
  Event event = *original;
  event.id = 0;
  event.corrects = original->id;
  event.corrected_by.reset();
  event.written_at = kept(options_.now());
  event.source = Source::manual;
  event.similarity.reset();
  event.struck = correction.strike;
  event.reason = correction.reason;
  event.actor = correction.actor;
  event.direction = correction.direction.value_or(original->direction);
  event.at = kept(correction.at.value_or(original->at));
  check_time(event.at, event.written_at);
  if (correction.at || correction.site) {
    const Site* old_site = calendar->site(original->site);
    const Place place = this->place(*calendar, correction.site.value_or(old_site ? old_site->code : ""));
    event.site = place.site.id;
    event.zone = place.business_day.zone().name();
    event.date = date_of_event(*calendar, event.person->id, place.business_day, event.at);
  }
  return answer(store_.correct(
      event, correction.idempotency_key,
      fmt::format("correct {} {} {} {} {} {}", correction.event, text_of(correction.at), text_of(correction.direction),
                  correction.site.value_or("-"), correction.strike, correction.reason)));
}

Checked AttendanceBook::answer(Written written) {
  switch (written.outcome) {
    case Outcome::written:
    case Outcome::duplicate:
    case Outcome::replayed: break;
    case Outcome::key_reused:
      refuse(Cause::conflict, "The idempotency key was used for another request before; take a new key");
    case Outcome::no_person: refuse(Cause::unknown_person, "The person is not enrolled, or no longer");
    case Outcome::no_event: refuse(Cause::unknown_event, "The event is not there, or its person was removed");
    case Outcome::superseded:
      refuse(Cause::conflict, "The event has been corrected already; correct event {}, which stands for it",
             written.event.id);
  }
  Checked checked{std::move(written.event),
                  written.outcome == Outcome::duplicate || written.was_duplicate,
                  written.outcome == Outcome::replayed,
                  {}};
  if (checked.event.person) checked.day = day_of(checked.event);
  return checked;
}

Day AttendanceBook::day_of(const Event& event) {
  const auto events = store_.days_of(event.person->id, event.date, event.date);
  return compute(*calendar(), event.person->id, event.date, events, options_.now());
}

Day AttendanceBook::compute(const Calendar& calendar, PersonId person, Date date, std::span<const Event> events,
                            Time now) const {
  const Site* site = events.empty() ? nullptr : calendar.site(events.front().site);
  if (!site) site = &calendar.home(calendar.placement(person, date));
  return compute_day(person, date, *site, business_day(*site), calendar.shift_of(person, date),
                     calendar.holiday(date, site->id), events, now);
}

std::vector<Day> AttendanceBook::days(const Member& member, Date from, Date to) {
  const auto calendar = this->calendar();
  const auto events = store_.days_of(member.person.id, from, to);
  const Time now = options_.now();
  const Site& home = calendar->home(calendar->placement(member.person.id, from));
  const Date enrolled = business_day(home).date_of(member.enrolled_at);
  // Nobody is absent before they were enrolled, nor after they left.
  const Date left = member.active ? Date::max() : events.empty() ? Date::min() : events.back().date;
  std::vector<Day> days;
  auto rest = std::span(events);
  for (Date date = from; date <= to; date += std::chrono::days(1)) {
    const auto count = std::ranges::find_if(rest, [&](const Event& e) { return e.date != date; }) - rest.begin();
    const auto today = rest.first(static_cast<std::size_t>(count));
    rest = rest.subspan(today.size());
    Day day = compute(*calendar, member.person.id, date, today, now);
    if (today.empty() && (date < enrolled || date > left)) {
      day.shift.clear();
      day.start = day.end = std::nullopt;
      day.status = DayStatus::unplanned;
    }
    days.push_back(std::move(day));
  }
  return days;
}

std::vector<Event> AttendanceBook::inside(std::optional<SiteId> site) {
  const auto calendar = this->calendar();
  const Time now = options_.now();
  auto arrivals = store_.last_arrivals(now - longest_stay);
  std::erase_if(arrivals, [&](const Event& event) {
    if (site && event.site != *site) return true;
    const Site* at = calendar->site(event.site);
    const BusinessDay business_day = this->business_day(at ? *at : *calendar->site(main_site));
    const Shift* shift = calendar->shift_of(event.person->id, event.date);
    const auto duty = shift ? duty_on(*shift, event.date, business_day) : std::nullopt;
    return now >= end_of_day(event.date, business_day, duty);
  });
  return arrivals;
}

template <class Entry>
Entry AttendanceBook::save_checked(Entry entry) {
  check_entry(*calendar(), entry);
  const auto id = store_.save(entry);
  if (!id) refuse(Cause::conflict, "The entry was taken, or what it refers to is not there; look again and retry");
  entry.id = *id;
  return entry;
}

Site AttendanceBook::save(Site site) { return save_checked(std::move(site)); }
Shift AttendanceBook::save(Shift shift) { return save_checked(std::move(shift)); }
Holiday AttendanceBook::save(Holiday holiday) { return save_checked(std::move(holiday)); }

Assignment AttendanceBook::save(Assignment assignment) {
  check_entry(*calendar(), assignment);
  const auto id = store_.save(assignment);
  if (!id) refuse(Cause::not_found, "The person, shift or site of the assignment is not there");
  assignment.id = *id;
  return assignment;
}

void AttendanceBook::save(const Placement& placement) {
  check_entry(*calendar(), placement);
  if (!store_.save(placement)) refuse(Cause::unknown_person, "The person is not enrolled, or no longer");
}

void AttendanceBook::remove(RecordStore::Entry entry, std::int64_t id) {
  if (entry == RecordStore::Entry::site && id == main_site) {
    refuse(Cause::conflict, "The main site stays: it is where people belong who were placed nowhere else");
  }
  switch (store_.remove(entry, id)) {
    case RecordStore::Removal::removed: return;
    case RecordStore::Removal::not_there: refuse(Cause::not_found, "There is no such entry with the id {}", id);
    case RecordStore::Removal::in_use:
      refuse(Cause::conflict, "The entry with the id {} is still in use; remove what refers to it first", id);
  }
}

void AttendanceBook::remove_placement(PersonId person, Date from) {
  if (!store_.remove_placement(person, from)) {
    refuse(Cause::not_found, "The person has no placement from {} on", date_text(from));
  }
}

}  // namespace wajah::attendance
