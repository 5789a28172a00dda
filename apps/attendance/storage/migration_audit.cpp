#include "attendance/storage/migrations.hpp"

namespace wajah::attendance::migration {

// `hash` covers the row and the hash before it. The texts that may name a person are covered through `digest` only,
// which `salt` keeps from being guessed: erasing a person takes the texts and the salt away, and the chain still holds.
void audit(sqlite::Connection& writer) {
  writer.execute(R"(
    CREATE TABLE audit (
      id INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      actor TEXT NOT NULL,
      action TEXT NOT NULL,
      person INTEGER,
      subject TEXT,
      detail TEXT,
      salt BLOB,
      digest BLOB NOT NULL,
      hash BLOB NOT NULL);
    CREATE INDEX audit_at ON audit(at);
    CREATE INDEX audit_person ON audit(person))");
}

}  // namespace wajah::attendance::migration
