#include "attendance/sqlite_store.hpp"

#include "attendance/storage/person_changes.hpp"
#include "attendance/storage/sql_values.hpp"
#include "attendance/storage/templates.hpp"

#include <wajah/error.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace wajah::attendance {
namespace {

using sqlite::Connection;
using sqlite::Statement;

Digest stored_digest(sqlite::Blob blob) {
  Digest digest{};
  if (blob.size() != digest.size()) {
    fail(ErrorKind::storage, "database: a photo's digest has {} bytes, expected {}; restore a backup", blob.size(),
         digest.size());
  }
  std::ranges::copy(blob, digest.begin());
  return digest;
}

std::optional<Person> find_person(Connection& connection, std::string_view nik) {
  auto query = connection.prepare("SELECT id, nik, name FROM person WHERE nik = ?1");
  query.bind(nik);
  if (!query.step()) return std::nullopt;
  return person_of(query, 0);
}

// Photos of the person by digest, and whether they have an embedding of the model.
std::map<Digest, std::pair<PhotoId, bool>> photos_by_digest(Connection& connection, PersonId person,
                                                            std::string_view model) {
  std::map<Digest, std::pair<PhotoId, bool>> photos;
  auto query = connection.prepare(
      "SELECT photo.digest, photo.id, embedding.photo IS NOT NULL FROM photo "
      "LEFT JOIN embedding ON embedding.photo = photo.id AND embedding.model = ?2 WHERE photo.person = ?1");
  query.bind(person, model);
  while (query.step()) photos[stored_digest(query.blob(0))] = {query.integer(1), query.integer(2) != 0};
  return photos;
}

struct Enrollee {
  Person person;
  bool active = true, known = false;
};

std::optional<Enrollee> find_enrollee(Connection& connection, std::string_view nik) {
  auto query = connection.prepare("SELECT id, nik, name, active FROM person WHERE nik = ?1");
  if (!query.bind(nik).step()) return std::nullopt;
  return Enrollee{person_of(query, 0), query.integer(3) != 0, true};
}

bool consent_in_force(Connection& connection, PersonId person) {
  auto query = connection.prepare("SELECT 1 FROM consent WHERE person = ?1 AND withdrawn_at IS NULL");
  return query.bind(person).step();
}

// Asked within the transaction that stores: looking at the photos took long enough for anything to happen.
EnrolFault fault_of(Connection& connection, const Enrolment& enrolment, const std::optional<Enrollee>& known) {
  if (enrolment.person && (!known || known->person.id != *enrolment.person)) return EnrolFault::gone;
  if (known && !known->active) return EnrolFault::inactive;
  if (enrolment.consent && !(known && consent_in_force(connection, known->person.id))) return EnrolFault::no_consent;
  return EnrolFault::none;
}

Enrollee add_or_rename(Connection& connection, const Enrolment& enrolment, std::optional<Enrollee> known,
                       std::optional<std::string>& former_name) {
  if (known) {
    Person& person = known->person;
    if (!enrolment.person && person.name != enrolment.name) {
      former_name = std::exchange(person.name, enrolment.name);
      connection.prepare("UPDATE person SET name = ?2 WHERE id = ?1").bind(person.id, person.name).run();
    }
    return *known;
  }
  connection.prepare("INSERT INTO person (nik, name, enrolled_at, updated_at) VALUES (?1, ?2, ?3, ?3)")
      .bind(enrolment.nik, enrolment.name, microseconds(enrolment.at))
      .run();
  return {{connection.last_row(), enrolment.nik, enrolment.name}};
}

PhotoId add_photo(Connection& connection, PersonId person, const NewPhoto& photo, Time at) {
  connection.prepare("INSERT INTO photo (person, digest, width, height, added_at) VALUES (?1, ?2, ?3, ?4, ?5)")
      .bind(person, sqlite::Blob(photo.digest), photo.width, photo.height, microseconds(at))
      .run();
  return connection.last_row();
}

void keep_picture(Connection& connection, const Vault* vault, PersonId person, PhotoId photo, sqlite::Blob picture) {
  if (picture.empty()) return;
  const auto row = encode_template(vault, {person, photo, picture_kind}, picture);
  connection.prepare("INSERT OR IGNORE INTO picture (photo, bytes, checksum, key) VALUES (?1, ?2, ?3, ?4)")
      .bind(photo, sqlite::Blob(row.bytes), sqlite::Blob(row.checksum), row.key)
      .run();
}

void add_embedding(Connection& connection, const Vault* vault, const TemplatePlace& place,
                   std::span<const float> values, Time at) {
  const auto row = encode_template(vault, place, bytes_of(values));
  connection
      .prepare("INSERT INTO embedding (photo, model, vector, checksum, key, made_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
      .bind(place.photo, place.kind, sqlite::Blob(row.bytes), sqlite::Blob(row.checksum), row.key, microseconds(at))
      .run();
}

AttendanceRow attendance_row(const Statement& row) {
  AttendanceRow attendance{
      row.integer(0), time_of(row.integer(1)),         row.text(2), row.integer(3) != 0, std::nullopt,
      row.real(4),    static_cast<int>(row.integer(5))};
  if (!row.null(6)) attendance.person = person_of(row, 6);
  return attendance;
}

std::vector<AttendanceRow> attendance_rows(Statement& query) {
  std::vector<AttendanceRow> rows;
  while (query.step()) rows.push_back(attendance_row(query));
  return rows;
}

}  // namespace

std::vector<PersonSummary> SqliteStore::people() {
  Database::Read reader(database_);
  auto query = reader->prepare(
      "SELECT id, nik, name, enrolled_at, (SELECT count(*) FROM photo WHERE photo.person = person.id), active "
      "FROM person ORDER BY id");
  std::vector<PersonSummary> people;
  while (query.step()) {
    people.push_back({person_of(query, 0), query.integer(4), time_of(query.integer(3)), query.integer(5) != 0});
  }
  return people;
}

std::optional<Person> SqliteStore::find(std::string_view nik) {
  Database::Read reader(database_);
  return find_person(*reader, nik);
}

std::vector<Digest> SqliteStore::photos_of(std::string_view nik, std::string_view model) {
  Database::Read reader(database_);
  auto query = reader->prepare(
      "SELECT photo.digest FROM person JOIN photo ON photo.person = person.id "
      "JOIN embedding ON embedding.photo = photo.id AND embedding.model = ?2 WHERE person.nik = ?1 ORDER BY photo.id");
  query.bind(nik, model);
  std::vector<Digest> digests;
  while (query.step()) digests.push_back(stored_digest(query.blob(0)));
  return digests;
}

Embeddings SqliteStore::embeddings(std::string_view model) {
  Database::Read reader(database_);
  auto query = reader->prepare(
      "SELECT photo.id, photo.person, embedding.vector, embedding.checksum, embedding.key FROM photo "
      "JOIN embedding ON embedding.photo = photo.id JOIN person ON person.id = photo.person AND person.active = 1 "
      "WHERE embedding.model = ?1 ORDER BY photo.person, photo.id");
  query.bind(model);
  Embeddings found;
  while (query.step()) {
    const PhotoId photo = query.integer(0);
    const PersonId person = query.integer(1);
    const auto bytes = decode_template(database_.vault(), {person, photo, model}, query, 2);
    auto values = bytes ? floats_of(*bytes) : std::nullopt;
    if (values) {
      found.intact.push_back({photo, person, std::move(*values)});
    } else {
      ++found.damaged;
    }
  }
  return found;
}

std::optional<Enrolled> SqliteStore::enrol(const Enrolment& enrolment) {
  Database::Write write(database_);
  Enrolled enrolled;
  auto known = find_enrollee(*write, enrolment.nik);
  enrolled.fault = fault_of(*write, enrolment, known);
  if (enrolled.fault != EnrolFault::none) return enrolled;
  const Enrollee enrollee = add_or_rename(*write, enrolment, std::move(known), enrolled.former_name);
  const PersonId person = enrollee.person.id;
  enrolled.person = enrollee.person;
  auto photos = photos_by_digest(*write, person, enrolment.model);
  const auto has_embedding = [&](const Digest& digest) {
    const auto photo = photos.find(digest);
    return photo != photos.end() && photo->second.second;
  };
  if (!std::ranges::all_of(enrolment.known, has_embedding)) return std::nullopt;
  for (const NewPhoto& photo : enrolment.photos) {
    if (has_embedding(photo.digest)) continue;
    const auto found = photos.find(photo.digest);
    const PhotoId id = found == photos.end() ? add_photo(*write, person, photo, enrolment.at) : found->second.first;
    keep_picture(*write, database_.vault(), person, id, photo.picture);
    add_embedding(*write, database_.vault(), {person, id, enrolment.model}, photo.embedding, enrolment.at);
    photos[photo.digest] = {id, true};
    enrolled.added.push_back({id, person, photo.embedding});
  }
  if (enrollee.known && (enrolled.former_name || !enrolled.added.empty())) touch_person(*write, person, enrolment.at);
  write.commit();
  return enrolled;
}

std::optional<Removed> SqliteStore::remove(std::string_view nik, std::string_view name) {
  Database::Write write(database_);
  const auto person = find_person(*write, nik);
  if (!person || person->name != name) return std::nullopt;
  const Removed removed = remove_person(*write, *person, std::chrono::system_clock::now(), false);
  write.commit_erasing();
  return removed;
}

bool SqliteStore::record(const AttendanceRecord& record) {
  Database::Write write(database_);
  write
      ->prepare(
          "INSERT INTO attendance (at, claimed_nik, matched, person, accuracy, faces) "
          "SELECT ?1, ?2, ?3 IS NOT NULL, ?3, ?4, ?5 "
          "WHERE ?3 IS NULL OR EXISTS (SELECT 1 FROM person WHERE id = ?3 AND active = 1)")
      .bind(microseconds(record.at), record.claimed_nik, record.person, record.accuracy, record.faces)
      .run();
  const bool written = write->changes() == 1;
  write.commit();
  return written;
}

std::int64_t SqliteStore::record_past(std::span<const AttendanceRecord> records) {
  Database::Write write(database_);
  std::int64_t added = 0;
  for (const AttendanceRecord& record : records) {
    write
        ->prepare(
            "INSERT INTO attendance (at, claimed_nik, matched, person, accuracy, faces) "
            "SELECT ?1, ?2, ?3 IS NOT NULL, (SELECT id FROM person WHERE id = ?3), ?4, ?5 "
            "WHERE NOT EXISTS (SELECT 1 FROM attendance WHERE at = ?1 AND claimed_nik = ?2)")
        .bind(microseconds(record.at), record.claimed_nik, record.person, record.accuracy, record.faces)
        .run();
    added += write->changes();
  }
  write.commit();
  return added;
}

std::vector<AttendanceRow> SqliteStore::attendance(Time from, Time to, std::int64_t after, std::size_t limit) {
  Database::Read reader(database_);
  auto query = reader->prepare(
      "SELECT attendance.id, at, claimed_nik, matched, accuracy, faces, person.id, person.nik, person.name "
      "FROM attendance LEFT JOIN person ON person.id = attendance.person "
      "WHERE at >= ?1 AND at < ?2 AND attendance.id > ?3 ORDER BY attendance.id LIMIT ?4");
  query.bind(microseconds(from), microseconds(to), after, static_cast<std::int64_t>(limit));
  return attendance_rows(query);
}

std::vector<AttendanceRow> SqliteStore::attendance_of(const Person& person) {
  Database::Read reader(database_);
  auto query = reader->prepare(
      "SELECT attendance.id, at, claimed_nik, matched, accuracy, faces, person.id, person.nik, person.name "
      "FROM attendance LEFT JOIN person ON person.id = attendance.person "
      "WHERE attendance.person = ?1 OR claimed_nik = ?2 ORDER BY attendance.id");
  query.bind(person.id, person.nik);
  return attendance_rows(query);
}

std::int64_t SqliteStore::prune(Time before) {
  Database::Write write(database_);
  write->prepare("DELETE FROM attendance WHERE at < ?1").bind(microseconds(before)).run();
  const auto erased = write->changes();
  write.commit_erasing();
  return erased;
}

StoreCounts SqliteStore::counts(std::string_view model) {
  Database::Read reader(database_);
  auto query = reader->prepare(
      "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM photo), (SELECT count(*) FROM attendance), "
      "(SELECT count(*) FROM person WHERE active = 1 "
      "AND EXISTS (SELECT 1 FROM photo WHERE photo.person = person.id) AND NOT EXISTS "
      "(SELECT 1 FROM photo JOIN embedding ON embedding.photo = photo.id WHERE photo.person = person.id "
      "AND embedding.model = ?1)), "
      "(SELECT count(*) FROM picture JOIN photo ON photo.id = picture.photo "
      "JOIN person ON person.id = photo.person AND person.active = 1 WHERE NOT EXISTS "
      "(SELECT 1 FROM embedding WHERE embedding.photo = picture.photo AND embedding.model = ?1))");
  query.bind(model);
  if (!query.step()) return {};
  return {query.integer(0), query.integer(1), query.integer(2), query.integer(3), query.integer(4)};
}

std::vector<WaitingPerson> SqliteStore::waiting(std::string_view model) {
  Database::Read reader(database_);
  auto query = reader->prepare(
      "SELECT person.id, person.nik, person.name, count(picture.photo) FROM person "
      "JOIN photo ON photo.person = person.id LEFT JOIN picture ON picture.photo = photo.id "
      "WHERE person.active = 1 AND NOT EXISTS (SELECT 1 FROM photo AS other JOIN embedding ON embedding.photo = "
      "other.id "
      "WHERE other.person = person.id AND embedding.model = ?1) GROUP BY person.id ORDER BY person.id");
  query.bind(model);
  std::vector<WaitingPerson> people;
  while (query.step()) people.push_back({person_of(query, 0), query.integer(3)});
  return people;
}

std::vector<KeptPicture> SqliteStore::pictures_without(std::string_view model, PhotoId after, std::size_t limit) {
  Database::Read reader(database_);
  auto query = reader->prepare(
      "SELECT photo.id, photo.person, picture.bytes, picture.checksum, picture.key FROM photo "
      "JOIN picture ON picture.photo = photo.id JOIN person ON person.id = photo.person AND person.active = 1 "
      "WHERE photo.id > ?2 AND NOT EXISTS (SELECT 1 FROM embedding WHERE photo = photo.id AND model = ?1) "
      "ORDER BY photo.id");
  query.bind(model, after);
  std::vector<KeptPicture> pictures;
  while (pictures.size() < limit && query.step()) {
    const PhotoId photo = query.integer(0);
    const PersonId person = query.integer(1);
    auto bytes = decode_template(database_.vault(), {person, photo, picture_kind}, query, 2);
    if (bytes) pictures.push_back({photo, person, std::move(*bytes)});
  }
  return pictures;
}

std::vector<StoredEmbedding> SqliteStore::add_embeddings(std::string_view model,
                                                         std::span<const StoredEmbedding> embeddings, Time at) {
  Database::Write write(database_);
  std::vector<StoredEmbedding> added;
  for (const StoredEmbedding& embedding : embeddings) {
    auto wanted = write->prepare(
        "SELECT 1 FROM photo JOIN person ON person.id = photo.person AND person.active = 1 "
        "WHERE photo.id = ?1 AND photo.person = ?3 "
        "AND NOT EXISTS (SELECT 1 FROM embedding WHERE photo = ?1 AND model = ?2)");
    wanted.bind(embedding.photo, model, embedding.person);
    if (!wanted.step()) continue;
    add_embedding(*write, database_.vault(), {embedding.person, embedding.photo, model}, embedding.values, at);
    added.push_back(embedding);
  }
  write.commit();
  return added;
}

}  // namespace wajah::attendance
