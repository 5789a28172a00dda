// Who may do what: every role at every route of the table, keys that hold and keys that do not, this machine, proxies.
#include "server/access/gatekeeper.hpp"

#include "check.hpp"
#include "server/access/front_desk.hpp"
#include "server/access/roles.hpp"
#include "server/router.hpp"
#include "test_server.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace wajah::server {
namespace {

using attendance::Time;

constexpr std::string_view abroad = "192.0.2.1";

// Keys and accounts in a data folder of their own, and a clock to turn.
struct Desk {
  explicit Desk(GateOptions given = {})
      : folder(place.path() / "data"),
        database(folder),
        secret(attendance::server_secret(folder.path())),
        keys(database, secret),
        accounts(database, secret),
        gate(keys, accounts, with_clock(std::move(given))) {}

  GateOptions with_clock(GateOptions options) {
    options.now = [this] { return now; };
    options.ticks = [this] { return ticks; };
    options.audit = [this](const attendance::AuditEvent& event) { audited.push_back(event); };
    return options;
  }

  std::string key(const std::string& role, std::vector<std::string> scopes = {}, std::optional<Time> expires = {},
                  const std::string& site = {}) {
    return keys.issue({"test", role, std::move(scopes), site, expires}, now).text;
  }

  TemporaryFolder place;
  attendance::DataFolder folder;
  attendance::Database database;
  attendance::Secret secret;
  attendance::SqliteKeyStore keys;
  attendance::SqliteAccountStore accounts;
  Time now = std::chrono::system_clock::now();
  Attempts::Clock::time_point ticks{std::chrono::hours(100)};
  std::vector<attendance::AuditEvent> audited;
  Gatekeeper gate;
};

struct Asked {
  Asked(const Desk& desk, const Route& asked_route, std::string_view address,
        std::map<std::string, std::string> headers = {})
      : space(desk.place.path(), {}), request(space), route(asked_route) {
    request.method = name_of(route.verb);
    request.target = route.path;
    request.address = address;
    request.headers.add("host", headers.contains("host") ? headers["host"] : "localhost:8006");
    for (auto& [name, value] : headers) request.headers.add(name, value);
  }

  // 0: may pass; else the status that turns them away.
  int status(Gatekeeper& gate) {
    auto who = gate.admit(request, route);
    if (auto* refusal = std::get_if<Reply>(&who)) {
      reply = std::move(*refusal);
      return reply.status;
    }
    request.caller = std::get<Caller>(who);
    auto refusal = refuse_caller(route, request);
    if (!refusal) return 0;
    reply = std::move(*refusal);
    return reply.status;
  }

  SpoolSpace space;
  Request request;
  const Route& route;
  Reply reply;
};

const Route& route_of(Verb verb, std::string_view path) {
  const auto found = std::ranges::find_if(routes(), [&](auto& r) { return r.verb == verb && r.path == path; });
  REQUIRE(found != routes().end());
  return *found;
}

const Route& recognise_route() { return route_of(Verb::post, "/recognize"); }
const Route& accounts_route() { return route_of(Verb::get, "/api/v1/accounts"); }

bool has_header(const Reply& reply, std::string_view name) {
  return std::ranges::any_of(reply.headers, [&](const auto& header) { return header.first == name; });
}

}  // namespace

TEST_CASE("every role at every route gets what the table says, and nobody without a key") {
  Desk desk;
  std::map<std::string, std::string> keys;
  for (const auto role : role_names) keys.emplace(role, desk.key(std::string(role)));
  std::size_t allowed = 0, refused = 0;
  for (const auto& route : routes()) {
    INFO(std::string(name_of(route.verb)) << " " << std::string(route.path));
    const bool open = route.scope == Scope::open;
    Asked nobody(desk, route, abroad);
    CHECK(nobody.status(desk.gate) == (open ? 0 : 401));
    if (!open) {
      CHECK(has_header(nobody.reply, "WWW-Authenticate"));
      CHECK(nobody.reply.content_type ==
            (route.shape == Shape::problem ? "application/problem+json" : "application/json"));
    }
    for (const auto& [role, key] : keys) {
      INFO(role);
      const bool may = scopes_of_role(role).has(route.scope);
      Asked asked(desk, route, abroad, {{"authorization", "Bearer " + key}});
      CHECK(asked.status(desk.gate) == (may ? 0 : 403));
      if (!may) CHECK(asked.reply.body.find(name_of(route.scope)) != std::string::npos);
      ++(may ? allowed : refused);
    }
  }
  CHECK(allowed > 0);
  CHECK(refused > 0);
}

