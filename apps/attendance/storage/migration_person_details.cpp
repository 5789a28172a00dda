#include "attendance/storage/migrations.hpp"

namespace wajah::attendance::migration {

// `merged` says who went into whom: what else refers to people may follow them, and only them.
// `version` rises with every change of the person and of their photos: what a client saw is what it may change.
void person_details(sqlite::Connection& writer) {
  writer.execute(R"(
    ALTER TABLE person ADD COLUMN team TEXT NOT NULL DEFAULT '';
    ALTER TABLE person ADD COLUMN site TEXT NOT NULL DEFAULT '';
    ALTER TABLE person ADD COLUMN external_id TEXT;
    ALTER TABLE person ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE person ADD COLUMN active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1));
    ALTER TABLE person ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE person ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
    UPDATE person SET updated_at = enrolled_at;
    CREATE INDEX person_name ON person(name, id);
    CREATE UNIQUE INDEX person_external_id ON person(external_id) WHERE external_id IS NOT NULL;
    CREATE TABLE merged (
      former INTEGER PRIMARY KEY,
      person INTEGER NOT NULL,
      at INTEGER NOT NULL);
    CREATE VIEW listed AS
      SELECT id, nik, name, team, site, external_id, metadata, active,
             (SELECT count(*) FROM photo WHERE photo.person = person.id) AS photos, enrolled_at, updated_at, version
      FROM person)");
}

}  // namespace wajah::attendance::migration
