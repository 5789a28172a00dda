// What operators see: log lines, metrics, readiness, and what systemd is told.
#include "check.hpp"
#include "server/ops/health.hpp"
#include "server/ops/log.hpp"
#include "server/ops/metrics.hpp"
#include "server/ops/supervisor.hpp"
#include "test_server.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <boost/json/parse.hpp>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <map>
#include <regex>
#include <sstream>
#include <string>

namespace wajah::server {
namespace {

namespace json = boost::json;

// A log that keeps its lines.
struct Kept {
  explicit Kept(LogOptions options) : log(options, std::make_shared<spdlog::sinks::ostream_sink_mt>(text)) {}

  std::vector<std::string> lines() {
    std::istringstream stream(text.str());
    std::vector<std::string> result;
    for (std::string line; std::getline(stream, line);) result.push_back(line);
    return result;
  }

  std::ostringstream text;
  Log log;
};

// The samples of Prometheus' text format 0.0.4 by name and labels; every line must be of it.
std::map<std::string, double> samples_of(const std::string& text) {
  static const std::regex comment("# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .+");
  static const std::regex sample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]\w*="([^"\\\n]|\\.)*",?)*\})?) (NaN|[+-]?Inf|[-+0-9.eE]+))re");
  std::map<std::string, double> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    INFO(line);
    std::smatch found;
    if (line.starts_with("#")) {
      CHECK(std::regex_match(line, comment));
    } else {
      REQUIRE(std::regex_match(line, found, sample));
      result[found[1]] = std::strtod(found[5].str().c_str(), nullptr);
    }
  }
  return result;
}

// A datagram socket that systemd might have made.
struct NotifySocket {
  NotifySocket() : path((folder.path() / "notify").string()), descriptor(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    timeval patience{5, 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "40000", 1);
  }
  ~NotifySocket() {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    ::close(descriptor);
  }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;
  NotifySocket(NotifySocket&&) = delete;
  NotifySocket& operator=(NotifySocket&&) = delete;

  std::string next() const {
    char bytes[256];
    const auto size = ::recv(descriptor, bytes, sizeof bytes, 0);
    return size < 0 ? "nothing" : std::string(bytes, static_cast<std::size_t>(size));
  }

  TemporaryFolder folder;
  std::string path;
  int descriptor;
};

}  // namespace

TEST_CASE("a JSON log has one object a line, whatever a message holds") {
  Kept kept({.json = true, .least = LogLevel::info, .requests = true});
  kept.log.request({"POST", "/recognize", 200, 26.44, 180, "id-1", {{"work", 25.04}, {"detect", 9.81}}});
  kept.log.warn("fault", "first\nsecond \"quoted\" \x1b[31m");
  kept.log.write(LogLevel::debug, "detail", "not wanted");
  const auto lines = kept.lines();
  REQUIRE(lines.size() == 2);
  const auto request = json::parse(lines[0]);
  CHECK(request.at("event") == "request");
  CHECK(request.at("route") == "/recognize");
  CHECK(request.at("status") == 200);
  CHECK(request.at("ms") == 26.4);
  CHECK(request.at("stage_ms").at("detect") == 9.8);
  CHECK(request.at("request_id") == "id-1");
  CHECK(std::regex_match(std::string(request.at("ts").as_string()),
                         std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
  CHECK(json::parse(lines[1]).at("level") == "warn");
  CHECK(json::parse(lines[1]).at("message") == "first\nsecond \"quoted\" \x1b[31m");
}

TEST_CASE("a text log keeps an event on its line") {
  Kept kept({.json = false, .least = LogLevel::warn, .requests = true});
  kept.log.request({"GET", "/healthz", 200, 0.1, 15, "id-1", {}});
  kept.log.warn("fault", "first\nsecond\r\x1b[31m");
  const auto lines = kept.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].ends_with("first\\x0asecond\\x0d\\x1b[31m"));
}

