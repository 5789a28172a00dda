// /api/v1: keys, webhooks, jobs, live events, audit and privacy; and who may ask for what.
#include "api_site.hpp"

#include "server/access/roles.hpp"
#include "server/api/webhook_worker.hpp"
#include "server/route.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

namespace wajah::server {
namespace {

std::string_view code(const Answered& answer) { return answer.json.at("code").as_string(); }

// The path with something in the place of each {name}.
std::string filled(std::string_view path) {
  std::string result(path);
  for (auto open = result.find('{'); open != std::string::npos; open = result.find('{')) {
    result.replace(open, result.find('}') - open + 1, "p_1");
  }
  return result;
}

std::string bare_request(const Route& route) {
  return fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n\r\n", name_of(route.verb), filled(route.path));
}

// A webhook's receiver: keeps what came and answers what the test wants.
class Receiver {
 public:
  Posted take(std::string_view url, std::string_view body,
              const std::vector<std::pair<std::string, std::string>>& headers) {
    const std::lock_guard lock(mutex_);
    deliveries.push_back({std::string(url), std::string(body), headers});
    changed_.notify_all();
    return {status, status ? "" : "refused"};
  }
  bool wait_for(std::size_t count, std::chrono::milliseconds time = std::chrono::seconds(10)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [&] { return deliveries.size() >= count; });
  }

