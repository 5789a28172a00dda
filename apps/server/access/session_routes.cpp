#include "server/access/session_routes.hpp"

#include "server/access/gatekeeper.hpp"
#include "server/access/roles.hpp"
#include "server/api/backend.hpp"
#include "server/api/people.hpp"
#include "server/problem.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <chrono>
#include <string>

namespace wajah::server {
namespace json = boost::json;
using attendance::Account;

namespace {

constexpr std::size_t kib = 1024;
constexpr std::string_view json_type = "application/json", problem_type = "application/problem+json";

std::string utc(attendance::Time at) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", std::chrono::floor<std::chrono::seconds>(at));
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }

std::string text_of(const json::object& values, std::string_view name) {
  const auto* value = values.if_contains(name);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

json::object account_json(const Account& account) {
  json::object result{{"name", account.name},
                      {"role", account.role},
                      {"site", text_or_null(account.site)},
                      {"active", account.active},
                      {"created_at", utc(account.created_at)},
                      {"last_login_at", nullptr}};
  if (account.last_login_at) result["last_login_at"] = utc(*account.last_login_at);
  return result;
}

json::object caller_json(const Caller& caller) {
  json::array scopes;
  for (const Scope scope : grantable_scopes) {
    if (caller.scopes.has(scope)) scopes.push_back(json::value(name_of(scope)));
  }
  return {{"name", caller.name},
          {"role", text_or_null(caller.role)},
          {"site", caller.site ? json::value(*caller.site) : json::value(nullptr)},
          {"scopes", std::move(scopes)},
          {"csrf", nullptr},
          {"expires_at", nullptr}};
}

Gatekeeper& gate(Site& site) {
  if (!site.gatekeeper) throw Problem("not_found", "This server keeps no accounts.");
  return *site.gatekeeper;
}

Account account_named(Gatekeeper& keeper, const Request& request) {
  const auto all = keeper.accounts().accounts();
  const auto found = std::ranges::find(all, request.path.find("name")->second, &Account::name);
  if (found == all.end() || !may_manage(request.caller, found->site)) {
    throw Problem("not_found", "There is no account of that name.");
  }
  return *found;
}

// The site of the account that the caller makes or changes: one that is there, and no other than the caller's own.
std::string checked_site(Site& site, const Request& request) {
  auto code = site_for(request.caller, text_of(request.body, "site"));
  if (code.empty()) return code;
  if (!site.backend) throw Problem("no_models", "Sites are known only to a server that was started with its models.");
  return site.backend->book.site(code).code;
}

void refuse_wider(const Caller& caller, std::string_view role) {
  if (!caller.site || caller.scopes.includes(scopes_of_role(role))) return;
  throw Problem("scope_missing", "A caller of one site gives no role that may do more than it may itself.");
}

Reply log_in(Site& site, Request& request) {
  auto& keeper = gate(site);
  const auto begun = keeper.log_in(request, text_of(request.body, "name"), text_of(request.body, "password"));
  auto body = caller_json({"user:" + begun.account.name, begun.account.role, scopes_of_role(begun.account.role),
                           begun.account.site.empty() ? std::nullopt : std::optional(begun.account.site), true});
  body["csrf"] = begun.session.csrf;
  body["expires_at"] = utc(begun.session.expires_at);
  return json_reply(200, body).with("Set-Cookie", keeper.cookie_of(begun.session));
}

Reply who_am_i(Site& site, Request& request) {
  auto body = caller_json(request.caller);
  if (site.gatekeeper) {
    if (const auto session = site.gatekeeper->session_of(request)) {
      body["csrf"] = session->csrf;
      body["expires_at"] = utc(session->expires_at);
    }
  }
  return json_reply(200, body);
}

Reply log_out(Site& site, Request& request) {
  auto& keeper = gate(site);
  keeper.log_out(request);
  return empty_reply().with("Set-Cookie", keeper.no_cookie());
}

Reply list_accounts(Site& site, Request& request) {
  json::array items;
  for (const auto& account : gate(site).accounts().accounts()) {
    if (may_manage(request.caller, account.site)) items.push_back(account_json(account));
  }
  return json_reply(200, {{"items", std::move(items)}, {"next_cursor", nullptr}});
}

Reply create_account(Site& site, Request& request) {
  auto& keeper = gate(site);
  const attendance::NewAccount wanted{text_of(request.body, "name"), text_of(request.body, "password"),
                                      text_of(request.body, "role"), checked_site(site, request)};
  refuse_wider(request.caller, wanted.role);
  const auto made = keeper.accounts().create(wanted, std::chrono::system_clock::now());
  if (!made) throw Problem("conflict", "There is an account of that name.");
  keeper.note(request, "account.create", made->name);
  return json_reply(201, account_json(*made));
}

Reply change_account(Site& site, Request& request) {
  auto& keeper = gate(site);
  const auto account = account_named(keeper, request);
  attendance::AccountChange change;
  const auto given = [&](std::string_view name) { return request.body.if_contains(name) != nullptr; };
  if (given("password")) change.password = text_of(request.body, "password");
  if (given("role")) change.role = text_of(request.body, "role");
  if (given("site")) change.site = checked_site(site, request);
  refuse_wider(request.caller, change.role.value_or(""));
  if (given("active")) change.active = request.body.at("active").as_bool();
  const auto changed = keeper.accounts().update(account.id, change);
  if (!changed) throw Problem("not_found", "There is no account of that name.");
  keeper.note(request, "account.change", changed->name);
  return json_reply(200, account_json(*changed));
}

Reply remove_account(Site& site, Request& request) {
  auto& keeper = gate(site);
  const auto account = account_named(keeper, request);
  if (!keeper.accounts().remove(account.id)) throw Problem("not_found", "There is no account of that name.");
  keeper.note(request, "account.remove", account.name);
  return empty_reply();
}

constexpr NamedSchema schemas[] = {
    {"LogIn", R"({"type":"object","required":["name","password"],"properties":{
      "name":{"type":"string","minLength":1,"maxLength":64},"password":{"type":"string","minLength":1,"maxLength":1024}},
      "additionalProperties":false})"},
    {"WhoAmI", R"({"type":"object","required":["name","role","site","scopes","csrf","expires_at"],"properties":{
      "name":{"type":"string"},"role":{"type":["string","null"]},"site":{"type":["string","null"]},
      "scopes":{"type":"array","items":{"type":"string"}},
      "csrf":{"type":["string","null"],"description":"for the header X-CSRF-Token of requests that change something"},
      "expires_at":{"type":["string","null"],"format":"date-time"}},"additionalProperties":false})"},
    {"Account",
     R"({"type":"object","required":["name","role","site","active","created_at","last_login_at"],"properties":{
      "name":{"type":"string"},"role":{"type":"string"},"site":{"type":["string","null"]},"active":{"type":"boolean"},
      "created_at":{"type":"string","format":"date-time"},"last_login_at":{"type":["string","null"],"format":"date-time"}},
      "additionalProperties":false})"},
    {"Accounts", R"({"type":"object","required":["items","next_cursor"],"properties":{"items":{"type":"array",
      "items":{"$ref":"#/components/schemas/Account"}},"next_cursor":{"type":"null"}},"additionalProperties":false})"},
    {"NewAccount", R"({"type":"object","required":["name","password","role"],"properties":{
      "name":{"type":"string","minLength":1,"maxLength":64},
      "password":{"type":"string","minLength":12,"maxLength":1024,"description":"length is what protects it"},
      "role":{"type":"string","enum":["admin","hr","kiosk","auditor","viewer"]},
      "site":{"type":"string","maxLength":64,"description":"the only site it is good for"}},
      "additionalProperties":false})"},
    {"AccountChange", R"({"type":"object","properties":{
      "password":{"type":"string","minLength":12,"maxLength":1024,"description":"ends the account's sessions"},
      "role":{"type":"string","enum":["admin","hr","kiosk","auditor","viewer"]},"site":{"type":"string","maxLength":64},
      "active":{"type":"boolean","description":"false ends its sessions"}},"additionalProperties":false})"},
};

