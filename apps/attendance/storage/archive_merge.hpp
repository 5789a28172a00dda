// Merging a staged database into the folder's own, within one transaction.
#pragma once

#include "attendance/sqlite.hpp"
#include "attendance/storage/archive.hpp"
#include "attendance/storage/vault.hpp"

namespace wajah::attendance {

// `writer` sees the other database as `staged`, of the same schema and with templates sealed by `staged`; here they are
// sealed by `own` (null: lie open).
ImportReport merge_staged(sqlite::Connection& writer, const Vault& staged, const Vault* own);

}  // namespace wajah::attendance
