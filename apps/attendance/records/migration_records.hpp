// The schema step of attendance records; listed in storage/migrations.cpp.
#pragma once

#include "attendance/sqlite.hpp"

namespace wajah::attendance::migration {

void records(sqlite::Connection& writer);
void keys_of_actors(sqlite::Connection& writer);

}  // namespace wajah::attendance::migration