constexpr Parameter name_parameters[] = {
    {Where::path, "name", "Of the account", R"({"type":"string","maxLength":64})", true}};
constexpr Answer too_many{429, "Too many wrong passwords came from this address", problem_type, "Problem"};
constexpr Answer wrong_values{422, "A value is missing or wrong; errors[] names each", problem_type, "Problem"};
constexpr Answer no_such{404, "There is none", problem_type, "Problem"};
constexpr Answer log_in_answers[] = {{200, "Logged in; the cookie is set", json_type, "WhoAmI"},
                                     {401, "Name and password do not fit", problem_type, "Problem"},
                                     wrong_values,
                                     too_many};
constexpr Answer who_answers[] = {
    {200, "The caller; anonymous with no scopes if nobody is known", json_type, "WhoAmI"}};
constexpr Answer out_answers[] = {{204, "Logged out", "", ""}};
constexpr Answer list_answers[] = {{200, "All accounts", json_type, "Accounts"}};
constexpr Answer create_answers[] = {
    {201, "Made", json_type, "Account"}, {409, "The name is taken", problem_type, "Problem"}, wrong_values};
constexpr Answer change_answers[] = {{200, "As it is now", json_type, "Account"}, no_such, wrong_values};
constexpr Answer remove_answers[] = {{204, "Removed; its sessions have ended", "", ""}, no_such};

constexpr Route row(Verb verb, std::string_view path, std::string_view summary, Scope scope,
                    std::span<const Answer> answers, Reply (*handle)(Site&, Request&), std::string_view body = {},
                    std::span<const Parameter> parameters = {}) {
  return {.verb = verb,
          .path = path,
          .tag = "accounts",
          .summary = summary,
          .scope = scope,
          .lane = Lane::query,
          .body_limit = body.empty() ? 0 : 8 * kib,
          .parameters = parameters,
          .body = body,
          .answers = answers,
          .handle = handle,
          .shape = Shape::problem,
          .without_models = true,
          .for_one_site = true};
}

constexpr Route table[] = {
    row(Verb::post, "/api/v1/session", "Log in", Scope::open, log_in_answers, log_in, "LogIn"),
    row(Verb::get, "/api/v1/session", "Who am I?", Scope::open, who_answers, who_am_i),
    row(Verb::remove, "/api/v1/session", "Log out", Scope::open, out_answers, log_out),
    row(Verb::get, "/api/v1/accounts", "Accounts", Scope::admin, list_answers, list_accounts),
    row(Verb::post, "/api/v1/accounts", "Make an account", Scope::admin, create_answers, create_account, "NewAccount"),
    row(Verb::patch, "/api/v1/accounts/{name}", "Change an account", Scope::admin, change_answers, change_account,
        "AccountChange", name_parameters),
    row(Verb::remove, "/api/v1/accounts/{name}", "Remove an account", Scope::admin, remove_answers, remove_account, {},
        name_parameters),
};

}  // namespace

std::span<const Route> session_routes() { return table; }
std::span<const NamedSchema> session_schemas() { return schemas; }

}  // namespace wajah::server
