// What several stores do to people, the same from whichever: removing them, and noting that they changed.
#pragma once

#include "attendance/sqlite.hpp"
#include "attendance/store.hpp"

namespace wajah::attendance {

// Within the caller's transaction, which commits erasing (Database::Write). Photos, templates, consents, deliveries and
// texts of the audit log go with the person; attendance stays without the link. The erasure is noted, so that a backup
// restored later loses them again, and whoever was merged into them. `forget` also takes their NIK out of attendance
// and of what jobs told.
Removed remove_person(sqlite::Connection& writer, const Person& person, Time at, bool forget);

// A new version of the person: something of them or of their photos changed.
void touch_person(sqlite::Connection& writer, PersonId person, Time at);

}  // namespace wajah::attendance
