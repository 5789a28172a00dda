// Ids of the other database mean other things here. For each kind of row a temporary table says which row of ours a row
// of theirs is, or has become; whatever refers to it goes through that table.
#include "attendance/storage/archive_merge.hpp"

#include "attendance/storage/templates.hpp"
#include "attendance/text.hpp"

#include <wajah/text.hpp>

#include <fmt/format.h>

#include <utility>

namespace wajah::attendance {
namespace {

using sqlite::Connection;

std::int64_t insert(Connection& writer, const char* sql) {
  writer.prepare(sql).run();
  return writer.changes();
}

void drop_maps(Connection& writer) {
  writer.execute(
      "DROP TABLE IF EXISTS temp.erased_person; DROP TABLE IF EXISTS temp.same_person; DROP TABLE IF EXISTS "
      "temp.same_photo; DROP TABLE IF EXISTS "
      "temp.same_site; DROP TABLE IF EXISTS temp.same_shift; DROP TABLE IF EXISTS temp.same_event");
}

std::vector<std::string> conflicts(Connection& writer) {
  auto query = writer.prepare(
      "SELECT theirs.nik, theirs.name, ours.name FROM staged.person AS theirs JOIN main.person AS ours "
      "ON ours.nik = theirs.nik WHERE ours.name <> theirs.name ORDER BY theirs.id");
  std::vector<std::string> found;
  while (query.step()) {
    found.push_back(fmt::format("NIK {} is {} here and {} in the archive; left out, rename one of them first",
                                query.text(0), quote(query.text(2)), quote(query.text(1))));
  }
  return found;
}

// NIK and name become paths, log lines and messages here: what no request may bring, no archive may either.
void drop_unfit_people(Connection& writer, ImportReport& report) {
  std::vector<std::int64_t> unfit;
  {
    auto query = writer.prepare("SELECT id, nik, name FROM staged.person ORDER BY id");
    while (query.step()) {
      const bool nik = valid_nik(query.text(1));
      const auto name = fault_of_name(query.text(2));
      if (nik && !name) continue;
      unfit.push_back(query.integer(0));
      report.conflicts.push_back(fmt::format("NIK {} of the archive is left out: {}", quote(query.text(1)),
                                             nik ? "the name cannot be used: " + *name : "the NIK cannot be used"));
    }
  }
  for (const auto person : unfit) writer.prepare("DELETE FROM staged.person WHERE id = ?1").bind(person).run();
  writer.execute(
      "UPDATE staged.person SET metadata = '{}' WHERE NOT json_valid(metadata) OR json_type(metadata) <> 'object'");
}

// Whoever was erased here and would come back. Ids are the same in an archive of this very installation.
void find_erased(Connection& writer) {
  writer.execute(
      "CREATE TEMP TABLE erased_person AS SELECT theirs.id AS theirs, theirs.nik AS nik, forget FROM staged.person AS "
      "theirs JOIN main.erasure ON erasure.person = theirs.id WHERE "
      "(SELECT value FROM main.setting WHERE name = 'installation') = "
      "(SELECT value FROM staged.setting WHERE name = 'installation')");
}

void merge_people(Connection& writer, ImportReport& report) {
  drop_unfit_people(writer, report);
  find_erased(writer);
  for (auto& conflict : conflicts(writer)) report.conflicts.push_back(std::move(conflict));
  writer.execute(
      "CREATE TEMP TABLE same_person AS SELECT theirs.id AS theirs, ours.id AS ours, ours.id IS NOT NULL AS known "
      "FROM staged.person AS theirs LEFT JOIN main.person AS ours ON ours.nik = theirs.nik AND ours.name = theirs.name "
      "WHERE NOT EXISTS (SELECT 1 FROM main.person AS other WHERE other.nik = theirs.nik AND other.name <> "
      "theirs.name)");
  report.erased_before = insert(
      writer, "DELETE FROM temp.same_person WHERE NOT known AND theirs IN (SELECT theirs FROM temp.erased_person)");
  report.people_known = writer.integer("SELECT count(*) FROM temp.same_person WHERE known");
  report.people_added =
      insert(writer,
             "INSERT INTO main.person (nik, name, team, site, external_id, metadata, active, "
             "enrolled_at, updated_at) SELECT nik, name, team, site, CASE WHEN EXISTS (SELECT 1 FROM "
             "main.person AS ours WHERE ours.external_id = theirs.external_id) THEN NULL ELSE "
             "external_id END, metadata, active, enrolled_at, updated_at FROM staged.person AS theirs "
             "WHERE id IN (SELECT theirs FROM temp.same_person WHERE NOT known) ORDER BY id");
  writer.execute(
      "UPDATE temp.same_person SET ours = (SELECT ours.id FROM main.person AS ours JOIN staged.person AS theirs "
      "ON ours.nik = theirs.nik WHERE theirs.id = same_person.theirs) WHERE NOT known");
}

void merge_photos(Connection& writer, ImportReport& report) {
  writer.execute(
      "UPDATE main.person SET version = version + 1 WHERE id IN (SELECT ours FROM staged.photo AS photo "
      "JOIN temp.same_person ON theirs = photo.person WHERE known AND NOT EXISTS "
      "(SELECT 1 FROM main.photo AS own WHERE own.person = ours AND own.digest = photo.digest))");
  report.photos_added = insert(
      writer,
      "INSERT INTO main.photo (person, digest, width, height, added_at) "
      "SELECT ours, photo.digest, photo.width, photo.height, photo.added_at FROM staged.photo AS photo "
      "JOIN temp.same_person ON theirs = photo.person WHERE NOT EXISTS "
      "(SELECT 1 FROM main.photo AS own WHERE own.person = ours AND own.digest = photo.digest) ORDER BY photo.id");
  writer.execute(
      "CREATE TEMP TABLE same_photo AS SELECT photo.id AS theirs, own.id AS ours, photo.person AS their_person, "
      "own.person AS our_person FROM staged.photo AS photo JOIN temp.same_person ON same_person.theirs = photo.person "
      "JOIN main.photo AS own ON own.person = same_person.ours AND own.digest = photo.digest");
}

std::int64_t merge_embeddings(Connection& writer, const Vault& staged, const Vault* own) {
  std::int64_t added = 0;
  auto query = writer.prepare(
      "SELECT theirs, ours, their_person, our_person, model, made_at, vector, checksum, key FROM staged.embedding AS e "
      "JOIN temp.same_photo ON theirs = e.photo WHERE NOT EXISTS "
      "(SELECT 1 FROM main.embedding AS present WHERE present.photo = ours AND present.model = e.model)");
  while (query.step()) {
    const std::string model = query.text(4);
    const auto bytes = decode_template(&staged, {query.integer(2), query.integer(0), model}, query, 6);
    if (!bytes) continue;
    const auto row = encode_template(own, {query.integer(3), query.integer(1), model}, *bytes);
    writer
        .prepare(
            "INSERT INTO main.embedding (photo, model, vector, checksum, key, made_at) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .bind(query.integer(1), model, sqlite::Blob(row.bytes), sqlite::Blob(row.checksum), row.key, query.integer(5))
        .run();
    ++added;
  }
  return added;
}

std::int64_t merge_pictures(Connection& writer, const Vault& staged, const Vault* own) {
  std::int64_t added = 0;
  auto query = writer.prepare(
      "SELECT theirs, ours, their_person, our_person, bytes, checksum, key FROM staged.picture AS p "
      "JOIN temp.same_photo ON theirs = p.photo WHERE ours NOT IN (SELECT photo FROM main.picture)");
  while (query.step()) {
    const auto bytes = decode_template(&staged, {query.integer(2), query.integer(0), picture_kind}, query, 4);
    if (!bytes) continue;
    const auto row = encode_template(own, {query.integer(3), query.integer(1), picture_kind}, *bytes);
    writer.prepare("INSERT INTO main.picture (photo, bytes, checksum, key) VALUES (?1, ?2, ?3, ?4)")
        .bind(query.integer(1), sqlite::Blob(row.bytes), sqlite::Blob(row.checksum), row.key)
        .run();
    ++added;
  }
  return added;
}

void merge_attendance(Connection& writer, ImportReport& report) {
  report.attendance_added =
      insert(writer,
             "INSERT INTO main.attendance (at, claimed_nik, matched, person, accuracy, faces) "
             "SELECT row.at, row.claimed_nik, row.matched, ours, row.accuracy, row.faces FROM staged.attendance AS row "
             "LEFT JOIN temp.same_person ON theirs = row.person WHERE coalesce(row.person NOT IN "
             "(SELECT theirs FROM temp.erased_person WHERE theirs NOT IN (SELECT theirs FROM temp.same_person)), 1) "
             "AND row.claimed_nik NOT IN (SELECT nik FROM temp.erased_person WHERE forget AND nik NOT IN "
             "(SELECT nik FROM main.person)) AND NOT EXISTS (SELECT 1 FROM main.attendance AS own "
             "WHERE own.at = row.at AND own.claimed_nik = row.claimed_nik "
             // An archive's numbers are text, and what reads them may miss by the last bit.
             "AND abs(own.accuracy - row.accuracy) < 1e-9) ORDER BY row.id");
  report.consents_added =
      insert(writer,
             "INSERT INTO main.consent (person, text_version, channel, given_at, withdrawn_at) "
             "SELECT ours, row.text_version, row.channel, row.given_at, row.withdrawn_at FROM staged.consent AS row "
             "JOIN temp.same_person ON theirs = row.person WHERE NOT EXISTS (SELECT 1 FROM main.consent AS own "
             "WHERE own.person = ours AND own.given_at = row.given_at AND own.text_version = row.text_version) "
             "ORDER BY row.id");
  (void)insert(writer,
               "INSERT INTO main.setting SELECT * FROM staged.setting AS row WHERE name <> 'template_key' "
               "AND name NOT IN (SELECT name FROM main.setting)");
}

// A chain of hashes cannot be woven into another: it is taken whole where none has begun. People it is about have
// other ids here, which its hashes cover, so they stay as they were.
bool take_audit(Connection& writer) {
  const bool taken = writer.integer("SELECT count(*) FROM main.audit") == 0 &&
                     insert(writer, "INSERT INTO main.audit SELECT * FROM staged.audit ORDER BY id") > 0;
  if (taken) {
    writer.execute(
        "UPDATE main.audit SET subject = NULL, detail = NULL, salt = NULL "
        "WHERE person IN (SELECT theirs FROM temp.erased_person)");
  }
  return taken;
}

void merge_calendar(Connection& writer) {
  writer.execute(R"(
    INSERT INTO main.site (code, name, zone, day_start, duplicate_window, direction)
      SELECT code, name, zone, day_start, duplicate_window, direction FROM staged.site
      WHERE code NOT IN (SELECT code FROM main.site);
    CREATE TEMP TABLE same_site AS SELECT theirs.id AS theirs, own.id AS ours
      FROM staged.site AS theirs JOIN main.site AS own ON own.code = theirs.code;
    CREATE TEMP TABLE same_shift AS SELECT theirs.id AS theirs, theirs.code, own.id AS ours, own.id IS NOT NULL AS known
      FROM staged.shift AS theirs LEFT JOIN main.shift AS own ON own.code = theirs.code;
    INSERT INTO main.shift (code, name, grace, overtime_after)
      SELECT code, name, grace, overtime_after FROM staged.shift
      WHERE id IN (SELECT theirs FROM temp.same_shift WHERE NOT known);
    UPDATE temp.same_shift SET ours = (SELECT id FROM main.shift WHERE code = same_shift.code) WHERE NOT known;
    INSERT INTO main.shift_hours (shift, weekday, start, finish, pause_start, pause_finish)
      SELECT ours, weekday, start, finish, pause_start, pause_finish FROM staged.shift_hours
      JOIN temp.same_shift ON theirs = shift WHERE NOT known;
    INSERT INTO main.assignment (shift, person, team, site, from_date, until_date)
      SELECT same_shift.ours, same_person.ours, row.team, same_site.ours, row.from_date, row.until_date
      FROM staged.assignment AS row JOIN temp.same_shift ON same_shift.theirs = row.shift
      LEFT JOIN temp.same_person ON same_person.theirs = row.person
      LEFT JOIN temp.same_site ON same_site.theirs = row.site
      WHERE (row.person IS NULL OR same_person.ours IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM main.assignment AS own
        WHERE own.shift = same_shift.ours AND own.person IS same_person.ours AND own.team IS row.team
          AND own.site IS same_site.ours AND own.from_date = row.from_date);
    INSERT OR IGNORE INTO main.holiday (date, name, site)
      SELECT row.date, row.name, ours FROM staged.holiday AS row LEFT JOIN temp.same_site ON theirs = row.site;
    INSERT OR REPLACE INTO main.placement (person, from_date, team, site)
      SELECT ours, row.from_date, row.team, row.site FROM staged.placement AS row
      JOIN temp.same_person ON theirs = row.person WHERE NOT known;
    UPDATE main.calendar_revision SET revision = revision + 1)");
}

std::int64_t merge_events(Connection& writer) {
  // Events that are here already keep their ids; the others come after all of ours, in their own order.
  writer.execute(R"(
    CREATE TEMP TABLE same_event AS SELECT row.id AS theirs, same_person.ours AS person, same_site.ours AS site,
        coalesce((SELECT id FROM main.event AS own WHERE own.person IS same_person.ours AND own.site = same_site.ours
                    AND own.at = row.at AND own.direction = row.direction AND own.written_at = row.written_at),
                 row.id + (SELECT coalesce(max(id), 0) FROM main.event)) AS ours
      FROM staged.event AS row JOIN temp.same_site ON same_site.theirs = row.site
      LEFT JOIN temp.same_person ON same_person.theirs = row.person;
    CREATE INDEX temp.same_event_theirs ON same_event(theirs))");
  return insert(writer,
                "INSERT OR IGNORE INTO main.event (id, person, site, direction, at, date, zone, source, similarity, "
                "corrects, struck, reason, actor, written_at) "
                "SELECT same.ours, same.person, same.site, row.direction, row.at, row.date, row.zone, row.source, "
                "row.similarity, (SELECT other.ours FROM temp.same_event AS other WHERE other.theirs = row.corrects), "
                "row.struck, row.reason, row.actor, row.written_at "
                "FROM staged.event AS row JOIN temp.same_event AS same ON same.theirs = row.id "
                "WHERE same.ours NOT IN (SELECT id FROM main.event) AND (row.person IS NULL OR same.person IS NOT NULL "
                "OR row.person NOT IN (SELECT theirs FROM temp.erased_person)) ORDER BY row.id");
}

}  // namespace

ImportReport merge_staged(Connection& writer, const Vault& staged, const Vault* own) {
  ImportReport report;
  drop_maps(writer);
  merge_people(writer, report);
  merge_photos(writer, report);
  report.embeddings_added = merge_embeddings(writer, staged, own);
  report.pictures_added = merge_pictures(writer, staged, own);
  merge_attendance(writer, report);
  report.audit_taken = take_audit(writer);
  merge_calendar(writer);
  report.events_added = merge_events(writer);
  drop_maps(writer);
  return report;
}

}  // namespace wajah::attendance