TEST_CASE("what might be a NIK is masked in sentences") {
  CHECK(without_numbers("person 12345 of 3 people") == "person 12*** of 3 people");
  CHECK(without_numbers("3174012345670001") == "31***");
  CHECK(without_numbers("port 8006, 100 files") == "port 8006, 100 files");
  CHECK(without_numbers("") == "");
}

TEST_CASE("the id of a model is no NIK") {
  for (const std::string id :
       {"mobilefacenet-0123456789abcdef+3c612345", "inception-resnet-v1-1234567890123456+12345678"}) {
    CHECK(without_numbers("5 of 9 people have no embedding of model " + id + ": 12345") ==
          "5 of 9 people have no embedding of model " + id + ": 12***");
    CHECK(without_numbers(id) == id);
    CHECK(without_numbers(id + "9") != id + "9");
  }
  CHECK(without_numbers("mobilefacenet-3174012345670001") == "mobilefacenet-31***");
  CHECK(without_numbers("3174012345670001+12345678") == "31***+12***");
}

TEST_CASE("log lines of real requests carry no NIK, name or key") {
  Kept kept({.json = true, .least = LogLevel::debug, .requests = true});
  TestServer logged({}, [&](const AccessLine& line) { kept.log.request(line); });
  logged.site.warn = [&](const std::string& message) { kept.log.warn("fault", message); };
  logged.api.on_recognise = [](const std::string& nik, const std::string&) -> attendance::RecogniseResult {
    throw std::runtime_error("row of person " + nik + " is damaged");
  };
  ask_once(logged.port(),
           form("POST /upload/",
                part("nik", "31740123456") + part("nama", "SITI AMINAH") + part("files", "JPEG", "31740123456.jpg"),
                "x-api-key: wjh_1_s3cret\r\n"));
  ask_once(logged.port(),
           form("POST /recognize/?nik=31740123456", part("nik_input", "31740123456") + part("file", "JPEG", "a.jpg")));
  ask_once(logged.port(), get("/people/31740123456"));
  const auto lines = kept.lines();
  CHECK(lines.size() >= 4);
  for (const auto& line : lines) {
    INFO(line);
    CHECK(line.find("31740123456") == std::string::npos);
    CHECK(line.find("SITI") == std::string::npos);
    CHECK(line.find("s3cret") == std::string::npos);
    CHECK_NOTHROW((void)json::parse(line));
  }
}

TEST_CASE("metrics are text that Prometheus reads") {
  Metrics metrics({"1.2.3", "model \"x\"\\", "cpu/avx2"});
  metrics.request({"POST", "/recognize", 200, 26, 180, "id", {{"work", 25}, {"detect", 10}}});
  metrics.request({"POST", "/recognize", 200, 2600, 180, "id", {}});
  metrics.request({"POST", "/recognize", 503, 1, 20, "id", {}});
  metrics.refused("auth.key_refused");
  ServerState state;
  state.ready = true;
  state.connections = 7;
  state.waiting = {{"recognise", 3}, {"manage", 0}};
  state.people = 1000;
  state.certificate_seconds_left = 86400;
  state.card = CardReport{CardUse::resting, "", std::chrono::seconds(30), 7, true};
  (void)metrics.text(state);
  state.connections = 5;
  const auto samples = samples_of(metrics.text(state));
  CHECK(samples.at(R"(wajah_requests_total{method="POST",route="/recognize",status="200"})") == 2);
  CHECK(samples.at(R"(wajah_requests_total{method="POST",route="/recognize",status="503"})") == 1);
  CHECK(samples.at(R"(wajah_request_seconds_count{route="/recognize"})") == 3);
  CHECK(std::abs(samples.at(R"(wajah_request_seconds_sum{route="/recognize"})") - 2.627) < 1e-9);
  CHECK(samples.at(R"(wajah_request_seconds_bucket{route="/recognize",le="0.05"})") == 2);
  CHECK(samples.at(R"(wajah_request_seconds_bucket{route="/recognize",le="+Inf"})") == 3);
  CHECK(samples.at(R"(wajah_stage_seconds_count{stage="detect"})") == 1);
  CHECK(samples.at(R"(wajah_refused_callers_total{reason="auth.key_refused"})") == 1);
  CHECK(samples.at(R"(wajah_queue_length{queue="recognise"})") == 3);
  CHECK(samples.at("wajah_connections") == 5);
  CHECK(samples.at("wajah_gallery_people") == 1000);
  CHECK(samples.at("wajah_ready") == 1);
  CHECK(samples.at("wajah_certificate_seconds_left") == 86400);
  CHECK(samples.at("wajah_card_in_use") == 0);
  CHECK(samples.at("wajah_card_without_room") == 7);
  CHECK(samples.at("process_resident_memory_bytes") > 1e6);
  CHECK(samples.at("process_open_fds") > 2);
  std::size_t builds = 0;
  for (const auto& [name, value] : samples) builds += name.starts_with("wajah_build_info{") && value == 1 ? 1 : 0;
  CHECK(builds == 1);
}

