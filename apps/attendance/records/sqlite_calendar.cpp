// The calendar's half of SqliteRecordStore.
#include "attendance/records/sqlite_record_store.hpp"

#include "attendance/storage/sql_values.hpp"

#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace wajah::attendance {
namespace {

using sqlite::Connection;
using sqlite::Statement;

using Number = std::optional<std::int64_t>;

Number number(const std::optional<Minutes>& minutes) { return minutes ? Number(minutes->count()) : std::nullopt; }

std::optional<Minutes> minutes_in(const Statement& row, int column) {
  if (row.null(column)) return std::nullopt;
  return Minutes(row.integer(column));
}

using Unreadable = std::vector<std::string>;

// One damaged entry must not take the whole calendar, and with it all attendance, away: it is left out and told.
std::optional<Date> date_in(const Statement& row, int column, std::string_view entry, Unreadable& unreadable) {
  const auto date = parse_date(row.text(column));
  if (!date) {
    unreadable.push_back(
        fmt::format("{}: its date is {}, expected one like 2026-11-22; it is left out: remove it and enter it anew",
                    entry, quote(row.text(column))));
  }
  return date;
}

Site site_of(const Statement& row) {
  Site site{row.integer(0), row.text(1), row.text(2), row.text(3), minutes_in(row, 4), minutes_in(row, 5), {}};
  if (!row.null(6)) site.direction = parse_direction(row.text(6));
  return site;
}

std::vector<Site> sites(Connection& connection) {
  auto query =
      connection.prepare("SELECT id, code, name, zone, day_start, duplicate_window, direction FROM site ORDER BY id");
  std::vector<Site> found;
  while (query.step()) found.push_back(site_of(query));
  return found;
}

Hours hours_of(const Statement& row, int column) {
  Hours hours{Minutes(row.integer(column)), Minutes(row.integer(column + 1)), std::nullopt};
  if (!row.null(column + 2)) {
    hours.pause = {Minutes(row.integer(column + 2)), Minutes(row.integer(column + 3))};
  }
  return hours;
}

std::vector<Shift> shifts(Connection& connection) {
  auto query = connection.prepare(
      "SELECT id, code, name, grace, overtime_after, weekday, start, finish, pause_start, pause_finish "
      "FROM shift LEFT JOIN shift_hours ON shift_hours.shift = shift.id ORDER BY id");
  std::vector<Shift> found;
  while (query.step()) {
    if (found.empty() || found.back().id != query.integer(0)) {
      found.push_back(
          {query.integer(0), query.text(1), query.text(2), {}, Minutes(query.integer(3)), Minutes(query.integer(4))});
    }
    if (!query.null(5)) found.back().week.at(static_cast<std::size_t>(query.integer(5))) = hours_of(query, 6);
  }
  return found;
}

std::vector<Assignment> assignments(Connection& connection, Unreadable& unreadable) {
  auto query =
      connection.prepare("SELECT id, shift, person, team, site, from_date, until_date FROM assignment ORDER BY id");
  std::vector<Assignment> found;
  while (query.step()) {
    const auto entry = fmt::format("assignment a_{}", query.integer(0));
    const auto from = date_in(query, 5, entry, unreadable);
    const auto until = query.null(6) ? std::nullopt : date_in(query, 6, entry, unreadable);
    if (!from || until.has_value() == query.null(6)) continue;
    Assignment& assignment = found.emplace_back();
    assignment.id = query.integer(0);
    assignment.shift = query.integer(1);
    assignment.to = !query.null(2)   ? Assignment::To::person
                    : !query.null(3) ? Assignment::To::group
                                     : Assignment::To::site;
    assignment.person = query.integer(2);
    assignment.group = query.text(3);
    assignment.site = query.integer(4);
    assignment.from = *from;
    assignment.until = until;
  }
  return found;
}

std::vector<Holiday> holidays(Connection& connection, Unreadable& unreadable) {
  auto query = connection.prepare("SELECT id, date, name, site FROM holiday ORDER BY date, id");
  std::vector<Holiday> found;
  while (query.step()) {
    const auto date = date_in(query, 1, fmt::format("holiday h_{}", query.integer(0)), unreadable);
    if (!date) continue;
    found.push_back(
        {query.integer(0), *date, query.text(2), query.null(3) ? std::nullopt : std::optional(query.integer(3))});
  }
  return found;
}

std::vector<Placement> placements(Connection& connection, Unreadable& unreadable) {
  auto query = connection.prepare("SELECT person, from_date, team, site FROM placement ORDER BY person, from_date");
  std::vector<Placement> found;
  while (query.step()) {
    const auto from = date_in(query, 1, fmt::format("placement of p_{}", query.integer(0)), unreadable);
    if (from) found.push_back({query.integer(0), *from, query.text(2), query.text(3)});
  }
  return found;
}

void raise_revision(Connection& connection) {
  connection.execute("UPDATE calendar_revision SET revision = revision + 1");
}

bool known(Connection& connection, RecordStore::Entry entry, std::int64_t id) {
  const auto ask = [&](const char* sql) {
    auto query = connection.prepare(sql);
    query.bind(id);
    return query.step();
  };
  switch (entry) {
    case RecordStore::Entry::site: return ask("SELECT 1 FROM site WHERE id = ?1");
    case RecordStore::Entry::shift: return ask("SELECT 1 FROM shift WHERE id = ?1");
    case RecordStore::Entry::assignment: return ask("SELECT 1 FROM assignment WHERE id = ?1");
    case RecordStore::Entry::holiday: return ask("SELECT 1 FROM holiday WHERE id = ?1");
  }
  return false;
}

bool enrolled(Connection& connection, PersonId person) {
  auto query = connection.prepare("SELECT 1 FROM person WHERE id = ?1");
  query.bind(person);
  return query.step();
}

bool code_taken(Statement& query, std::string_view code, std::int64_t id) {
  query.bind(code, id);
  return query.step();
}

// The id the row was given, if it had none.
std::int64_t id_of(Connection& connection, std::int64_t id) { return id ? id : connection.last_row(); }
Number new_or(std::int64_t id) { return id ? Number(id) : std::nullopt; }

bool refers_to_nothing(Connection& connection, const Assignment& assignment) {
  if (!known(connection, RecordStore::Entry::shift, assignment.shift)) return true;
  switch (assignment.to) {
    case Assignment::To::person: return !enrolled(connection, assignment.person);
    case Assignment::To::site: return !known(connection, RecordStore::Entry::site, assignment.site);
    case Assignment::To::group: return false;
  }
  return true;
}

void write_hours(Connection& connection, ShiftId shift, const Shift& values) {
  connection.prepare("DELETE FROM shift_hours WHERE shift = ?1").bind(shift).run();
  for (std::size_t weekday = 0; weekday < values.week.size(); ++weekday) {
    const auto& hours = values.week[weekday];
    if (!hours) continue;
    const auto pause = [&](std::size_t i) { return hours->pause ? Number((*hours->pause)[i].count()) : std::nullopt; };
    connection
        .prepare(
            "INSERT INTO shift_hours (shift, weekday, start, finish, pause_start, pause_finish) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .bind(shift, static_cast<std::int64_t>(weekday), std::int64_t{hours->start.count()},
              std::int64_t{hours->end.count()}, pause(0), pause(1))
        .run();
  }
}

// Whether events, entries or people still name it.
bool in_use(Connection& connection, RecordStore::Entry entry, std::int64_t id) {
  if (entry != RecordStore::Entry::site && entry != RecordStore::Entry::shift) return false;
  auto query = connection.prepare(
      entry == RecordStore::Entry::shift
          ? "SELECT 1 FROM assignment WHERE shift = ?1"
          : "SELECT 1 WHERE EXISTS (SELECT 1 FROM event WHERE site = ?1) "
            "OR EXISTS (SELECT 1 FROM assignment WHERE site = ?1) OR EXISTS (SELECT 1 FROM holiday WHERE site = ?1) "
            "OR EXISTS (SELECT 1 FROM placement WHERE site = (SELECT code FROM site WHERE id = ?1))");
  query.bind(id);
  return query.step();
}

const char* removal_of(RecordStore::Entry entry) {
  switch (entry) {
    case RecordStore::Entry::site: return "DELETE FROM site WHERE id = ?1";
    case RecordStore::Entry::shift: return "DELETE FROM shift WHERE id = ?1";
    case RecordStore::Entry::assignment: return "DELETE FROM assignment WHERE id = ?1";
    case RecordStore::Entry::holiday: break;
  }
  return "DELETE FROM holiday WHERE id = ?1";
}

}  // namespace

