// SqliteRecordStore: the RecordStore in SQLite, beside the people it refers to.
#pragma once

#include "attendance/records/record_store.hpp"
#include "attendance/storage/database.hpp"

namespace wajah::attendance {

class SqliteRecordStore final : public RecordStore {
 public:
  explicit SqliteRecordStore(Database& database) : database_(database) {}  // which outlives it

  Written write(const Draft& draft, const Decide& decide) override;
  Written correct(const Event& correction, std::string_view key, std::string_view fingerprint) override;
  std::optional<Event> event(EventId id) override;
  std::vector<Event> events(const EventFilter& filter, EventId after, std::size_t limit) override;
  std::vector<Event> days_of(PersonId person, Date from, Date to) override;
  std::vector<Event> last_arrivals(Time since) override;
  std::vector<Member> members(PersonId after, std::size_t limit) override;
  std::optional<Member> member(std::string_view nik) override;
  std::int64_t prune(Date before, Time keys_before) override;
  void prune_keys(Time before) override;

  std::int64_t revision() override;
  CalendarEntries calendar() override;
  std::optional<SiteId> save(const Site& site) override;
  std::optional<ShiftId> save(const Shift& shift) override;
  std::optional<AssignmentId> save(const Assignment& assignment) override;
  std::optional<HolidayId> save(const Holiday& holiday) override;
  bool save(const Placement& placement) override;
  Removal remove(Entry entry, std::int64_t id) override;
  bool remove_placement(PersonId person, Date from) override;

 private:
  Database& database_;
};

}  // namespace wajah::attendance
