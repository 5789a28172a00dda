#include "attendance/storage/migrations.hpp"

namespace wajah::attendance::migration {

// `erasure` is kept for ever and names nobody: the ids of those a restored backup must lose again. `installation` tells
// whether a backup's ids are ours.
void privacy(sqlite::Connection& writer) {
  writer.execute(R"(
    CREATE TABLE setting (
      name TEXT PRIMARY KEY,
      value TEXT NOT NULL,
      updated_at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE consent (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      person INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,
      text_version TEXT NOT NULL,
      channel TEXT NOT NULL,
      given_at INTEGER NOT NULL,
      withdrawn_at INTEGER);
    CREATE INDEX consent_person ON consent(person);
    CREATE TABLE erasure (
      person INTEGER PRIMARY KEY,
      at INTEGER NOT NULL);
    INSERT INTO setting VALUES ('installation', lower(hex(randomblob(16))), 0))");
}

}  // namespace wajah::attendance::migration
