// Logging in over HTTP: the cookie, the token against forged requests, accounts, and wrong passwords.
#include "check.hpp"
#include "server/access/front_desk.hpp"
#include "server/json.hpp"
#include "test_server.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include <string>

namespace wajah::server {
namespace {

namespace json = boost::json;

// An HTTP server with accounts, which asks everybody for a key.
struct Guarded {
  explicit Guarded(Settings settings = {}) : folder(place.path() / "data"), database(folder) {
    settings.auth.required = true;
    desk = std::make_unique<FrontDesk>(database, folder.path(), settings, FrontDesk::Listeners{});
    server.site.gatekeeper = &desk->gatekeeper();
    server.site.authenticate = [this](const Request& request, const Route& route) {
      return desk->gatekeeper().admit(request, route);
    };
    key = fmt::format("x-api-key: {}\r\n", *desk->first_key());
  }

  Response ask(std::string_view verb_and_path, const std::string& headers, const json::value& body = nullptr) {
    if (body.is_null())
      return ask_once(server.port(), fmt::format("{} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", verb_and_path, headers));
    return ask_once(server.port(), with_body(verb_and_path, "application/json", to_text(body), headers));
  }

  Response log_in(const std::string& name, const std::string& password) {
    return ask("POST /api/v1/session", "", {{"name", name}, {"password", password}});
  }

  TemporaryFolder place;
  attendance::DataFolder folder;
  attendance::Database database;
  std::unique_ptr<FrontDesk> desk;
  std::string key;
  TestServer server;
};

constexpr auto password = "benar-kuda-baterai-steples";

std::string code_of(const Response& response) { return std::string(json::parse(response.body).at("code").as_string()); }

std::string cookie_of(const Response& response) {
  const auto& cookie = response.headers.at("set-cookie");
  return "Cookie: theme=dark; " + cookie.substr(0, cookie.find(';')) + "\r\n";
}

}  // namespace

TEST_CASE("a person logs in, works with cookie and token, and logs out") {
  Guarded office;
  const json::object account{{"name", "siti"}, {"password", password}, {"role", "admin"}};
  CHECK(office.ask("POST /api/v1/accounts", "", account).status == 401);
  CHECK(office.ask("POST /api/v1/accounts", office.key, account).status == 201);
  CHECK(office.ask("POST /api/v1/accounts", office.key, account).status == 409);

  const auto welcome = office.log_in("siti", password);
  REQUIRE(welcome.status == 200);
  const auto& attributes = welcome.headers.at("set-cookie");
  CHECK(attributes.find("; HttpOnly") != std::string::npos);
  CHECK(attributes.find("; SameSite=Lax") != std::string::npos);
  CHECK(attributes.find("; Secure") == std::string::npos);  // this one speaks plain HTTP
  const auto cookie = cookie_of(welcome);
  const auto body = json::parse(welcome.body);
  CHECK(body.at("name") == "user:siti");
  CHECK(body.at("role") == "admin");
  const auto token = fmt::format("X-CSRF-Token: {}\r\n", std::string(body.at("csrf").as_string()));

  CHECK(office.ask("GET /api/v1/accounts", "").status == 401);
  CHECK(office.ask("GET /api/v1/accounts", cookie).status == 200);
  CHECK(json::parse(office.ask("GET /api/v1/session", cookie).body).at("csrf") == body.at("csrf"));

  // What changes something needs the token, which another site's page does not have.
  const json::object other{{"name", "budi"}, {"password", password}, {"role", "viewer"}};
  CHECK(office.ask("POST /api/v1/accounts", cookie, other).status == 403);
  CHECK(office.ask("POST /api/v1/accounts", cookie + "X-CSRF-Token: guess\r\n", other).status == 403);
  CHECK(office.ask("POST /api/v1/accounts", cookie + token, other).status == 201);

  const auto farewell = office.ask("DELETE /api/v1/session", cookie + token);
  CHECK(farewell.status == 204);
  CHECK(farewell.headers.at("set-cookie").find("Max-Age=0") != std::string::npos);
  CHECK(office.ask("GET /api/v1/accounts", cookie).status == 401);
  CHECK(json::parse(office.ask("GET /api/v1/session", cookie).body).at("name") == "anonymous");
}

TEST_CASE("cookies travel over TLS only where the server speaks it") {
  Settings settings;
  settings.tls.mode = "auto";
  Guarded office(settings);
  REQUIRE(office.ask("POST /api/v1/accounts", office.key, {{"name", "siti"}, {"password", password}, {"role", "hr"}})
              .status == 201);
  const auto welcome = office.log_in("siti", password);
  REQUIRE(welcome.status == 200);
  CHECK(welcome.headers.at("set-cookie").ends_with("; Secure"));
}

TEST_CASE("a role ends where it ends, and a changed account at once") {
  Guarded office;
  const json::object account{{"name", "siti"}, {"password", password}, {"role", "viewer"}};
  REQUIRE(office.ask("POST /api/v1/accounts", office.key, account).status == 201);
  const auto cookie = cookie_of(office.log_in("siti", password));
  const auto refused = office.ask("GET /api/v1/accounts", cookie);
  CHECK(refused.status == 403);
  CHECK(code_of(refused) == "scope_missing");
  CHECK(refused.body.find("admin") != std::string::npos);

  CHECK(office.ask("PATCH /api/v1/accounts/siti", office.key, {{"active", false}}).status == 200);
  CHECK(json::parse(office.ask("GET /api/v1/session", cookie).body).at("name") == "anonymous");
  CHECK(office.log_in("siti", password).status == 401);
  CHECK(office.ask("DELETE /api/v1/accounts/siti", office.key).status == 204);
  CHECK(office.ask("DELETE /api/v1/accounts/siti", office.key).status == 404);
}

TEST_CASE("wrong passwords are refused alike, counted, and weak ones never taken") {
  Settings settings;
  settings.auth.failures_per_minute = 3;
  Guarded office(settings);
  const json::object account{{"name", "siti"}, {"password", password}, {"role", "hr"}};
  REQUIRE(office.ask("POST /api/v1/accounts", office.key, account).status == 201);
  CHECK(
      office.ask("POST /api/v1/accounts", office.key, {{"name", "x"}, {"password", "short"}, {"role", "hr"}}).status ==
      422);
  CHECK(office.ask("POST /api/v1/accounts", office.key, {{"name", "x"}, {"password", password}, {"role", "king"}})
            .status == 422);

  const auto wrong = office.log_in("siti", "not-the-password"), nobody = office.log_in("nobody", password);
  CHECK(wrong.status == 401);
  CHECK(nobody.status == 401);
  CHECK(json::parse(wrong.body).at("detail") == json::parse(nobody.body).at("detail"));
  CHECK(office.log_in("siti", "again wrong").status == 401);
  const auto fourth = office.log_in("siti", password);
  CHECK(fourth.status == 429);
  CHECK(code_of(fourth) == "too_many_requests");
  CHECK(fourth.body.find(password) == std::string::npos);
}

}  // namespace wajah::server
