#include "server/api/people.hpp"

#include "server/api/values.hpp"
#include "server/json.hpp"
#include "server/problem.hpp"

#include <fmt/format.h>

#include <charconv>

namespace wajah::server {
using attendance::ChangeFault;
using attendance::PersonRecord;

std::optional<PersonRecord> find_person(const Backend& backend, std::string_view id) {
  if (id.starts_with("nik:")) return backend.people.person_with(id.substr(4));
  const auto number = parse_id('p', id);
  return number ? backend.people.person(*number) : std::nullopt;
}

bool may_see(const Caller& caller, const PersonRecord& person) {
  if (!caller.site) return true;
  const auto& site = person.details.site;
  return *caller.site == (site.empty() ? attendance::main_site_code : site);
}

bool may_manage(const Caller& caller, std::string_view site) { return !caller.site || site == *caller.site; }

std::string site_for(const Caller& caller, std::string_view asked) {
  if (!caller.site) return std::string(asked);
  if (!asked.empty() && asked != *caller.site) {
    throw Problem("wrong_site", fmt::format("The key belongs to the site {}.", *caller.site));
  }
  return *caller.site;
}

void require_all_sites(const Request& request) {
  if (!request.caller.site) return;
  throw Problem("wrong_site",
                fmt::format("This concerns all sites; the key belongs to the site {} alone.", *request.caller.site));
}

PersonRecord the_person(const Backend& backend, const Request& request) {
  const auto& id = request.path.find("id")->second;
  auto person = find_person(backend, id);
  if (person && may_see(request.caller, *person)) return std::move(*person);
  throw Problem("person_unknown", fmt::format("Nobody has the id {}.", header_text(id)));
}

std::optional<std::int64_t> wanted_version(const Request& request) {
  auto tag = request.headers.get("if-match");
  if (tag.empty() || tag == "*") return std::nullopt;
  if (tag.size() > 2 && tag.front() == '"' && tag.back() == '"') tag = tag.substr(1, tag.size() - 2);
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(tag.data(), tag.data() + tag.size(), version);
  if (error == std::errc() && end == tag.data() + tag.size()) return version;
  throw Problem("changed_meanwhile", "If-Match is no ETag that this server has given.");
}

Reply person_reply(const Backend& backend, int status, const PersonRecord& person) {
  return json_reply(status, person_json(person, backend.book.options().zone))
      .with("ETag", fmt::format("\"{}\"", person.version));
}

void refuse_fault(ChangeFault fault) {
  switch (fault) {
    case ChangeFault::none: return;
    case ChangeFault::unknown_person: throw Problem("person_unknown", "The person was removed meanwhile.");
    case ChangeFault::stale_version: throw Problem("changed_meanwhile", "The person was changed since that ETag.");
    case ChangeFault::nik_taken: throw Problem("nik_taken", "Somebody has this NIK already.");
    case ChangeFault::consent_missing:
      throw Problem("consent_missing", "Consent was withdrawn; record a new one before the person is active again.");
    case ChangeFault::external_id_taken: throw Problem("conflict", "Somebody has this external_id already.");
  }
}

void audit(Backend& backend, const Request& request, std::string_view action,
           std::optional<attendance::PersonId> person, std::string_view subject, const boost::json::object& detail) {
  backend.audit.append(
      {backend.options.now(), request.caller.name, std::string(action), person, std::string(subject), to_text(detail)});
}

void require_scope(const Request& request, Scope scope) {
  if (request.caller.scopes.has(scope)) return;
  throw Problem("scope_missing", fmt::format("The scope {} is needed for this.", name_of(scope)));
}

}  // namespace wajah::server
