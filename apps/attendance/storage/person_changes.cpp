#include "attendance/storage/person_changes.hpp"

#include "attendance/storage/sql_values.hpp"
#include "attendance/storage/sqlite_audit_log.hpp"
#include "attendance/storage/sqlite_job_store.hpp"

namespace wajah::attendance {

namespace {

// Asked of the database, because whoever restores a backup knows a number and no NIK.
void forget_claims(sqlite::Connection& writer, PersonId person) {
  writer
      .prepare(
          "UPDATE attendance SET claimed_nik = '' "
          "WHERE person = ?1 OR claimed_nik = (SELECT nik FROM person WHERE id = ?1)")
      .bind(person)
      .run();
}

void note_erasure(sqlite::Connection& writer, PersonId person, Time at, bool forget) {
  writer
      .prepare(
          "INSERT OR IGNORE INTO erasure (person, at, forget) SELECT ?1, ?2, ?3 "
          "UNION ALL SELECT former, ?2, ?3 FROM merged WHERE merged.person = ?1")
      .bind(person, microseconds(at), int{forget})
      .run();
}

}  // namespace

Removed remove_person(sqlite::Connection& writer, const Person& person, Time at, bool forget) {
  Removed removed{person, 0};
  {
    auto count = writer.prepare("SELECT count(*) FROM photo WHERE person = ?1");
    if (count.bind(person.id).step()) removed.photos = count.integer(0);
  }
  erase_audit_texts(writer, person.id);
  if (forget) {
    forget_claims(writer, person.id);
    forget_in_jobs(writer, person.id);
  }
  note_erasure(writer, person.id, at, forget);
  writer.prepare("DELETE FROM person WHERE id = ?1").bind(person.id).run();
  return removed;
}

void touch_person(sqlite::Connection& writer, PersonId person, Time at) {
  writer.prepare("UPDATE person SET version = version + 1, updated_at = ?2 WHERE id = ?1")
      .bind(person, microseconds(at))
      .run();
}

}  // namespace wajah::attendance
