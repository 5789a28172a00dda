#include "attendance/sqlite_store.hpp"

#include "attendance/storage/sql_values.hpp"
#include "attendance/stored_vector.hpp"

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

Person add_or_rename(Connection& connection, const Enrolment& enrolment, std::optional<std::string>& former_name) {
  if (auto person = find_person(connection, enrolment.nik)) {
    if (person->name != enrolment.name) {
      former_name = std::exchange(person->name, enrolment.name);
      connection.prepare("UPDATE person SET name = ?2 WHERE id = ?1").bind(person->id, person->name).run();
    }
    return *person;
  }
  connection.prepare("INSERT INTO person (nik, name, enrolled_at) VALUES (?1, ?2, ?3)")
      .bind(enrolment.nik, enrolment.name, microseconds(enrolment.at))
      .run();
  return {connection.last_row(), enrolment.nik, enrolment.name};
}

PhotoId add_photo(Connection& connection, PersonId person, const NewPhoto& photo, Time at) {
  connection.prepare("INSERT INTO photo (person, digest, width, height, added_at) VALUES (?1, ?2, ?3, ?4, ?5)")
      .bind(person, sqlite::Blob(photo.digest), photo.width, photo.height, microseconds(at))
      .run();
  return connection.last_row();
}

void keep_picture(Connection& connection, PhotoId photo, sqlite::Blob picture) {
  if (picture.empty()) return;
  connection.prepare("INSERT OR IGNORE INTO picture (photo, bytes) VALUES (?1, ?2)").bind(photo, picture).run();
}

void add_embedding(Connection& connection, PhotoId photo, std::string_view model, std::span<const float> values,
                   Time at) {
  const auto bytes = bytes_of(values);
  connection.prepare("INSERT INTO embedding (photo, model, vector, checksum, made_at) VALUES (?1, ?2, ?3, ?4, ?5)")
      .bind(photo, model, bytes, sqlite::Blob(checksum_of(photo, model, bytes)), microseconds(at))
      .run();
}

AttendanceRow attendance_row(const Statement& row) {
  AttendanceRow attendance{
      row.integer(0), time_of(row.integer(1)),         row.text(2), row.integer(3) != 0, std::nullopt,
      row.real(4),    static_cast<int>(row.integer(5))};
  if (!row.null(6)) attendance.person = person_of(row, 6);
  return attendance;
}

}  // namespace

std::vector<PersonSummary> SqliteStore::people() {
  Database::Read reader(database_);
  auto query = reader->prepare(
      "SELECT id, nik, name, enrolled_at, (SELECT count(*) FROM photo WHERE photo.person = person.id) "
      "FROM person ORDER BY id");
  std::vector<PersonSummary> people;
  while (query.step()) people.push_back({person_of(query, 0), query.integer(4), time_of(query.integer(3))});
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
      "SELECT photo.id, photo.person, embedding.vector, embedding.checksum FROM photo "
      "JOIN embedding ON embedding.photo = photo.id WHERE embedding.model = ?1 ORDER BY photo.person, photo.id");
  query.bind(model);
  Embeddings found;
  while (query.step()) {
    const PhotoId photo = query.integer(0);
    std::optional<std::vector<float>> values;
    if (checksum_fits(query.blob(3), photo, model, query.blob(2))) values = floats_of(query.blob(2));
    if (values) {
      found.intact.push_back({photo, query.integer(1), std::move(*values)});
    } else {
      ++found.damaged;
    }
  }
  return found;
}

std::optional<Enrolled> SqliteStore::enrol(const Enrolment& enrolment) {
  Database::Write write(database_);
  Enrolled enrolled;
  enrolled.person = add_or_rename(*write, enrolment, enrolled.former_name);
  auto photos = photos_by_digest(*write, enrolled.person.id, enrolment.model);
  const auto has_embedding = [&](const Digest& digest) {
    const auto photo = photos.find(digest);
    return photo != photos.end() && photo->second.second;
  };
  if (!std::ranges::all_of(enrolment.known, has_embedding)) return std::nullopt;
  for (const NewPhoto& photo : enrolment.photos) {
    if (has_embedding(photo.digest)) continue;
    const auto found = photos.find(photo.digest);
    const PhotoId id =
        found == photos.end() ? add_photo(*write, enrolled.person.id, photo, enrolment.at) : found->second.first;
    keep_picture(*write, id, photo.picture);
    add_embedding(*write, id, enrolment.model, photo.embedding, enrolment.at);
    photos[photo.digest] = {id, true};
    enrolled.added.push_back({id, enrolled.person.id, photo.embedding});
  }
  write.commit();
  return enrolled;
}