TEST_CASE("roles hold what their holders need and no more") {
  CHECK(scopes_of_role("admin") == ScopeSet::all());
  CHECK(scopes_of_role("kiosk") == ScopeSet{Scope::attendance_write});
  CHECK_FALSE(scopes_of_role("hr").has(Scope::admin));
  CHECK_FALSE(scopes_of_role("auditor").has(Scope::people_write));
  CHECK_FALSE(scopes_of_role("auditor").has(Scope::attendance_write));
  CHECK(scopes_of_role("viewer") == ScopeSet{Scope::attendance_read});
  CHECK(scopes_of_role("").empty());
  CHECK(scopes_of_role("Admin").empty());
}

TEST_CASE("a key is shown in either header, holds its scopes beside its role, and brings its site") {
  Desk desk;
  const auto key = desk.key("viewer", {"embed"}, {}, "gate-1");
  for (const auto& headers : {std::map<std::string, std::string>{{"authorization", "Bearer " + key}},
                              {{"authorization", "bearer  " + key}},
                              {{"x-api-key", key}},
                              {{"x-api-key", key}, {"authorization", "Basic cHJveHk6cHJveHk="}}}) {
    Asked asked(desk, accounts_route(), abroad, headers);
    CHECK(asked.status(desk.gate) == 403);
    CHECK(asked.request.caller.known);
    CHECK(asked.request.caller.scopes == ScopeSet{Scope::attendance_read, Scope::embed});
    CHECK(asked.request.caller.site == "gate-1");
    CHECK(asked.request.caller.name.starts_with("key:"));
    CHECK(key.find(asked.request.caller.name.substr(4)) != std::string::npos);
  }
}

TEST_CASE("a key that is revoked, expired or made up is refused from then on, and that is audited") {
  Desk desk;
  const auto issued = desk.keys.issue({"x", "admin", {}, {}, {}}, desk.now);
  const auto brief = desk.key("admin", {}, desk.now + std::chrono::hours(1));
  const auto status = [&](const std::string& key) {
    return Asked(desk, accounts_route(), abroad, {{"x-api-key", key}}).status(desk.gate);
  };
  CHECK(status(issued.text) == 0);
  CHECK(status(brief) == 0);
  REQUIRE(desk.keys.revoke(issued.key.id, desk.now));
  CHECK(status(issued.text) == 401);
  desk.now += std::chrono::hours(2);
  CHECK(status(brief) == 401);
  auto wrong = brief;
  wrong.back() = wrong.back() == 'a' ? 'b' : 'a';
  for (const auto& key : {std::string(), std::string("wjh_"), wrong, std::string(5000, 'x'), std::string("wjh__"),
                          std::string("' OR 1=1 --")}) {
    INFO(key.substr(0, 40));
    CHECK(status(key) == 401);
  }
  REQUIRE(desk.audited.size() == 8);
  CHECK(desk.audited.back().action == "auth.key_refused");
  CHECK(desk.audited.back().detail.find(abroad) != std::string::npos);
  for (const auto& event : desk.audited) CHECK((event.detail + event.subject).find("wjh_") == std::string::npos);

  Asked asked(desk, accounts_route(), abroad, {{"x-api-key", "wjh_1_2"}});
  CHECK(asked.status(desk.gate) == 401);
  CHECK(asked.reply.body.find("\"code\":\"key_invalid\"") != std::string::npos);
}

