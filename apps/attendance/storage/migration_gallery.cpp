#include "attendance/storage/migrations.hpp"

namespace wajah::attendance::migration {

// AUTOINCREMENT: a person's id is a classifier's label, and a label must never come to mean somebody else.
// Times are microseconds since 1970 in UTC. `checksum` covers photo, model and vector, so that neither a flipped bit
// nor a row moved elsewhere can match anybody.
void gallery(sqlite::Connection& writer) {
  writer.execute(R"(
    CREATE TABLE person (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      nik TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      enrolled_at INTEGER NOT NULL);
    CREATE TABLE photo (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      person INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,
      digest BLOB NOT NULL CHECK (length(digest) = 32),
      width INTEGER NOT NULL,
      height INTEGER NOT NULL,
      added_at INTEGER NOT NULL,
      UNIQUE (person, digest));
    CREATE TABLE picture (
      photo INTEGER PRIMARY KEY REFERENCES photo(id) ON DELETE CASCADE,
      bytes BLOB NOT NULL);
    CREATE TABLE embedding (
      photo INTEGER NOT NULL REFERENCES photo(id) ON DELETE CASCADE,
      model TEXT NOT NULL,
      vector BLOB NOT NULL,
      checksum BLOB NOT NULL,
      made_at INTEGER NOT NULL,
      PRIMARY KEY (photo, model)) WITHOUT ROWID;
    CREATE TABLE attendance (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      claimed_nik TEXT NOT NULL,
      matched INTEGER NOT NULL CHECK (matched IN (0, 1)),
      person INTEGER REFERENCES person(id) ON DELETE SET NULL,
      accuracy REAL NOT NULL,
      faces INTEGER NOT NULL);
    CREATE INDEX attendance_at ON attendance(at);
    CREATE INDEX attendance_person ON attendance(person);
    PRAGMA application_id = 0x77616A68)");
}

}  // namespace wajah::attendance::migration
