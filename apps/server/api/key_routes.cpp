#include "server/access/roles.hpp"
#include "server/api/admin_routes.hpp"
#include "server/api/documented.hpp"
#include "server/api/people.hpp"
#include "server/api/values.hpp"
#include "server/problem.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace wajah::server {
namespace json = boost::json;
using attendance::ApiKey;

namespace {

json::object key_json(const ApiKey& key, const Backend& backend) {
  const auto& zone = backend.book.options().zone;
  json::array scopes;
  for (const auto& scope : key.scopes) scopes.push_back(json::value(scope));
  return {{"id", key.id},
          {"name", key.name},
          {"role", key.role.empty() ? json::value(nullptr) : json::value(key.role)},
          {"scopes", std::move(scopes)},
          {"site", key.site.empty() ? json::value(nullptr) : json::value(key.site)},
          {"created_at", rfc3339(key.created_at, zone)},
          {"expires_at", nullable_time(key.expires_at, zone)},
          {"revoked_at", nullable_time(key.revoked_at, zone)},
          {"last_used_at", nullable_time(key.last_used_at, zone)},
          {"in_force", key.in_force(backend.options.now())}};
}

Reply list_keys(Site& site, Request& request) {
  auto& backend = *site.backend;
  json::array items;
  for (const auto& key : backend.keys.keys()) {
    if (may_manage(request.caller, key.site)) items.push_back(key_json(key, backend));
  }
  return json_reply(200, {{"items", std::move(items)}, {"next_cursor", nullptr}});
}

void refuse_wider(const Caller& caller, const attendance::NewKey& key) {
  auto scopes = scopes_of_role(key.role);
  for (const auto& name : key.scopes) scopes.add(scope_named(name).value_or(Scope::admin));
  if (!caller.site || caller.scopes.includes(scopes)) return;
  throw Problem("scope_missing", "A key of one site issues none that may do more than it may itself.");
}

attendance::NewKey key_of(Backend& backend, const Request& request) {
  const auto& body = request.body;
  attendance::NewKey key;
  key.name = text_or(body, "name", "");
  key.role = text_or(body, "role", "");
  if (const auto* scopes = body.if_contains("scopes")) {
    for (const auto& scope : scopes->as_array()) key.scopes.emplace_back(scope.as_string());
  }
  key.site = site_for(request.caller, text_or(body, "site", ""));
  key.expires_at = time_in(body, "expires_at");
  if (!key.site.empty()) (void)backend.book.site(key.site);
  refuse_wider(request.caller, key);
  if (key.role.empty() && key.scopes.empty()) {
    throw Problem("validation_failed", "A key needs a role or scopes: without either it may do nothing.");
  }
  if (key.expires_at && *key.expires_at <= backend.options.now()) {
    throw Problem("validation_failed", "expires_at lies in the past.",
                  {error_entry({"body", "expires_at"}, "expected a time to come", "value_error")});
  }
  return key;
}

Reply issue_key(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto issued = backend.keys.issue(key_of(backend, request), backend.options.now());
  audit(backend, request, "key.issue", std::nullopt, issued.key.id);
  auto body = key_json(issued.key, backend);
  body["key"] = issued.text;
  auto reply = json_reply(201, body);
  reply.secret = true;
  return reply;
}

Reply revoke_key(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto& id = request.path.find("id")->second;
  const auto keys = backend.keys.keys();
  const auto found = std::ranges::find(keys, id, &ApiKey::id);
  const bool known = found != keys.end() && may_manage(request.caller, found->site);
  if (!known || !backend.keys.revoke(id, backend.options.now())) {
    throw Problem("not_found", "There is no key with this id that is in force.");
  }
  audit(backend, request, "key.revoke", std::nullopt, id);
  return empty_reply();
}

constexpr NamedSchema schemas[] = {
    {"Scope", R"({"type":"string","enum":["recognize","attendance:write","attendance:read","people:read",
      "people:write","embed","privacy","admin"]})"},
    {"Key", R"({"type":"object","required":["id","name","role","scopes","site","created_at","expires_at","revoked_at",
      "last_used_at","in_force"],"properties":{"id":{"type":"string"},"name":{"type":"string"},
      "role":{"type":["string","null"]},"scopes":{"type":"array","items":{"$ref":"#/components/schemas/Scope"}},
      "site":{"type":["string","null"]},"created_at":{"type":"string","format":"date-time"},
      "expires_at":{"type":["string","null"],"format":"date-time"},
      "revoked_at":{"type":["string","null"],"format":"date-time"},
      "last_used_at":{"type":["string","null"],"format":"date-time"},"in_force":{"type":"boolean"}},
      "additionalProperties":false})"},
    {"Keys", R"({"type":"object","required":["items","next_cursor"],"properties":{"items":{"type":"array",
      "items":{"$ref":"#/components/schemas/Key"}},"next_cursor":{"type":"null"}},"additionalProperties":false})"},
    {"NewKey", R"({"type":"object","required":["name"],"properties":{
      "name":{"type":"string","minLength":1,"maxLength":128},
      "role":{"type":"string","enum":["admin","hr","kiosk","auditor","viewer"]},
      "scopes":{"type":"array","maxItems":8,"items":{"$ref":"#/components/schemas/Scope"}},
      "site":{"type":"string","maxLength":64,"description":"the only site it is good for"},
      "expires_at":{"type":"string","format":"date-time"}},"additionalProperties":false})"},
    {"IssuedKey", R"({"type":"object","required":["id","name","role","scopes","site","created_at","expires_at",
      "revoked_at","last_used_at","in_force","key"],"properties":{"id":{"type":"string"},"name":{"type":"string"},
      "role":{"type":["string","null"]},"scopes":{"type":"array","items":{"$ref":"#/components/schemas/Scope"}},
      "site":{"type":["string","null"]},"created_at":{"type":"string","format":"date-time"},
      "expires_at":{"type":["string","null"],"format":"date-time"},
      "revoked_at":{"type":["string","null"],"format":"date-time"},
      "last_used_at":{"type":["string","null"],"format":"date-time"},"in_force":{"type":"boolean"},
      "key":{"type":"string","description":"told this once, never again"}},"additionalProperties":false})"},
};

