#include "attendance/storage/person_changes.hpp"

#include "attendance/storage/sql_values.hpp"
#include "attendance/storage/sqlite_audit_log.hpp"

namespace wajah::attendance {

Removed remove_person(sqlite::Connection& writer, const Person& person, Time at) {
  Removed removed{person, 0};
  {
    auto count = writer.prepare("SELECT count(*) FROM photo WHERE person = ?1");
    if (count.bind(person.id).step()) removed.photos = count.integer(0);
  }
  erase_audit_texts(writer, person.id);
  writer.prepare("INSERT OR IGNORE INTO erasure (person, at) VALUES (?1, ?2)").bind(person.id, microseconds(at)).run();
  writer.prepare("DELETE FROM person WHERE id = ?1").bind(person.id).run();
  return removed;
}

void touch_person(sqlite::Connection& writer, PersonId person, Time at) {
  writer.prepare("UPDATE person SET version = version + 1, updated_at = ?2 WHERE id = ?1")
      .bind(person, microseconds(at))
      .run();
}

}  // namespace wajah::attendance