TEST_CASE("/metrics and /readyz answer what the site knows") {
  TestServer server;
  CHECK(ask_once(server.port(), get("/metrics")).status == 404);
  CHECK(ask_once(server.port(), get("/readyz")).body == R"({"status":"ready"})");
  Health health;
  server.site.health = [&] { return health; };
  server.site.metrics = [] { return std::string("x 1\n"); };
  const auto answer = ask_once(server.port(), get("/metrics"));
  CHECK(answer.body == "x 1\n");
  CHECK(answer.headers.at("content-type").starts_with("text/plain; version=0.0.4"));
  CHECK(ask_once(server.port(), get("/readyz")).body == R"({"status":"ready"})");
  health.degraded = {"only 5 MiB are free in the data folder"};
  const auto degraded = ask_once(server.port(), get("/readyz"));
  CHECK(degraded.status == 200);
  CHECK(degraded.body.find("only 5 MiB") != std::string::npos);
  health.ready = false;
  health.reason = "/secret/path is broken";
  const auto broken = ask_once(server.port(), get("/readyz"));
  CHECK(broken.status == 503);
  CHECK(broken.body.find("/secret") == std::string::npos);
}

TEST_CASE("health is looked at before the first answer and again, and a probe may throw") {
  std::atomic<int> looks{0};
  HealthMonitor broken([]() -> Health { throw std::runtime_error("no device"); }, std::chrono::seconds(60));
  CHECK_FALSE(broken.now().ready);
  CHECK(broken.now().reason == "no device");
  HealthMonitor fine([&]() -> Health { return {++looks > 0, "", {}}; }, std::chrono::seconds(60));
  CHECK(fine.now().ready);
  CHECK(looks == 1);
}

TEST_CASE("systemd is told when it starts, that it lives and when it stops") {
  const NotifySocket socket;
  std::atomic<bool> alive{true};
  Supervisor supervisor([&] { return alive.load(); });
  supervisor.ready("answering");
  CHECK(socket.next() == "READY=1\nSTATUS=answering");
  CHECK(socket.next() == "WATCHDOG=1");
  CHECK(socket.next() == "WATCHDOG=1");
  alive = false;
  supervisor.stopping();
  auto message = socket.next();
  while (message == "WATCHDOG=1") message = socket.next();
  CHECK(message.starts_with("STOPPING=1"));
}

TEST_CASE("without systemd the supervisor does nothing") {
  ::unsetenv("NOTIFY_SOCKET");
  Supervisor supervisor([] { return true; });
  supervisor.ready("answering");
  supervisor.stopping();
}

TEST_CASE("a server tells whether its network threads get round to new work") {
  TestServer server;
  CHECK(server.server().answers(Milliseconds(5000)));
}

}  // namespace wajah::server
