#include "attendance/storage/sqlite_people_store.hpp"

#include "attendance/storage/page_mark.hpp"
#include "attendance/storage/person_changes.hpp"
#include "attendance/storage/sql_values.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace wajah::attendance {
namespace {

using sqlite::Connection;
using sqlite::Statement;

// A row of the view `listed`.
PersonRecord record_of(const Statement& row) {
  PersonRecord record;
  record.person = person_of(row, 0);
  record.details = {row.text(3), row.text(4), std::nullopt, row.text(6), row.integer(7) != 0};
  if (!row.null(5)) record.details.external_id = row.text(5);
  record.photos = row.integer(8);
  record.enrolled_at = time_of(row.integer(9));
  record.updated_at = time_of(row.integer(10));
  record.version = row.integer(11);
  return record;
}

std::optional<PersonRecord> find(Connection& connection, PersonId person) {
  auto query = connection.prepare("SELECT * FROM listed WHERE id = ?1");
  if (!query.bind(person).step()) return std::nullopt;
  return record_of(query);
}

// LIKE's pattern for texts that hold `text`: its own signs stand for themselves.
std::string pattern_of(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

constexpr std::string_view lacking =
    "(active = 1 AND NOT EXISTS (SELECT 1 FROM photo JOIN embedding ON embedding.photo = photo.id "
    "WHERE photo.person = listed.id AND embedding.model = ?5) "
    "AND NOT EXISTS (SELECT 1 FROM photo JOIN picture ON picture.photo = photo.id WHERE photo.person = listed.id))";

// Whom a query is about: parameters 1 to 6.
std::string matching() {
  return fmt::format(
      "FROM listed WHERE (name LIKE ?1 ESCAPE '\\' OR nik LIKE ?1 ESCAPE '\\' OR external_id LIKE ?1 ESCAPE '\\') "
      "AND (?2 IS NULL OR team = ?2) AND (?3 IS NULL OR site = ?3 OR (?3 = 'main' AND site = '')) "
      "AND (?4 IS NULL OR active = ?4) AND (?6 IS NULL OR {} = ?6)",
      lacking);
}

// `after`: what comes after the mark (?7, ?8) in this order.
std::string page_by(std::string_view after, std::string_view order) {
  return fmt::format("SELECT *, {} {} AND (?7 IS NULL OR {}) ORDER BY {} LIMIT ?9", lacking, matching(), after, order);
}

// A text for each order that stays where it is: a statement is kept under the address of its text.
Statement select_page(Connection& connection, PeopleOrder order) {
  static const std::string by_name = page_by("(name, id) > (?7, ?8)", "name, id"),
                           by_nik = page_by("(nik, id) > (?7, ?8)", "nik, id"), by_id = page_by("id > ?8", "id");
  switch (order) {
    case PeopleOrder::name: return connection.prepare(by_name.c_str());
    case PeopleOrder::nik: return connection.prepare(by_nik.c_str());
    case PeopleOrder::enrolled: break;
  }
  return connection.prepare(by_id.c_str());
}

std::string mark_after(const PersonRecord& record, PeopleOrder order) {
  switch (order) {
    case PeopleOrder::name: return text_of({record.person.name, record.person.id});
    case PeopleOrder::nik: return text_of({record.person.nik, record.person.id});
    case PeopleOrder::enrolled: break;
  }
  return text_of({"", record.person.id});
}

std::optional<std::int64_t> flag(const std::optional<bool>& value) {
  if (!value) return std::nullopt;
  return int{*value};
}

bool taken_by_another(Connection& connection, std::string_view external_id, PersonId person) {
  auto query = connection.prepare("SELECT 1 FROM person WHERE external_id = ?1 AND id <> ?2");
  return query.bind(external_id, person).step();
}

// Whether a consent was withdrawn and none has been given since.
bool withdrew(Connection& connection, PersonId person) {
  auto query = connection.prepare(
      "SELECT 1 FROM consent WHERE person = ?1 GROUP BY person HAVING count(*) = count(withdrawn_at)");
  return query.bind(person).step();
}

void insert(Connection& writer, const NewPerson& person) {
  const PersonDetails& details = person.details;
  writer
      .prepare(
          "INSERT INTO person (nik, name, team, site, external_id, metadata, active, enrolled_at, updated_at) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)")
      .bind(person.nik, person.name, details.group, details.site, details.external_id, details.metadata,
            int{details.active}, microseconds(person.at))
      .run();
}

void apply(Connection& writer, PersonId person, const PersonChange& change) {
  writer
      .prepare(
          "UPDATE person SET name = coalesce(?2, name), team = coalesce(?3, team), site = coalesce(?4, site), "
          "external_id = CASE WHEN ?5 IS NULL THEN external_id ELSE nullif(?5, '') END, "
          "metadata = coalesce(?6, metadata), active = coalesce(?7, active), version = version + 1, updated_at = ?8 "
          "WHERE id = ?1")
      .bind(person, change.name, change.group, change.site, change.external_id, change.metadata, flag(change.active),
            microseconds(change.at))
      .run();
}

// Photos of `from` that `into` does not have; the others go with `from`.
std::vector<PhotoId> photos_to_move(Connection& connection, PersonId from, PersonId into) {
  auto query = connection.prepare(
      "SELECT id FROM photo WHERE person = ?1 AND digest NOT IN (SELECT digest FROM photo WHERE person = ?2) "
      "ORDER BY id");
  query.bind(from, into);
  std::vector<PhotoId> photos;
  while (query.step()) photos.push_back(query.integer(0));
  return photos;
}

// What other tables hold of a person, given to another.
void give_rows(Connection& writer, PersonId from, PersonId into) {
  for (const char* update : {
           "UPDATE attendance SET person = ?2 WHERE person = ?1",
           "UPDATE consent SET person = ?2 WHERE person = ?1",
           "UPDATE delivery SET person = ?2 WHERE person = ?1",
           "UPDATE merged SET person = ?2 WHERE person = ?1",
           "UPDATE assignment SET person = ?2 WHERE person = ?1",
           "UPDATE event SET person = ?2 WHERE person = ?1",
       }) {
    writer.prepare(update).bind(from, into).run();
  }
}

}  // namespace

std::optional<PersonRecord> SqlitePeopleStore::person(PersonId person) {
  Database::Read read(database_);
  return find(*read, person);
}

std::optional<PersonRecord> SqlitePeopleStore::person_with(std::string_view nik) {
  Database::Read read(database_);
  auto query = read->prepare("SELECT * FROM listed WHERE nik = ?1");
  if (!query.bind(nik).step()) return std::nullopt;
  return record_of(query);
}

PeoplePage SqlitePeopleStore::search(const PeopleQuery& query) {
  const auto mark = mark_in(query.after);
  const std::string pattern = pattern_of(query.text);
  std::optional<std::string_view> key;
  if (mark) key = mark->key;
  Database::Read read(database_);
  auto rows = select_page(*read, query.order);
  rows.bind(pattern, query.group, query.site, flag(query.active), query.model, flag(query.needs_photos), key,
            mark ? mark->id : 0, static_cast<std::int64_t>(query.limit) + 1);
  PeoplePage page;
  while (rows.step()) {
    if (page.people.size() == query.limit) {  // there is one more, so this page is not the last
      page.next = page.people.empty() ? query.after : mark_after(page.people.back(), query.order);
      break;
    }
    page.people.push_back(record_of(rows));
    page.people.back().needs_photos = rows.integer(12) != 0;
  }
  return page;
}

std::int64_t SqlitePeopleStore::count(const PeopleQuery& query) {
  const std::string pattern = pattern_of(query.text);
  Database::Read read(database_);
  static const std::string text = "SELECT count(*) " + matching();
  auto rows = read->prepare(text.c_str());
  rows.bind(pattern, query.group, query.site, flag(query.active), query.model, flag(query.needs_photos));
  return rows.step() ? rows.integer(0) : 0;
}

PersonChanged SqlitePeopleStore::create(const NewPerson& person) {
  Database::Write write(database_);
  {
    auto taken = write->prepare("SELECT 1 FROM person WHERE nik = ?1");
    if (taken.bind(person.nik).step()) return {ChangeFault::nik_taken, {}, {}};
  }
  if (person.details.external_id && taken_by_another(*write, *person.details.external_id, 0)) {
    return {ChangeFault::external_id_taken, {}, {}};
  }
  insert(*write, person);
  PersonChanged created{ChangeFault::none, find(*write, write->last_row()), {}};
  write.commit();
  return created;
}

PersonChanged SqlitePeopleStore::update(PersonId person, const PersonChange& change,
                                        std::optional<std::int64_t> version) {
  Database::Write write(database_);
  auto former = find(*write, person);
  if (!former) return {ChangeFault::unknown_person, {}, {}};
  if (version && *version != former->version) return {ChangeFault::stale_version, std::move(former), {}};
  if (change.external_id && taken_by_another(*write, *change.external_id, person)) {
    return {ChangeFault::external_id_taken, std::move(former), {}};
  }
  if (change.active.value_or(false) && !former->details.active && withdrew(*write, person)) {
    return {ChangeFault::consent_missing, std::move(former), {}};
  }
  apply(*write, person, change);
  PersonChanged changed{ChangeFault::none, find(*write, person), {}};
  if (change.name && *change.name != former->person.name) changed.former_name = former->person.name;
  write.commit();
  return changed;
}

std::optional<Removed> SqlitePeopleStore::remove(PersonId person, bool forget, Time at,
                                                 std::optional<std::int64_t> version) {
  Database::Write write(database_);
  const auto record = find(*write, person);
  if (!record || (version && *version != record->version)) return std::nullopt;
  const Removed removed = remove_person(*write, record->person, at, forget);
  write.commit_erasing();
  return removed;
}

std::optional<Merged> SqlitePeopleStore::merge(PersonId from, PersonId into, Time at) {
  Database::Write write(database_);
  const auto former = find(*write, from);
  if (!former || !find(*write, into) || from == into) return std::nullopt;
  write->prepare("INSERT INTO merged (former, person, at) VALUES (?1, ?2, ?3)")
      .bind(from, into, microseconds(at))
      .run();
  Merged merged{{}, former->person, photos_to_move(*write, from, into)};
  for (const PhotoId photo : merged.moved) {
    reseal_templates(*write, database_.vault(), photo, from, into);
    write->prepare("UPDATE photo SET person = ?2 WHERE id = ?1").bind(photo, into).run();
  }
  give_rows(*write, from, into);
  touch_person(*write, into, at);
  write->prepare("DELETE FROM person WHERE id = ?1").bind(from).run();
  merged.into = find(*write, into).value();
  write.commit_erasing();
  return merged;
}

std::vector<PhotoRecord> SqlitePeopleStore::photos(PersonId person) {
  Database::Read read(database_);
  auto query = read->prepare(
      "SELECT id, width, height, added_at, EXISTS (SELECT 1 FROM picture WHERE photo = photo.id), "
      "(SELECT group_concat(model, ' ') FROM embedding WHERE photo = photo.id) "
      "FROM photo WHERE person = ?1 ORDER BY id");
  query.bind(person);
  std::vector<PhotoRecord> photos;
  while (query.step()) {
    photos.push_back({query.integer(0), static_cast<int>(query.integer(1)), static_cast<int>(query.integer(2)),
                      time_of(query.integer(3)), query.integer(4) != 0, split(query.text(5))});
  }
  return photos;
}

std::optional<std::vector<std::byte>> SqlitePeopleStore::picture(PersonId person, PhotoId photo) {
  Database::Read read(database_);
  auto query = read->prepare(
      "SELECT picture.bytes, picture.checksum, picture.key FROM picture JOIN photo ON photo.id = picture.photo "
      "WHERE photo.id = ?2 AND photo.person = ?1");
  if (!query.bind(person, photo).step()) return std::nullopt;
  auto bytes = decode_template(database_.vault(), {person, photo, picture_kind}, query, 0);
  if (!bytes) fail(ErrorKind::storage, "the kept picture of photo {} is damaged; restore a backup", photo);
  return bytes;
}

bool SqlitePeopleStore::remove_photo(PersonId person, PhotoId photo, Time at) {
  Database::Write write(database_);
  write->prepare("DELETE FROM photo WHERE id = ?2 AND person = ?1").bind(person, photo).run();
  if (write->changes() != 1) return false;
  touch_person(*write, person, at);
  write.commit_erasing();
  return true;
}

}  // namespace wajah::attendance
