#include "server/access/gatekeeper.hpp"

#include "server/access/roles.hpp"
#include "server/json.hpp"
#include "server/problem.hpp"
#include "server/router.hpp"
#include "server/text.hpp"

#include <fmt/format.h>
#include <sodium.h>
#include <boost/json/object.hpp>

#include <algorithm>
#include <utility>

namespace wajah::server {
namespace {

using attendance::Session;

constexpr std::string_view cookie_name = "wajah_session";

// Authorization: Bearer wjh_..., or x-api-key. Other schemes are a proxy's own and none of our business.
std::optional<std::string_view> shown_key(const Headers& headers) {
  const auto authorization = headers.get("authorization");
  if (equal_ignoring_case(authorization.substr(0, 7), "Bearer ")) return trim(authorization.substr(7));
  if (const auto* key = headers.find("x-api-key")) return trim(*key);
  return std::nullopt;
}

std::string_view cookie(const Headers& headers) {
  auto list = headers.get("cookie");
  while (!list.empty()) {
    const auto end = std::min(list.find(';'), list.size());
    const auto entry = trim(list.substr(0, end));
    const auto equals = entry.find('=');
    if (equals != std::string_view::npos && entry.substr(0, equals) == cookie_name) return entry.substr(equals + 1);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return {};
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool changes_something(const Request& request) { return request.method != "GET" && request.method != "HEAD"; }

bool is_original(const Route& route) {
  return route.path == "/upload" || route.path == "/recognize" || route.path == "/hapus";
}

std::optional<std::string> site_of(const std::string& site) {
  return site.empty() ? std::nullopt : std::optional(site);
}

Caller caller_of(const attendance::ApiKey& key) {
  Caller caller{"key:" + key.id, key.role, scopes_of_role(key.role), site_of(key.site), true};
  for (const auto& name : key.scopes) {
    if (const auto scope = scope_named(name)) caller.scopes.add(*scope);
  }
  return caller;
}

Caller caller_of(const attendance::Account& account) {
  return {"user:" + account.name, account.role, scopes_of_role(account.role), site_of(account.site), true};
}

}  // namespace

Gatekeeper::Gatekeeper(attendance::KeyStore& keys, attendance::AccountStore& accounts, GateOptions options)
    : keys_(keys), accounts_(accounts), options_(std::move(options)), attempts_(options_.failures_per_minute) {}

std::variant<Caller, Reply> Gatekeeper::admit(const Request& request, const Route& route) {
  const auto origin = origin_of(request, options_.proxies);
  if (const auto key = shown_key(request.headers)) return admit_key(*key, origin, request, route);
  if (const auto session = session_of(request)) return admit_session(*session, request, route);
  return admit_stranger(origin, route);
}

std::variant<Caller, Reply> Gatekeeper::admit_key(std::string_view key, const Origin& origin, const Request& request,
                                                  const Route& route) {
  // A right key passes whatever others behind the same address have tried: 256 random bits are not guessed.
  if (const auto found = keys_.check(key, options_.now())) return caller_of(*found);
  if (route.scope == Scope::open) return Caller{};
  const auto wait = attempts_.wait(origin.address, options_.ticks());
  if (wait.count() > 0) {
    return failed(route, request, 429, "Too many wrong keys came from this address", "too_many_requests")
        .with("Retry-After", std::to_string(wait.count()));
  }
  note_failure(origin, "auth.key_refused", "");
  return failed(route, request, 401, "The key is unknown, expired or revoked", "key_invalid");
}

std::variant<Caller, Reply> Gatekeeper::admit_session(const Session& session, const Request& request,
                                                      const Route& route) const {
  // A cookie goes along with every request of the browser, whoever made it send one; the token only with our pages'.
  const bool guarded = changes_something(request) && route.scope != Scope::open;
  if (guarded && !equal_in_constant_time(request.headers.get("x-csrf-token"), session.csrf)) {
    return failed(route, request, 403, "The header X-CSRF-Token is missing or not that of the session", "cross_site");
  }
  return caller_of(session.account);
}

Caller Gatekeeper::admit_stranger(const Origin& origin, const Route& route) const {
  if (origin.is_local && !options_.required) return trusted_caller();
  const bool open =
      (options_.original_open && is_original(route)) || (options_.metrics_open && route.path == "/metrics");
  Caller caller;
  if (open) caller.scopes.add(route.scope);
  return caller;
}

void Gatekeeper::note_failure(const Origin& origin, std::string_view action, std::string_view subject) {
  attempts_.fail(origin.address, options_.ticks());
  attendance::AuditEvent event;
  event.at = options_.now();
  event.actor = "anonymous";
  event.action = action;
  event.subject = subject;
  event.detail = to_text(boost::json::object{{"address", origin.address}});
  options_.audit(std::move(event));
}

void Gatekeeper::note(const Request& request, std::string_view action, std::string_view subject) const {
  attendance::AuditEvent event;
  event.at = options_.now();
  event.actor = request.caller.name;
  event.action = action;
  event.subject = subject;
  options_.audit(std::move(event));
}

LoggedIn Gatekeeper::log_in(const Request& request, std::string_view name, std::string_view password) {
  const auto origin = origin_of(request, options_.proxies);
  const auto wait = attempts_.wait(origin.address, options_.ticks());
  if (wait.count() > 0) {
    throw Problem("too_many_requests",
                  fmt::format("Too many wrong passwords came from this address; wait {} seconds.", wait.count()));
  }
  const auto now = options_.now();
  auto account = accounts_.log_in(name, password, now);
  if (!account) {
    note_failure(origin, "auth.password_refused", name.substr(0, 64));
    throw Problem("key_invalid", "Name and password do not fit, or the account is not active.");
  }
  auto session = accounts_.open_session(account->id, now, options_.session_length);
  attendance::AuditEvent event;
  event.at = now;
  event.actor = "user:" + account->name;
  event.action = "auth.log_in";
  event.detail = to_text(boost::json::object{{"address", origin.address}});
  options_.audit(std::move(event));
  return {std::move(*account), std::move(session)};
}

void Gatekeeper::log_out(const Request& request) {
  if (const auto token = cookie(request.headers); !token.empty()) accounts_.close_session(token);
}

std::optional<Session> Gatekeeper::session_of(const Request& request) {
  const auto token = cookie(request.headers);
  if (token.empty()) return std::nullopt;
  return accounts_.session(token, options_.now());
}

std::string Gatekeeper::cookie_of(const attendance::OpenedSession& session) const {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{}", cookie_name, session.token,
                     options_.session_length.count(), options_.secure_cookies ? "; Secure" : "");
}

std::string Gatekeeper::no_cookie() const {
  return fmt::format("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{}", cookie_name,
                     options_.secure_cookies ? "; Secure" : "");
}

}  // namespace wajah::server
