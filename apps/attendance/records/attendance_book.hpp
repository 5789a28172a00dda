// AttendanceBook: the rules of coming and going over a RecordStore: direction, duplicates, business dates, shifts,
// corrections. It knows no HTTP, no sockets and no faces; its clock is handed in. Any number of threads may call.
//
// Expected refusals are thrown as Refusal: unknown_person, unknown_site, unknown_event, not_found, bad_value (the
// message says which), conflict. A store that cannot answer throws Error (storage).
#pragma once

#include "attendance/records/day.hpp"
#include "attendance/records/record_store.hpp"
#include "attendance/refusal.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

struct BookOptions {
  std::string zone = "Asia/Jakarta";  // of sites that name none
  Minutes day_start{4 * 60};
  Minutes duplicate_window{5};
  std::function<Time()> now = std::chrono::system_clock::now;
};

struct CheckIn {
  PersonId person = 0;
  std::string site;                    // code; empty: the main site
  std::optional<Direction> direction;  // nothing: the door's own, else in for the first event of the date and out later
  Source source = Source::face;
  std::optional<double> similarity;
  std::optional<Time> at;       // nothing: now. Only a kiosk that was offline may say it, and not for the future
  std::string actor;            // who asked: a key's id
  std::string idempotency_key;  // empty: none
};

struct ManualEntry {
  PersonId person = 0;
  std::string site;
  Direction direction = Direction::in;
  Time at;
  std::string reason, actor;  // both needed
  std::string idempotency_key;
};

struct Correction {
  EventId event = 0;  // one that counts
  std::optional<Time> at;
  std::optional<Direction> direction;
  std::optional<std::string> site;
  bool strike = false;        // it never happened; nothing else may be set then
  std::string reason, actor;  // both needed
  std::string idempotency_key;
};

struct Checked {
  Event event;             // what was written, or the earlier one
  bool duplicate = false;  // nothing was written: `event` is the earlier one
  bool replayed = false;   // this is the answer that the idempotency key got before
  Day day;                 // the person's day, this event in it
};

class AttendanceBook {
 public:
  // The store outlives it. Throws Error (usage) on options out of range.
  AttendanceBook(RecordStore& store, BookOptions options);

  // Records that somebody stands at a door. A repetition at the same site within the duplicate window (in the same
  // direction; in any, if none was said) writes nothing and returns the earlier event.
  Checked check(const CheckIn& check);

  // An operator's entry, for whoever could not be recognised. Duplicates as for check().
  Checked enter(const ManualEntry& entry);

  // Writes an event that stands for another, which stays as it is. conflict: it has been corrected already.
  Checked correct(const Correction& correction);

  [[nodiscard]] std::optional<Event> event(EventId id) { return store_.event(id); }

  // By business date, those of a date in the order written; at most `limit` that follow the event `after` (0: from the
  // first on).
  [[nodiscard]] std::vector<Event> events(const EventFilter& filter, EventId after, std::size_t limit) {
    return store_.events(filter, after, limit);
  }

  // The person's days from `from` to `to`, one for each date.
  [[nodiscard]] std::vector<Day> days(const Member& member, Date from, Date to);

  // Who has arrived and not left, in order of arrival; at one site or anywhere. Somebody whose business day is over is
  // a missing departure, not inside.
  [[nodiscard]] std::vector<Event> inside(std::optional<SiteId> site = {});

  [[nodiscard]] std::optional<Member> member(std::string_view nik) { return store_.member(nik); }
  [[nodiscard]] std::vector<Member> members(PersonId after, std::size_t limit) { return store_.members(after, limit); }

  // The calendar as it is now; it does not change under whoever holds it.
  [[nodiscard]] std::shared_ptr<const Calendar> calendar();
  // By its code, the main site for an empty one. Refusal unknown_site.
  [[nodiscard]] Site site(std::string_view code);
  [[nodiscard]] BusinessDay business_day(const Site& site) const;
  [[nodiscard]] Date today(const Site& site) const { return business_day(site).date_of(options_.now()); }

  // Adds (id 0) or replaces an entry of the calendar and returns it with its id. bad_value on fields out of range,
  // conflict if the code or date is taken, not_found if the entry or what it refers to is not there.
  Site save(Site site);
  Shift save(Shift shift);
  Assignment save(Assignment assignment);
  Holiday save(Holiday holiday);
  void save(const Placement& placement);

  // not_found; conflict if something still refers to it, and for the main site.
  void remove(RecordStore::Entry entry, std::int64_t id);
  void remove_placement(PersonId person, Date from);

  [[nodiscard]] const BookOptions& options() const { return options_; }

 private:
  struct Place {
    Site site;
    BusinessDay business_day;
  };

  [[nodiscard]] Place place(const Calendar& calendar, std::string_view code) const;
  [[nodiscard]] Checked record(const Event& event, const Place& place, std::optional<Direction> direction,
                               const std::string& key, const std::string& fingerprint);
  [[nodiscard]] Checked answer(Written written);
  [[nodiscard]] Day day_of(const Event& event);
  [[nodiscard]] Day compute(const Calendar& calendar, PersonId person, Date date, std::span<const Event> events,
                            Time now) const;
  template <class Entry>
  Entry save_checked(Entry entry);

  RecordStore& store_;
  BookOptions options_;
  std::mutex mutex_;
  std::shared_ptr<const Calendar> calendar_;
};

}  // namespace wajah::attendance