std::int64_t SqliteRecordStore::revision() {
  Database::Read read(database_);
  return read->integer("SELECT revision FROM calendar_revision");
}

CalendarEntries SqliteRecordStore::calendar() {
  Database::Read read(database_);
  CalendarEntries entries;
  entries.revision = read->integer("SELECT revision FROM calendar_revision");
  entries.sites = sites(*read);
  entries.shifts = shifts(*read);
  entries.assignments = assignments(*read, entries.unreadable);
  entries.holidays = holidays(*read, entries.unreadable);
  entries.placements = placements(*read, entries.unreadable);
  return entries;
}

std::optional<SiteId> SqliteRecordStore::save(const Site& site) {
  Database::Write write(database_);
  if (site.id && !known(*write, Entry::site, site.id)) return std::nullopt;
  {
    auto query = write->prepare("SELECT 1 FROM site WHERE code = ?1 AND id <> ?2");
    if (code_taken(query, site.code, site.id)) return std::nullopt;
  }
  const std::optional<std::string_view> direction =
      site.direction ? std::optional(name_of(*site.direction)) : std::nullopt;
  write
      ->prepare(
          "INSERT INTO site (id, code, name, zone, day_start, duplicate_window, direction) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET code = ?2, name = ?3, zone = ?4, "
          "day_start = ?5, duplicate_window = ?6, direction = ?7")
      .bind(new_or(site.id), std::string_view(site.code), std::string_view(site.name), std::string_view(site.zone),
            number(site.day_start), number(site.duplicate_window), direction)
      .run();
  const auto id = id_of(*write, site.id);
  raise_revision(*write);
  write.commit();
  return id;
}