  struct Delivery {
    std::string url, body;
    std::vector<std::pair<std::string, std::string>> headers;
  };
  std::vector<Delivery> deliveries;
  std::atomic<int> status{200};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace

TEST_CASE("every route refuses whoever lacks its scope, and lets through whoever has it") {
  ApiSite api;
  Caller caller;
  api.site.authenticate = [&](const Request&, const Route&) -> std::variant<Caller, Reply> { return caller; };
  for (const auto& route : routes()) {
    if (route.path.ends_with("/events") && route.scope != Scope::open && route.path.find("attendance") == route.path.npos) {
      continue;  // streams: tested by themselves
    }
    if (route.path == "/api/v1/session") continue;  // open, and answers 401 itself to who has not logged in
    INFO(name_of(route.verb) << " " << route.path);
    caller = Caller{};
    const auto unknown = ask_once(api.port(), bare_request(route));
    CHECK((unknown.status == 401) == (route.scope != Scope::open));
    caller.known = true;
    for (const auto scope : grantable_scopes) {
      if (scope != route.scope) caller.scopes.add(scope);
    }
    const auto other = ask_once(api.port(), bare_request(route));
    CHECK((other.status == 403 && other.body.find("cope") != std::string::npos) == (route.scope != Scope::open));
    caller.scopes = {};
    if (route.scope != Scope::open) caller.scopes.add(route.scope);
    const auto allowed = ask_once(api.port(), bare_request(route));
    CHECK(allowed.status != 401);
    CHECK((allowed.status != 403 || allowed.body.find(name_of(route.scope)) == std::string::npos));
  }
}

TEST_CASE("a key's text is told once; it works until it is revoked") {
  ApiSite api;
  const auto made = api.send_json("POST /api/v1/keys", R"({"name":"gate","role":"kiosk","expires_at":"2027-01-01T00:00:00+07:00"})");
  CHECK(made.status == 201);
  const std::string text(made.json.at("key").as_string()), id(made.json.at("id").as_string());
  CHECK(text.starts_with("wjh_" + id));
  const auto now = api.below.options.now();
  CHECK(api.office->keys().check(text, now).has_value());
  const auto listed = api.get("/api/v1/keys");
  CHECK(listed.body.find(text.substr(text.size() - 20)) == std::string::npos);
  CHECK(listed.json.at("items").at(0).at("in_force") == true);
  CHECK(api.remove("/api/v1/keys/" + id).status == 204);
  CHECK_FALSE(api.office->keys().check(text, now).has_value());
  CHECK(api.remove("/api/v1/keys/" + id).status == 404);
  CHECK(api.send_json("POST /api/v1/keys", R"({"name":"x"})").status == 422);
  CHECK(api.send_json("POST /api/v1/keys", R"({"name":"x","role":"king"})").status == 422);
  CHECK(api.send_json("POST /api/v1/keys", R"({"name":"x","role":"hr","expires_at":"2020-01-01T00:00:00Z"})").status == 422);
  CHECK(api.send_json("POST /api/v1/keys", R"({"name":"x","role":"kiosk","site":"nowhere"})").status == 404);
}

TEST_CASE("webhooks hear of what they want, signed, again after a failure") {
  Receiver receiver;
  receiver.status = 500;
  ApiSite api([&](OfficeOptions& options) {
    options.webhooks.post = [&](std::string_view url, std::string_view body, const auto& headers, auto) {
      return receiver.take(url, body, headers);
    };
  });
  const auto made = api.send_json(
      "POST /api/v1/webhooks",
      R"({"url":"https://hr.example/hook","events":["person.created"],"secret":"0123456789abcdef"})");
  CHECK(made.status == 201);
  const auto path = "/api/v1/webhooks/" + std::string(made.json.at("id").as_string());
  CHECK(api.get("/api/v1/webhooks").body.find("0123456789abcdef") == std::string::npos);
  api.send_json("POST /api/v1/people", R"({"nik":"1","name":"ANI"})");
  REQUIRE(receiver.wait_for(1));
  receiver.status = 204;
  // The first pause is 10 seconds from when the failure is noted, which may be after the clock was put on.
  for (int tries = 0; tries < 20 && !receiver.wait_for(2, std::chrono::milliseconds(500)); ++tries) {
    api.below.seconds += 11;
  }
  REQUIRE(receiver.wait_for(2));
  const auto& delivery = receiver.deliveries[1];
  CHECK(delivery.url == "https://hr.example/hook");
  const auto message = boost::json::parse(delivery.body);
  CHECK(message.at("event") == "person.created");
  CHECK(message.at("data").at("nik") == "1");
  const auto seconds = static_cast<std::int64_t>(api.below.seconds);
  CHECK(delivery.headers[2] == std::pair<std::string, std::string>(
                                   "X-Wajah-Signature", webhook_signature("0123456789abcdef", delivery.body, seconds)));
  CHECK(delivery.headers[1].second == receiver.deliveries[0].headers[1].second);
  CHECK(api.get(path + "/deliveries").json.at("items").as_array().size() == 1);
  CHECK(api.send_json("PATCH " + path, R"({"active":false})").json.at("active") == false);
  CHECK(api.remove(path).status == 204);
  CHECK(api.remove(path).status == 404);
  CHECK(api.send_json("POST /api/v1/webhooks", R"({"url":"ftp://x"})").status == 422);
  CHECK(api.send_json("POST /api/v1/webhooks", R"({"url":"http://x","events":["nothing"]})").status == 422);
}

TEST_CASE("webhooks are posted to plain URLs only, and only those that are there have deliveries") {
  ApiSite api;
  for (const auto* url : {"https://hr.example/a b", "https://hr.example/\\r\\nX: y", "https://hr.example:99999/",
                          "https://hr.example:0/", "https://user:secret@hr.example/", "https://hr.example/#part"}) {
    INFO(std::string(url));
    CHECK(api.send_json("POST /api/v1/webhooks", fmt::format(R"({{"url":"{}"}})", url)).status == 422);
  }
  CHECK(fault_of_url("https://hr.example/a\r\nX: y"));
  for (const auto* url : {"https://hr.example", "http://[2001:db8::1]:8080/hook?a=b", "http://localhost:1/%20"}) {
    CHECK_FALSE(fault_of_url(url));
  }
  CHECK(api.get("/api/v1/webhooks/w_99/deliveries").status == 404);
}

TEST_CASE("a webhook that does not answer starves no other") {
  Receiver receiver;
  std::promise<void> go;
  std::atomic<int> asked_in_vain = 0;
  ApiSite api([&, all_wait = go.get_future().share()](OfficeOptions& options) {
    options.webhooks.post = [&, all_wait](std::string_view url, std::string_view body, const auto& headers, auto) {
      if (url.find("dead") != std::string_view::npos) {
        ++asked_in_vain;
        all_wait.wait();
        return Posted{0, "no answer in time"};
      }
      return receiver.take(url, body, headers);
    };
  });
  api.send_json("POST /api/v1/webhooks", R"({"url":"https://dead.example/","events":["person.created"]})");
  for (int i = 0; i < 40; ++i) {
    api.send_json("POST /api/v1/people", fmt::format(R"({{"nik":"{}","name":"ANI"}})", 100 + i));
  }
  api.send_json("POST /api/v1/webhooks", R"({"url":"https://hr.example/","events":["person.created"]})");
  api.send_json("POST /api/v1/people", R"({"nik":"7","name":"BUDI"})");
  go.set_value();
  REQUIRE(receiver.wait_for(1));
  CHECK(receiver.deliveries[0].url == "https://hr.example/");
  CHECK(asked_in_vain == 1);
}

TEST_CASE("the pauses between attempts grow, and end") {
  std::chrono::seconds total{0}, former{0};
  int attempts = 1;
  for (auto pause = pause_after(attempts); pause; pause = pause_after(++attempts)) {
    CHECK(*pause > former);
    former = *pause;
    total += former;
  }
  CHECK(attempts == 9);
  CHECK(total > std::chrono::hours(36));
  // RFC 4231's HMAC cannot be used: the text signed is "<seconds>.<payload>". Made with openssl dgst -sha256 -hmac.
  CHECK(webhook_signature("key", "{}", 1) == "t=1,v1=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224");
}

TEST_CASE("whoever listens hears of events as they happen") {
  ApiSite api;
  api.enrol("1", "ANI");
  Client listener(api.port());
  listener.send(get("/api/v1/events"));
  const auto head = listener.receive();
  REQUIRE(head.has_value());
  CHECK(head->status == 200);
  CHECK(head->headers.at("content-type") == "text/event-stream");
  api.send_form("POST /api/v1/attendance/check", picture_part("ANI:5"));
  const auto text = listener.read_until("\n\n");
  CHECK(text.find("event: attendance.recorded\n") != std::string::npos);
  const auto begin = text.find("data: ") + 6;
  const auto message = boost::json::parse(text.substr(begin, text.find('\n', begin) - begin));
  CHECK(message.at("data").at("person").at("name") == "ANI");
}

TEST_CASE("a key of one site hears of that site only, and without people:read of no person") {
  ApiSite api;
  api.enrol("1", "ANI");
  api.send_json("POST /api/v1/sites", R"({"code":"gate","name":"Gate"})");
  api.site.authenticate = [](const Request&, const Route& route) -> std::variant<Caller, Reply> {
    if (route.path != "/api/v1/events") return trusted_caller();
    return Caller{"key:gate", "viewer", {Scope::attendance_read}, "gate", true};
  };
  Client listener(api.port());
  listener.send(get("/api/v1/events"));
  REQUIRE(listener.receive().has_value());
  api.send_json("POST /api/v1/people", R"({"nik":"2","name":"BUDI"})");
  api.send_form("POST /api/v1/attendance/check", picture_part("ANI:5"));
  api.below.seconds += 3600;
  api.send_form("POST /api/v1/attendance/check", picture_part("ANI:6") + part("site", "gate"));
  const auto text = listener.read_until("\n\n");
  CHECK(text.find("\"site\":\"gate\"") != std::string::npos);
  CHECK(text.find("BUDI") == std::string::npos);
}

TEST_CASE("a job tells how it went, live and afterwards") {
  ApiSite api;
  api.enrol("1", "ANI");
  const auto begun = api.send_json("POST /api/v1/train", "");
  CHECK(begun.status == 202);
  const auto path = begun.headers.at("location");
  Client listener(api.port());
  listener.send(get(path + "/events"));
  REQUIRE(listener.receive().has_value());
  const auto told = listener.read_until("0\r\n\r\n");
  CHECK(told.find("\"state\":\"done\"") != std::string::npos);
  CHECK(told.find("+07:00\"") != std::string::npos);
  CHECK(told.find("+00:00\"") == std::string::npos);
  const auto job = api.get(path);
  CHECK(job.json.at("state") == "done");
  CHECK(job.json.at("result").at("people") == 1);
  CHECK(api.get("/api/v1/jobs").json.at("items").as_array().size() == 1);
  CHECK(api.get("/api/v1/jobs/j_99").status == 404);
}

TEST_CASE("so many jobs wait and no more") {
  ApiSite api;
  auto& runner = api.site.backend->job_runner;
  std::promise<void> go;
  const auto held = go.get_future().share();
  const auto start = [&] {
    return runner.start("train", 1, [held](const auto&) {
      held.wait();
      return boost::json::object{};
    });
  };
  const auto first = start();
  while (api.get("/api/v1/jobs/j_1").json.at("state") != "running") std::this_thread::yield();
  for (std::size_t i = 0; i < JobRunner::most_waiting; ++i) (void)start();
  const auto refused = api.send_json("POST /api/v1/train", "");
  CHECK(refused.status == 503);
  CHECK(code(refused) == "busy");
  CHECK(api.get("/api/v1/jobs").json.at("items").as_array().size() == JobRunner::most_waiting + 1);
  go.set_value();
}

TEST_CASE("an auditor reads the audit log, and a key of one site does not") {
  ApiSite api;
  Caller caller{"key:auditor", "auditor", scopes_of_role("auditor"), std::nullopt, true};
  api.site.authenticate = [&](const Request&, const Route&) -> std::variant<Caller, Reply> { return caller; };
  CHECK(api.get("/api/v1/audit").status == 200);
  CHECK(api.get("/api/v1/audit/verify").status == 200);
  caller.site = "main";
  CHECK(api.get("/api/v1/audit").status == 403);
}

TEST_CASE("who did what is written down, and the chain holds") {
  ApiSite api;
  api.site.authenticate = [](const Request&, const Route&) -> std::variant<Caller, Reply> {
    return Caller{"key:hr-1", "admin", ScopeSet::all(), std::nullopt, true};
  };
  const auto id = api.enrol("1", "ANI");
  const auto rows = api.get("/api/v1/audit?limit=1");
  CHECK(rows.json.at("items").at(0).at("action") == "person.enrol");
  CHECK(rows.json.at("items").at(0).at("actor") == "key:hr-1");
  const auto next = api.get("/api/v1/audit?limit=1&cursor=" + std::string(rows.json.at("next_cursor").as_string()));
  CHECK(next.json.at("items").at(0).at("action") == "person.create");
  CHECK(api.get("/api/v1/audit?action=key.issue").json.at("items").as_array().empty());
  CHECK(api.get("/api/v1/audit?person=" + id).json.at("items").as_array().size() == 2);
  CHECK(api.get("/api/v1/audit/verify").json.at("intact") == true);
}

TEST_CASE("consent, withdrawal, export and erasure with a receipt") {
  ApiSite api([](OfficeOptions& options) { options.backend.require_consent = true; });
  const auto made = api.send_json("POST /api/v1/people", R"({"nik":"998877","name":"ANI"})");
  const auto path = "/api/v1/people/" + std::string(made.json.at("id").as_string());
  CHECK(code(api.send_form("POST " + path + "/faces", picture_part("ANI:1", "images"))) == "consent_missing");
  CHECK(api.send_json("POST " + path + "/consents", R"({"text_version":"2026-1","channel":"paper"})").status == 201);
  CHECK(api.send_form("POST " + path + "/faces", picture_part("ANI:1", "images")).status == 201);
  api.send_form("POST /api/v1/attendance/check", picture_part("ANI:2"));
  const auto data = api.get(path + "/data-export");
  CHECK(data.json.at("attendance").as_array().size() == 1);
  CHECK(data.json.at("consents").as_array().size() == 1);
  const auto withdrawn = ask_once(api.port(), "DELETE " + path + "/consents HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(withdrawn.status == 200);
  CHECK(api.send_form("POST /api/v1/attendance/check", picture_part("ANI:3")).json.at("matched") == false);
  CHECK(api.get(path + "/consents").json.at("items").at(0).at("in_force") == false);

  const auto erased = api.remove(path + "?erase=true");
  CHECK(erased.status == 200);
  CHECK(erased.json.at("photos") == 1);
  CHECK(api.get(path).status == 404);
  CHECK(api.get("/api/v1/audit").body.find("998877") == std::string::npos);
  CHECK(api.get("/api/v1/audit/verify").json.at("intact") == true);
}

TEST_CASE("the system and its model describe themselves") {
  ApiSite api;
  api.enrol("1", "ANI");
  const auto facts = api.get("/api/v1/system");
  CHECK(facts.json.at("gallery").at("people") == 1);
  CHECK(facts.json.at("time") == "2026-11-22T07:58:11+07:00");
  CHECK(api.get("/api/v1/models").json.at("items").at(0).at("licence") == "CC0");
  CHECK(api.send_json("POST /api/v1/models/fake-1:activate", "").status == 200);
  CHECK(api.send_json("POST /api/v1/models/other:activate", "").status == 409);
}

}  // namespace wajah::server
