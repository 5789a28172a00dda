// /api/v1 for callers of one site: what is other sites' is not there for them.
#include "api_site.hpp"

#include "server/access/roles.hpp"
#include "server/route.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace wajah::server {
namespace {

std::string_view code(const Answered& answer) { return answer.json.at("code").as_string(); }

std::string id_of(const Answered& answer) { return std::string(answer.json.at("id").as_string()); }

// Two sites with a person each, and whoever asks is of the site "gate" when told so.
struct TwoSites {
  TwoSites() {
    api.site.authenticate = [this](const Request&, const Route&) -> std::variant<Caller, Reply> { return caller; };
    REQUIRE(api.send_json("POST /api/v1/sites", R"({"code":"gate","name":"Gate"})").status == 201);
    here = api.enrol("1", "ANI");
    there = api.enrol("2", "BUDI");
    REQUIRE(api.send_json("PATCH /api/v1/people/" + here, R"({"site":"gate"})").status == 200);
  }

  void bind(std::string_view role) {
    caller = Caller{"key:gate", std::string(role), scopes_of_role(role), "gate", true};
  }

  std::string check_in(std::string_view face, std::string_view site) {
    const auto made = api.send_form("POST /api/v1/attendance/check", picture_part(face) + part("site", site));
    REQUIRE_MESSAGE(made.status == 201, made.body);
    return std::string(made.json.at("event").at("id").as_string());
  }

  ApiSite api;
  Caller caller = trusted_caller();
  std::string here, there;
};

}  // namespace

TEST_CASE("events of another site are not there for a key of one") {
  TwoSites sites;
  const auto own = "/api/v1/attendance/events/" + sites.check_in("ANI:5", "gate");
  const auto foreign = "/api/v1/attendance/events/" + sites.check_in("BUDI:5", "main");
  sites.bind("hr");
  CHECK(sites.api.get(own).status == 200);
  CHECK(code(sites.api.get(foreign)) == "not_found");
  CHECK(sites.api.send_json("PATCH " + foreign, R"({"strike":true,"reason":"x"})").status == 404);
  CHECK(sites.api.send_json("PATCH " + own, R"({"site":"main","reason":"x"})").status == 403);
  CHECK(sites.api.send_json("PATCH " + own, R"({"strike":true,"reason":"x"})").status == 200);
  sites.caller = trusted_caller();
  CHECK(sites.api.get(foreign).json.at("counts") == true);
}

TEST_CASE("people of another site are not there for a key of one, and it makes none elsewhere") {
  TwoSites sites;
  auto& api = sites.api;
  const auto own = "/api/v1/people/" + sites.here, foreign = "/api/v1/people/" + sites.there;
  sites.bind("hr");
  const auto listed = api.get("/api/v1/people?count=true");
  CHECK(listed.json.at("total") == 1);
  CHECK(listed.json.at("items").at(0).at("name") == "ANI");
  CHECK(api.get("/api/v1/people?site=main").status == 403);
  CHECK(api.get(own).status == 200);
  for (const auto& path : {foreign, std::string("/api/v1/people/nik:2"), foreign + "/faces", foreign + "/consents",
                           foreign + "/data-export"}) {
    INFO(path);
    CHECK(api.get(path).status == 404);
  }
  CHECK(api.send_json("PATCH " + foreign, R"({"name":"EVE"})").status == 404);
  CHECK(api.send_form("POST " + foreign + "/faces", picture_part("EVE:1", "images")).status == 404);
  CHECK(api.remove(foreign + "?erase=true").status == 404);
  CHECK(
      api.send_json("POST /api/v1/people:merge", fmt::format(R"({{"from":"{}","into":"{}"}})", sites.there, sites.here))
          .status == 404);
  CHECK(api.send_json("PATCH " + own, R"({"site":"main"})").status == 403);
  CHECK(api.send_json("POST /api/v1/people", R"({"nik":"3","name":"EVE","site":"main"})").status == 403);
  CHECK(api.send_json("POST /api/v1/people", R"({"nik":"3","name":"EVE"})").json.at("site") == "gate");
  CHECK(api.send_form("POST /api/v1/people:import", part("file", "zip", "people.zip")).status == 403);
  sites.caller = trusted_caller();
  CHECK(api.get(foreign).json.at("name") == "BUDI");
  CHECK(api.get("/api/v1/people?site=main&count=true").json.at("total") == 1);
}

TEST_CASE("a key of one site issues no key, and no account, of others or of more") {
  TwoSites sites;
  auto& api = sites.api;
  const auto foreign = id_of(api.send_json("POST /api/v1/keys", R"({"name":"all","role":"admin"})"));
  sites.bind("admin");
  CHECK(api.send_json("POST /api/v1/keys", R"({"name":"x","role":"admin","site":"main"})").status == 403);
  const auto made = api.send_json("POST /api/v1/keys", R"({"name":"x","role":"admin"})");
  CHECK(made.json.at("site") == "gate");
  const auto listed = api.get("/api/v1/keys").json.at("items").as_array();
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].at("id") == made.json.at("id"));
  CHECK(api.remove("/api/v1/keys/" + foreign).status == 404);
  CHECK(api.remove("/api/v1/keys/" + id_of(made)).status == 204);
  sites.caller.scopes = {Scope::admin, Scope::attendance_read};
  CHECK(api.send_json("POST /api/v1/keys", R"({"name":"x","role":"hr"})").status == 403);
  CHECK(api.send_json("POST /api/v1/keys", R"({"name":"x","role":"viewer"})").status == 201);
}

TEST_CASE("a listener of one site hears of its people only, and of nothing once the key is revoked") {
  ApiSite api({}, [](HttpOptions& http) { http.heartbeat = Milliseconds(50); });
  std::atomic<bool> revoked = false;
  api.site.authenticate = [&](const Request&, const Route& route) -> std::variant<Caller, Reply> {
    if (route.path != "/api/v1/events") return trusted_caller();
    if (revoked) return Caller{};
    return Caller{"key:gate", "hr", scopes_of_role("hr"), "gate", true};
  };
  api.send_json("POST /api/v1/sites", R"({"code":"gate","name":"Gate"})");
  Client listener(api.port());
  listener.send(get("/api/v1/events"));
  REQUIRE(listener.receive().has_value());
  api.send_json("POST /api/v1/people", R"({"nik":"1","name":"ANI"})");
  api.send_json("POST /api/v1/people", R"({"nik":"2","name":"BUDI","site":"gate"})");
  const auto heard = listener.read_until("BUDI");
  CHECK(heard.find("BUDI") != std::string::npos);
  CHECK(heard.find("ANI") == std::string::npos);
  revoked = true;
  CHECK(listener.read_until("0\r\n\r\n").ends_with("0\r\n\r\n"));
}

}  // namespace wajah::server