TEST_CASE("an address that shows ten wrong keys in a minute must wait, others need not") {
  Desk desk;
  const auto right = desk.key("admin");
  const auto status = [&](std::string_view address, const std::string& key) {
    return Asked(desk, accounts_route(), address, {{"x-api-key", key}}).status(desk.gate);
  };
  for (int i = 0; i < 10; ++i) CHECK(status(abroad, "wjh_wrong_key") == 401);
  Asked eleventh(desk, accounts_route(), abroad, {{"x-api-key", "wjh_wrong_key"}});
  CHECK(eleventh.status(desk.gate) == 429);
  CHECK(has_header(eleventh.reply, "Retry-After"));
  CHECK(desk.audited.size() == 10);
  CHECK(status("192.0.2.2", "wjh_wrong_key") == 401);
  CHECK(status("192.0.2.2", right) == 0);
  CHECK(status(abroad, right) == 0);  // colleagues behind the same address go on working
  desk.ticks += std::chrono::seconds(61);
  CHECK(status(abroad, "wjh_wrong_key") == 401);

  // Of IPv6 a whole subscriber counts as one.
  for (int i = 0; i < 10; ++i) CHECK(status(fmt::format("2001:db8::{}", i + 1), "wjh_wrong_key") == 401);
  CHECK(status("2001:db8::77", "wjh_wrong_key") == 429);
  CHECK(status("2001:db8:0:1::77", "wjh_wrong_key") == 401);
}

TEST_CASE("this machine needs no key, unless told so or unless it may be somebody else") {
  GateOptions for_all;
  for_all.required = true;
  Desk desk, strict(for_all);
  const auto status = [&](Desk& at, std::string_view address, const std::map<std::string, std::string>& headers = {}) {
    return Asked(at, accounts_route(), address, headers).status(at.gate);
  };
  for (const auto* address : {"127.0.0.1", "127.5.5.5", "::1", "::ffff:127.0.0.1"}) {
    INFO(address);
    CHECK(status(desk, address) == 0);
    CHECK(status(strict, address) == 401);
  }
  for (const auto* host : {"localhost", "LOCALHOST:1", "127.0.0.1:8006", "[::1]:8006"}) {
    CHECK(status(desk, "127.0.0.1", {{"host", host}}) == 0);
  }
  // Proxies of this machine that say nothing of whom they ask for: nginx as it comes, and one that keeps the host.
  Asked old(desk, accounts_route(), "127.0.0.1", {{"host", "127.0.0.1:8006"}});
  old.request.is_1_0 = true;
  CHECK(old.status(desk.gate) == 401);
  CHECK(status(desk, "127.0.0.1", {{"host", "192.0.2.7"}}) == 401);
  CHECK(status(desk, "127.0.0.1", {{"host", "[2001:db8::1]:8006"}}) == 401);
  for (const auto* mark : {"x-real-ip", "via", "x-forwarded-proto", "x-forwarded-host", "cf-connecting-ip", "cf-ray",
                           "true-client-ip", "x-client-ip"}) {
    INFO(mark);
    CHECK(status(desk, "127.0.0.1", {{mark, "203.0.113.9"}}) == 401);
  }
  // A page of another name that points here, and whoever a proxy on this machine passes on.
  CHECK(status(desk, "127.0.0.1", {{"host", "rebound.example"}}) == 401);
  CHECK(status(desk, "127.0.0.1", {{"x-forwarded-for", "203.0.113.9"}}) == 401);
  CHECK(status(desk, "127.0.0.1", {{"forwarded", "for=203.0.113.9"}}) == 401);
  CHECK(status(desk, "192.0.2.1", {{"host", "localhost"}}) == 401);
  CHECK(status(desk, "192.0.2.1", {{"x-forwarded-for", "127.0.0.1"}}) == 401);
}

TEST_CASE("what reaches all sites is not for keys of one") {
  Desk desk;
  const auto key = desk.key("admin", {}, {}, "gate");
  const auto status = [&](Verb verb, std::string_view path) {
    return Asked(desk, route_of(verb, path), abroad, {{"x-api-key", key}}).status(desk.gate);
  };
  for (const auto* path : {"/api/v1/people:export", "/api/v1/webhooks", "/api/v1/system"}) {
    CHECK(status(Verb::get, path) == 403);
  }
  CHECK(status(Verb::post, "/api/v1/sites") == 403);
  CHECK(status(Verb::post, "/upload") == 403);
  CHECK(status(Verb::remove, "/hapus") == 403);
  CHECK(status(Verb::post, "/recognize") == 0);
  CHECK(status(Verb::get, "/api/v1/keys") == 0);
  CHECK(status(Verb::get, "/api/v1/accounts") == 0);
  CHECK(status(Verb::get, "/api/v1/people") == 0);
}

