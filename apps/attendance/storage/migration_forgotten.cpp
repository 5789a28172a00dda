#include "attendance/storage/migrations.hpp"

namespace wajah::attendance::migration {

// `forget`: the NIK was taken out of attendance as well, and is again when a backup is restored.
void forgotten(sqlite::Connection& writer) {
  writer.execute("ALTER TABLE erasure ADD COLUMN forget INTEGER NOT NULL DEFAULT 0 CHECK (forget IN (0, 1))");
}

}  // namespace wajah::attendance::migration