std::optional<ShiftId> SqliteRecordStore::save(const Shift& shift) {
  Database::Write write(database_);
  if (shift.id && !known(*write, Entry::shift, shift.id)) return std::nullopt;
  {
    auto query = write->prepare("SELECT 1 FROM shift WHERE code = ?1 AND id <> ?2");
    if (code_taken(query, shift.code, shift.id)) return std::nullopt;
  }
  write
      ->prepare(
          "INSERT INTO shift (id, code, name, grace, overtime_after) VALUES (?1, ?2, ?3, ?4, ?5) "
          "ON CONFLICT (id) DO UPDATE SET code = ?2, name = ?3, grace = ?4, overtime_after = ?5")
      .bind(new_or(shift.id), std::string_view(shift.code), std::string_view(shift.name),
            std::int64_t{shift.grace.count()}, std::int64_t{shift.overtime_after.count()})
      .run();
  const auto id = id_of(*write, shift.id);
  write_hours(*write, id, shift);
  raise_revision(*write);
  write.commit();
  return id;
}

std::optional<AssignmentId> SqliteRecordStore::save(const Assignment& assignment) {
  using To = Assignment::To;
  Database::Write write(database_);
  if (assignment.id && !known(*write, Entry::assignment, assignment.id)) return std::nullopt;
  if (refers_to_nothing(*write, assignment)) return std::nullopt;
  const std::string from = date_text(assignment.from), until = assignment.until ? date_text(*assignment.until) : "";
  const auto when = [&](To to, auto value) { return assignment.to == to ? std::optional(value) : std::nullopt; };
  write
      ->prepare(
          "INSERT INTO assignment (id, shift, person, team, site, from_date, until_date) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET shift = ?2, person = ?3, team = ?4, "
          "site = ?5, from_date = ?6, until_date = ?7")
      .bind(new_or(assignment.id), assignment.shift, when(To::person, assignment.person),
            when(To::group, std::string_view(assignment.group)), when(To::site, assignment.site),
            std::string_view(from), assignment.until ? std::optional<std::string_view>(until) : std::nullopt)
      .run();
  const auto id = id_of(*write, assignment.id);
  raise_revision(*write);
  write.commit();
  return id;
}

std::optional<HolidayId> SqliteRecordStore::save(const Holiday& holiday) {
  Database::Write write(database_);
  if (holiday.id && !known(*write, Entry::holiday, holiday.id)) return std::nullopt;
  if (holiday.site && !known(*write, Entry::site, *holiday.site)) return std::nullopt;
  const std::string date = date_text(holiday.date);
  {
    auto taken = write->prepare("SELECT 1 FROM holiday WHERE date = ?1 AND site IS ?2 AND id <> ?3");
    taken.bind(std::string_view(date), holiday.site, holiday.id);
    if (taken.step()) return std::nullopt;
  }
  write
      ->prepare(
          "INSERT INTO holiday (id, date, name, site) VALUES (?1, ?2, ?3, ?4) "
          "ON CONFLICT (id) DO UPDATE SET date = ?2, name = ?3, site = ?4")
      .bind(new_or(holiday.id), std::string_view(date), std::string_view(holiday.name), holiday.site)
      .run();
  const auto id = id_of(*write, holiday.id);
  raise_revision(*write);
  write.commit();
  return id;
}

bool SqliteRecordStore::save(const Placement& placement) {
  Database::Write write(database_);
  if (!enrolled(*write, placement.person)) return false;
  const std::string from = date_text(placement.from);
  write
      ->prepare(
          "INSERT INTO placement (person, from_date, team, site) VALUES (?1, ?2, ?3, ?4) "
          "ON CONFLICT DO UPDATE SET team = ?3, site = ?4")
      .bind(placement.person, std::string_view(from), std::string_view(placement.group),
            std::string_view(placement.site))
      .run();
  raise_revision(*write);
  write.commit();
  return true;
}

RecordStore::Removal SqliteRecordStore::remove(Entry entry, std::int64_t id) {
  Database::Write write(database_);
  if (!known(*write, entry, id)) return Removal::not_there;
  if (in_use(*write, entry, id)) return Removal::in_use;
  write->prepare(removal_of(entry)).bind(id).run();
  raise_revision(*write);
  write.commit();
  return Removal::removed;
}

bool SqliteRecordStore::remove_placement(PersonId person, Date from) {
  Database::Write write(database_);
  const std::string date = date_text(from);
  write->prepare("DELETE FROM placement WHERE person = ?1 AND from_date = ?2")
      .bind(person, std::string_view(date))
      .run();
  const bool removed = write->changes() == 1;
  raise_revision(*write);
  write.commit();
  return removed;
}

}  // namespace wajah::attendance
