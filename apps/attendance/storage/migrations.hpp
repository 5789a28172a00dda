// The database's schema as an ordered list of steps forward. migrations()[i] makes schema i + 1 from schema i; each
// runs in one transaction, so a database is always of exactly one schema. Released steps never change: a new table or
// column is a new step at the end. A part with tables of its own (records/) declares its steps itself and has them
// listed here.
#pragma once

#include "attendance/sqlite.hpp"

#include <span>

namespace wajah::attendance {

struct Migration {
  const char* what;  // for people, in a few words
  void (*apply)(sqlite::Connection& writer);
};

[[nodiscard]] std::span<const Migration> migrations();

// The steps of the storage itself, each in a file storage/migration_<name>.cpp.
namespace migration {
void gallery(sqlite::Connection& writer);
void person_details(sqlite::Connection& writer);
void sealed_templates(sqlite::Connection& writer);
void accounts(sqlite::Connection& writer);
void audit(sqlite::Connection& writer);
void privacy(sqlite::Connection& writer);
void webhooks_and_jobs(sqlite::Connection& writer);
void forgotten(sqlite::Connection& writer);
}  // namespace migration

}  // namespace wajah::attendance
