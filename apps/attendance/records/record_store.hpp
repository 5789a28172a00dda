// RecordStore: attendance events and the calendar, behind one small interface; the rules are AttendanceBook's. Like
// Store: every function is one transaction, what it returned survives a crash, any number of threads may call, all
// throw Error (storage).
#pragma once

#include "attendance/records/calendar.hpp"
#include "attendance/records/event.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

// What is to be written once the person's other events are known.
struct Draft {
  PersonId person = 0;
  Time seen_from, seen_to;  // decide() is shown the events that count with seen_from <= at <= seen_to
  std::string key;          // idempotency key; empty: none
  std::string fingerprint;  // of the request the key belongs to
  Time now;                 // when the key is used
  std::string actor = {};   // whose key it is: two callers may use the same
  bool matched = false;     // by their face: whoever is not active must not be
};

// What decide() makes of them: an event to write, or the earlier one it would repeat.
struct Decision {
  Event event;
  bool duplicate = false;
};

using Decide = std::function<Decision(std::span<const Event>)>;

struct Written {
  enum class Outcome {
    written,
    duplicate,   // nothing was written, `event` is the earlier one
    replayed,    // the key was used by the same request before; `event` is what it got
    key_reused,  // the key was used by another request; `event` is empty
    no_person,   // not enrolled, or no longer
    no_event,    // what was to be corrected does not exist, or is no person's any more
    superseded,  // it has been corrected already; `event` is what stands for it
  };

  Outcome outcome = Outcome::written;
  Event event;
  bool was_duplicate = false;  // replayed: the first answer was a duplicate
};

struct EventFilter {
  std::optional<Date> from, to;  // business dates, both included
  std::optional<PersonId> person;
  std::optional<SiteId> site;
  bool all = true;                   // false: only those that count
  std::optional<std::string> group;  // of the person on the event's date
};

struct Member {
  Person person;
  Time enrolled_at;
  bool active = true;
};

class RecordStore {
 public:
  virtual ~RecordStore() = default;

  // Shows decide() the person's events, oldest first, and writes what it says, at once: no other event of the person
  // comes between. decide() may be called more than once and must only look.
  virtual Written write(const Draft& draft, const Decide& decide) = 0;

  // Writes `correction` in the place of the event it names in `corrects`; the key is its actor's.
  virtual Written correct(const Event& correction, std::string_view key, std::string_view fingerprint) = 0;

  [[nodiscard]] virtual std::optional<Event> event(EventId id) = 0;

  // Events by business date, those of a date in the order written; at most `limit` that follow the event `after` (0:
  // from the first on).
  [[nodiscard]] virtual std::vector<Event> events(const EventFilter& filter, EventId after, std::size_t limit) = 0;

  // The person's events that count, by business date and time.
  [[nodiscard]] virtual std::vector<Event> days_of(PersonId person, Date from, Date to) = 0;

  // Of everybody the last event that counts, if it is an arrival and not before `since`; in order of time.
  [[nodiscard]] virtual std::vector<Event> last_arrivals(Time since) = 0;

  // People in the order of their ids, at most `limit` with an id above `after`.
  [[nodiscard]] virtual std::vector<Member> members(PersonId after, std::size_t limit) = 0;
  [[nodiscard]] virtual std::optional<Member> member(std::string_view nik) = 0;

  // Erases events of business dates before `before`, and idempotency keys used before `keys_before`. Returns the
  // number of events.
  virtual std::int64_t prune(Date before, Time keys_before) = 0;

  [[nodiscard]] virtual std::int64_t revision() = 0;  // of the calendar
  [[nodiscard]] virtual CalendarEntries calendar() = 0;

  // Adds (id 0) or replaces, and returns the id; nothing if the code or date is taken, or what it refers to or the id
  // is not there. Placements are known by person and date.
  virtual std::optional<SiteId> save(const Site& site) = 0;
  virtual std::optional<ShiftId> save(const Shift& shift) = 0;
  virtual std::optional<AssignmentId> save(const Assignment& assignment) = 0;
  virtual std::optional<HolidayId> save(const Holiday& holiday) = 0;
  virtual bool save(const Placement& placement) = 0;

  enum class Entry { site, shift, assignment, holiday };
  enum class Removal { removed, not_there, in_use };
  virtual Removal remove(Entry entry, std::int64_t id) = 0;
  virtual bool remove_placement(PersonId person, Date from) = 0;

  // Forgets idempotency keys used before `before`.
  virtual void prune_keys(Time before) = 0;
};

}  // namespace wajah::attendance