std::optional<Removed> SqliteStore::remove(std::string_view nik, std::string_view name) {
  Database::Write write(database_);
  const auto person = find_person(*write, nik);
  if (!person || person->name != name) return std::nullopt;
  Removed removed{*person, 0};
  {
    auto count = write->prepare("SELECT count(*) FROM photo WHERE person = ?1");
    count.bind(person->id);
    if (count.step()) removed.photos = count.integer(0);
  }
  write->prepare("DELETE FROM person WHERE id = ?1").bind(person->id).run();
  write.commit_erasing();
  return removed;
}

bool SqliteStore::record(const AttendanceRecord& record) {
  Database::Write write(database_);
  write
      ->prepare(
          "INSERT INTO attendance (at, claimed_nik, matched, person, accuracy, faces) "
          "SELECT ?1, ?2, ?3 IS NOT NULL, ?3, ?4, ?5 "
          "WHERE ?3 IS NULL OR EXISTS (SELECT 1 FROM person WHERE id = ?3)")
      .bind(microseconds(record.at), record.claimed_nik, record.person, record.accuracy, record.faces)
      .run();
  const bool written = write->changes() == 1;
  write.commit();
  return written;
}

std::vector<AttendanceRow> SqliteStore::attendance(Time from, Time to, std::int64_t after, std::size_t limit) {
  Database::Read reader(database_);
  auto query = reader->prepare(
      "SELECT attendance.id, at, claimed_nik, matched, accuracy, faces, person.id, person.nik, person.name "
      "FROM attendance LEFT JOIN person ON person.id = attendance.person "
      "WHERE at >= ?1 AND at < ?2 AND attendance.id > ?3 ORDER BY attendance.id LIMIT ?4");
  query.bind(microseconds(from), microseconds(to), after, static_cast<std::int64_t>(limit));
  std::vector<AttendanceRow> rows;
  while (query.step()) rows.push_back(attendance_row(query));
  return rows;
}

StoreCounts SqliteStore::counts(std::string_view model) {
  Database::Read reader(database_);
  auto query = reader->prepare(
      "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM photo), (SELECT count(*) FROM attendance), "
      "(SELECT count(*) FROM person WHERE NOT EXISTS (SELECT 1 FROM photo JOIN embedding ON embedding.photo = photo.id "
      "WHERE photo.person = person.id AND embedding.model = ?1))");
  query.bind(model);
  if (!query.step()) return {};
  return {query.integer(0), query.integer(1), query.integer(2), query.integer(3)};
}

std::vector<KeptPicture> SqliteStore::pictures_without(std::string_view model, PhotoId after, std::size_t limit) {
  Database::Read reader(database_);
  auto query = reader->prepare(
      "SELECT photo.id, photo.person, picture.bytes FROM photo JOIN picture ON picture.photo = photo.id "
      "WHERE photo.id > ?2 AND NOT EXISTS (SELECT 1 FROM embedding WHERE photo = photo.id AND model = ?1) "
      "ORDER BY photo.id LIMIT ?3");
  query.bind(model, after, static_cast<std::int64_t>(limit));
  std::vector<KeptPicture> pictures;
  while (query.step()) {
    const auto bytes = query.blob(2);
    pictures.push_back({query.integer(0), query.integer(1), {bytes.begin(), bytes.end()}});
  }
  return pictures;
}

std::vector<StoredEmbedding> SqliteStore::add_embeddings(std::string_view model,
                                                         std::span<const StoredEmbedding> embeddings, Time at) {
  Database::Write write(database_);
  std::vector<StoredEmbedding> added;
  for (const StoredEmbedding& embedding : embeddings) {
    auto wanted = write->prepare(
        "SELECT 1 FROM photo WHERE id = ?1 AND person = ?3 "
        "AND NOT EXISTS (SELECT 1 FROM embedding WHERE photo = ?1 AND model = ?2)");
    wanted.bind(embedding.photo, model, embedding.person);
    if (!wanted.step()) continue;
    add_embedding(*write, embedding.photo, model, embedding.values, at);
    added.push_back(embedding);
  }
  write.commit();
  return added;
}

}  // namespace wajah::attendance