constexpr Parameter issue_parameters[] = {idempotency_parameter};
constexpr Parameter revoke_parameters[] = {
    {Where::path, "id", "Of the key", R"({"type":"string","maxLength":64})", true}};
constexpr Answer list_answers[] = {
    ok("Keys", "All keys (to a key of one site: that site's), revoked ones included; never their secrets")};
constexpr Answer issue_answers[] = {created("IssuedKey", "The key, told this once"),
                                    problem(403, "The key belongs to another site, or may do less"), no_such,
                                    wrong_values};
constexpr Answer revoke_answers[] = {nothing("Refused from now on"), no_such};

constexpr Route table[] = {
    {.path = "/api/v1/keys",
     .tag = "administration",
     .summary = "API keys",
     .scope = Scope::admin,
     .lane = Lane::query,
     .answers = list_answers,
     .handle = list_keys,
     .shape = Shape::problem,
     .for_one_site = true},
    {.verb = Verb::post,
     .path = "/api/v1/keys",
     .tag = "administration",
     .summary = "Issue a key",
     .about = "Its text is in this answer and nowhere else. A key of one site issues keys of that site only, which may "
              "do no more than it may itself.",
     .scope = Scope::admin,
     .lane = Lane::manage,
     .body_limit = 8 * kib,
     .parameters = issue_parameters,
     .body = "NewKey",
     .answers = issue_answers,
     .handle = issue_key,
     .shape = Shape::problem,
     .for_one_site = true},
    {.verb = Verb::remove,
     .path = "/api/v1/keys/{id}",
     .tag = "administration",
     .summary = "Revoke a key",
     .scope = Scope::admin,
     .lane = Lane::manage,
     .parameters = revoke_parameters,
     .answers = revoke_answers,
     .handle = revoke_key,
     .shape = Shape::problem,
     .for_one_site = true},
};

}  // namespace

std::span<const Route> key_routes() { return table; }
std::span<const NamedSchema> key_schemas() { return schemas; }

}  // namespace wajah::server