TEST_CASE("the original's routes and the metrics are open to all where the settings say so") {
  GateOptions generous;
  generous.original_open = generous.metrics_open = true;
  Desk desk, open(generous);
  const auto status = [](Desk& at, const Route& route) { return Asked(at, route, abroad).status(at.gate); };
  for (const auto* path : {"/upload", "/recognize"}) {
    CHECK(status(desk, route_of(Verb::post, path)) == 401);
    CHECK(status(open, route_of(Verb::post, path)) == 0);
  }
  CHECK(status(open, route_of(Verb::remove, "/hapus")) == 0);
  CHECK(status(desk, route_of(Verb::get, "/metrics")) == 401);
  CHECK(status(open, route_of(Verb::get, "/metrics")) == 0);
  CHECK(status(open, accounts_route()) == 401);

  Asked asked(desk, recognise_route(), abroad);
  CHECK(asked.status(desk.gate) == 401);
  CHECK(asked.reply.body == R"({"message":"A key is needed"})");
}

TEST_CASE("X-Forwarded-For is believed from trusted proxies only") {
  Desk desk;
  const std::vector<std::string> proxies{"10.0.0.1", "10.0.0.2"};
  const auto origin = [&](std::string_view peer, const std::string& list) {
    return origin_of(Asked(desk, accounts_route(), peer, {{"x-forwarded-for", list}}).request, proxies).address;
  };
  CHECK(origin("10.0.0.1", "203.0.113.9") == "203.0.113.9");
  CHECK(origin("10.0.0.1", "6.6.6.6, 203.0.113.9") == "203.0.113.9");
  CHECK(origin("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2") == "203.0.113.9");
  // HAProxy adds a field of its own after the client's.
  Asked twice(desk, accounts_route(), "10.0.0.1", {{"x-forwarded-for", "6.6.6.6"}});
  twice.request.headers.add("x-forwarded-for", "203.0.113.9");
  CHECK(origin_of(twice.request, proxies).address == "203.0.113.9");
  CHECK(origin("10.0.0.1", "nonsense") == "10.0.0.1");
  CHECK(origin("10.0.0.1", "") == "10.0.0.1");
  CHECK(origin("192.0.2.1", "203.0.113.9") == "192.0.2.1");

  // A proxy on this machine is not this machine's own programs, even if it forgets to say for whom it asks.
  GateOptions proxied;
  proxied.proxies = {"127.0.0.1"};
  Desk behind(proxied);
  CHECK(Asked(behind, accounts_route(), "127.0.0.1").status(behind.gate) == 401);
}

TEST_CASE("the first start has one admin key to show, the second none") {
  TemporaryFolder place;
  const attendance::DataFolder folder(place.path() / "data");
  attendance::Database database(folder);
  std::string key;
  {
    FrontDesk desk(database, folder.path(), {}, {});
    REQUIRE(desk.first_key());
    key = *desk.first_key();
  }
  FrontDesk desk(database, folder.path(), {}, {});
  CHECK_FALSE(desk.first_key());
  const auto found = desk.keys().check(key, std::chrono::system_clock::now());
  REQUIRE(found);
  CHECK(found->role == "admin");
}

TEST_CASE("audit rows are on the disk when the desk closes") {
  TemporaryFolder place;
  const attendance::DataFolder folder(place.path() / "data");
  attendance::Database database(folder);
  {
    FrontDesk desk(database, folder.path(), {}, {[](const std::string&) {}, {}});
    SpoolSpace space(place.path(), {});
    for (int i = 0; i < 20; ++i) {
      Request request(space);
      request.caller.name = "key:1";
      desk.gatekeeper().note(request, "account.create", fmt::format("n{}", i));
    }
  }
  attendance::SqliteAuditLog log(database);
  CHECK(log.head().id == 20);
  CHECK_FALSE(log.verify(std::nullopt).broken_at);
}

}  // namespace wajah::server
