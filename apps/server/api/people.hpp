// People as the routes of /api/v1 find and change them; shared by people, faces, privacy and attendance.
#pragma once

#include "attendance/storage/people_store.hpp"
#include "server/api/backend.hpp"
#include "server/route.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace wajah::server {

// Whether the caller is of no site in particular or of the person's; people who were placed nowhere are of the main
// site.
[[nodiscard]] bool may_see(const Caller& caller, const attendance::PersonRecord& person);

// Whether the caller is of no site in particular or of this one, of a key or an account.
[[nodiscard]] bool may_manage(const Caller& caller, std::string_view site);

// The site of a person whom the caller makes or moves: `asked`, or the only one the caller may act at. Throws Problem
// (wrong_site).
[[nodiscard]] std::string site_for(const Caller& caller, std::string_view asked);

// Throws Problem (wrong_site) at a caller of one site: what follows reaches all of them.
void require_all_sites(const Request& request);

// The person of {id}, "p_12" or "nik:12345". Throws Problem (person_unknown), also about people of other sites to a
// caller of one.
[[nodiscard]] attendance::PersonRecord the_person(const Backend& backend, const Request& request);
[[nodiscard]] std::optional<attendance::PersonRecord> find_person(const Backend& backend, std::string_view id);

// The version that If-Match names; nothing without one or for "*". Throws Problem (changed_meanwhile) on a tag that is
// none of ours.
[[nodiscard]] std::optional<std::int64_t> wanted_version(const Request& request);

// The person with its ETag.
[[nodiscard]] Reply person_reply(const Backend& backend, int status, const attendance::PersonRecord& person);

// Throws the Problem that a fault stands for.
void refuse_fault(attendance::ChangeFault fault);

// Writes the audit row; what it is about is told by `subject`, a NIK or an id.
void audit(Backend& backend, const Request& request, std::string_view action,
           std::optional<attendance::PersonId> person, std::string_view subject,
           const boost::json::object& detail = {});

// Throws Problem (scope_missing) where a route needs more for some requests than for others.
void require_scope(const Request& request, Scope scope);

}  // namespace wajah::server
