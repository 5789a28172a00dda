#include "attendance/records/sqlite_record_store.hpp"

#include "attendance/storage/sql_values.hpp"

#include <wajah/error.hpp>

namespace wajah::attendance {
namespace {

using sqlite::Connection;
using sqlite::Statement;

[[noreturn]] void refuse_unreadable(const char* what, std::string_view value) {
  fail(ErrorKind::storage,
       "database: an event has the {} '{}', which this wajah does not know; restore a backup or run "
       "the wajah that wrote it",
       what, value);
}

template <class T>
T known(std::optional<T> value, const char* what, const std::string& text) {
  if (!value) refuse_unreadable(what, text);
  return *value;
}

std::optional<std::int64_t> integer_or_nothing(const Statement& row, int column) {
  if (row.null(column)) return std::nullopt;
  return row.integer(column);
}

// A row of the view `recorded`.
Event event_of(const Statement& row) {
  Event event;
  event.id = row.integer(0);
  if (!row.null(1)) event.person = person_of(row, 1);
  event.site = row.integer(4);
  event.direction = known(parse_direction(row.text(5)), "direction", row.text(5));
  event.at = time_of(row.integer(6));
  event.date = known(parse_date(row.text(7)), "date", row.text(7));
  event.zone = row.text(8);
  event.source = known(parse_source(row.text(9)), "source", row.text(9));
  if (!row.null(10)) event.similarity = row.real(10);
  event.corrects = integer_or_nothing(row, 11);
  event.struck = row.integer(12) != 0;
  event.reason = row.text(13);
  event.actor = row.text(14);
  event.written_at = time_of(row.integer(15));
  event.corrected_by = integer_or_nothing(row, 16);
  return event;
}

std::vector<Event> all_events(Statement& query) {
  std::vector<Event> events;
  while (query.step()) events.push_back(event_of(query));
  return events;
}

std::optional<Event> find_event(Connection& connection, EventId id) {
  auto query = connection.prepare("SELECT * FROM recorded WHERE id = ?1");
  query.bind(id);
  if (!query.step()) return std::nullopt;
  return event_of(query);
}

void drop_keys(Connection& connection, Time before) {
  connection.prepare("DELETE FROM actor_key WHERE used_at < ?1").bind(microseconds(before)).run();
}

// What the key's first request got, if it was used.
std::optional<Written> replay(Connection& connection, std::string_view actor, std::string_view key,
                              std::string_view fingerprint) {
  if (key.empty()) return std::nullopt;
  auto query = connection.prepare("SELECT event, duplicate, fingerprint FROM actor_key WHERE actor = ?1 AND key = ?2");
  query.bind(actor, key);
  if (!query.step()) return std::nullopt;
  if (query.text(2) != fingerprint) return Written{Written::Outcome::key_reused, {}, false};
  return Written{Written::Outcome::replayed, find_event(connection, query.integer(0)).value(), query.integer(1) != 0};
}

void keep_key(Connection& connection, std::string_view actor, std::string_view key, std::string_view fingerprint,
              EventId event, bool duplicate, Time at) {
  if (key.empty()) return;
  connection
      .prepare(
          "INSERT INTO actor_key (actor, key, fingerprint, event, duplicate, used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
      .bind(actor, key, fingerprint, event, int{duplicate}, microseconds(at))
      .run();
}

Event insert(Connection& connection, const Event& event) {
  const std::optional<PersonId> person = event.person ? std::optional(event.person->id) : std::nullopt;
  const std::string date = date_text(event.date);
  connection
      .prepare(
          "INSERT INTO event (person, site, direction, at, date, zone, source, similarity, corrects, struck, reason, "
          "actor, written_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")
      .bind(person, event.site, name_of(event.direction), microseconds(event.at), std::string_view(date),
            std::string_view(event.zone), name_of(event.source), event.similarity, event.corrects, int{event.struck},
            std::string_view(event.reason), std::string_view(event.actor), microseconds(event.written_at))
      .run();
  return find_event(connection, connection.last_row()).value();
}

bool enrolled(Connection& connection, PersonId person, bool also_inactive) {
  auto query = connection.prepare("SELECT 1 FROM person WHERE id = ?1 AND (active = 1 OR ?2)");
  query.bind(person, int{also_inactive});
  return query.step();
}

std::vector<Event> history(Connection& connection, const Draft& draft) {
  auto query = connection.prepare(
      "SELECT * FROM recorded WHERE person = ?1 AND at BETWEEN ?2 AND ?3 AND struck = 0 AND corrected_by IS NULL "
      "ORDER BY at, id");
  query.bind(draft.person, microseconds(draft.seen_from), microseconds(draft.seen_to));
  return all_events(query);
}

Member member_of(const Statement& row) { return {person_of(row, 0), time_of(row.integer(3)), row.integer(4) != 0}; }

// Before which event a page begins: the date and id of `after`, or the first of the period.
struct Mark {
  std::string date;
  EventId id = 0;
};

Mark mark_of(Connection& connection, EventId after, const std::string& from) {
  if (after == 0) return {from, 0};
  auto query = connection.prepare("SELECT date FROM event WHERE id = ?1");
  query.bind(after);
  // Whatever was pruned came before all that is left.
  return query.step() ? Mark{query.text(0), after} : Mark{from, 0};
}

}  // namespace

Written SqliteRecordStore::write(const Draft& draft, const Decide& decide) {
  Database::Write write(database_);
  if (auto earlier = replay(*write, draft.actor, draft.key, draft.fingerprint)) return std::move(*earlier);
  if (!enrolled(*write, draft.person, !draft.matched)) return {Written::Outcome::no_person, {}, false};
  Decision decision = decide(history(*write, draft));
  Written written{Written::Outcome::duplicate, std::move(decision.event), false};
  if (!decision.duplicate) written = {Written::Outcome::written, insert(*write, written.event), false};
  keep_key(*write, draft.actor, draft.key, draft.fingerprint, written.event.id, decision.duplicate, draft.now);
  write.commit();
  return written;
}

Written SqliteRecordStore::correct(const Event& correction, std::string_view key, std::string_view fingerprint) {
  Database::Write write(database_);
  if (auto earlier = replay(*write, correction.actor, key, fingerprint)) return std::move(*earlier);
  auto original = correction.corrects ? find_event(*write, *correction.corrects) : std::nullopt;
  if (!original || !original->person || !correction.person || original->person->id != correction.person->id) {
    return {Written::Outcome::no_event, {}, false};
  }
  if (original->corrected_by) {
    return {Written::Outcome::superseded, find_event(*write, *original->corrected_by).value(), false};
  }
  Written written{Written::Outcome::written, insert(*write, correction), false};
  keep_key(*write, correction.actor, key, fingerprint, written.event.id, false, correction.written_at);
  write.commit();
  return written;
}

std::optional<Event> SqliteRecordStore::event(EventId id) {
  Database::Read read(database_);
  return find_event(*read, id);
}

std::vector<Event> SqliteRecordStore::events(const EventFilter& filter, EventId after, std::size_t limit) {
  Database::Read read(database_);
  const Mark mark = mark_of(*read, after, date_text(filter.from.value_or(Date())));
  const std::string to = filter.to ? date_text(*filter.to) : "9999-12-31";
  // With a person their own index serves; one query for both would use neither.
  auto query = filter.person ? read->prepare(
                                   "SELECT * FROM recorded WHERE person = ?6 AND (date, id) > (?1, ?2) "
                                   "AND date <= ?3 AND (?4 IS NULL OR site = ?4) "
                                   "AND (?5 OR (struck = 0 AND corrected_by IS NULL)) AND (?8 IS NULL OR ?8 = "
                                   "(SELECT team FROM placement WHERE placement.person = recorded.person "
                                   "AND from_date <= date ORDER BY from_date DESC LIMIT 1)) "
                                   "ORDER BY date, id LIMIT ?7")
                             : read->prepare(
                                   "SELECT * FROM recorded WHERE (date, id) > (?1, ?2) "
                                   "AND date <= ?3 AND (?4 IS NULL OR site = ?4) "
                                   "AND (?5 OR (struck = 0 AND corrected_by IS NULL)) AND ?6 IS NULL "
                                   "AND (?8 IS NULL OR ?8 = "
                                   "(SELECT team FROM placement WHERE placement.person = recorded.person "
                                   "AND from_date <= date ORDER BY from_date DESC LIMIT 1)) "
                                   "ORDER BY date, id LIMIT ?7");
  query.bind(std::string_view(mark.date), mark.id, std::string_view(to), filter.site, int{filter.all}, filter.person,
             static_cast<std::int64_t>(limit), filter.group);
  return all_events(query);
}

std::vector<Event> SqliteRecordStore::days_of(PersonId person, Date from, Date to) {
  Database::Read read(database_);
  auto query = read->prepare(
      "SELECT * FROM recorded WHERE person = ?1 AND date BETWEEN ?2 AND ?3 AND struck = 0 AND corrected_by IS NULL "
      "ORDER BY date, at, id");
  const std::string first = date_text(from), last = date_text(to);
  query.bind(person, std::string_view(first), std::string_view(last));
  return all_events(query);
}

std::vector<Event> SqliteRecordStore::last_arrivals(Time since) {
  Database::Read read(database_);
  // A later event cannot be of a date more than one earlier; saying so lets the index over person and date answer.
  auto query = read->prepare(
      "SELECT * FROM recorded WHERE at >= ?1 AND direction = 'in' AND person IS NOT NULL AND struck = 0 "
      "AND corrected_by IS NULL AND NOT EXISTS (SELECT 1 FROM event AS later WHERE later.person = recorded.person "
      "AND later.date >= date(recorded.date, '-1 day') AND (later.at, later.id) > (recorded.at, recorded.id) "
      "AND later.struck = 0 AND NOT EXISTS (SELECT 1 FROM event AS newest WHERE newest.corrects = later.id)) "
      "ORDER BY at, id");
  query.bind(microseconds(since));
  return all_events(query);
}

std::vector<Member> SqliteRecordStore::members(PersonId after, std::size_t limit) {
  Database::Read read(database_);
  auto query =
      read->prepare("SELECT id, nik, name, enrolled_at, active FROM person WHERE id > ?1 ORDER BY id LIMIT ?2");
  query.bind(after, static_cast<std::int64_t>(limit));
  std::vector<Member> members;
  while (query.step()) members.push_back(member_of(query));
  return members;
}

std::optional<Member> SqliteRecordStore::member(std::string_view nik) {
  Database::Read read(database_);
  auto query = read->prepare("SELECT id, nik, name, enrolled_at, active FROM person WHERE nik = ?1");
  query.bind(nik);
  if (!query.step()) return std::nullopt;
  return member_of(query);
}

void SqliteRecordStore::prune_keys(Time before) {
  Database::Write write(database_);
  drop_keys(*write, before);
  write.commit();
}

std::int64_t SqliteRecordStore::prune(Date before, Time keys_before) {
  Database::Write write(database_);
  const std::string first_kept = date_text(before);
  drop_keys(*write, keys_before);
  // What stands for a kept event is kept as well, or the event it corrects would count again.
  write
      ->prepare(
          "WITH RECURSIVE kept(id) AS (SELECT id FROM event WHERE date >= ?1 "
          "UNION SELECT event.id FROM event JOIN kept ON event.corrects = kept.id) "
          "DELETE FROM event WHERE date < ?1 AND id NOT IN (SELECT id FROM kept)")
      .bind(std::string_view(first_kept))
      .run();
  const auto erased = write->changes();
  write.commit_erasing();
  return erased;
}

}  // namespace wajah::attendance
