// Draining: what has begun is answered, the rest is refused, nothing is reset.
#include "test_server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace wajah::server {
namespace {

using namespace std::chrono_literals;

const std::string recognition = form("POST /recognize/", part("nik_input", "1") + part("file", "JPEG", "a.jpg"));

}  // namespace

TEST_CASE("draining answers what has begun and ends the rest") {
  TestServer server([](HttpOptions& options) { options.drain_idle = 1500ms; });
  std::atomic<bool> begun{false}, finish{false};
  server.api.on_recognise = [&](const std::string& nik, const std::string&) {
    begun = true;
    while (!finish) std::this_thread::sleep_for(1ms);
    return attendance::RecogniseResult{{}, nik, false, 0, ""};
  };
  Client busy(server.port()), reading(server.port()), idle(server.port()), asking(server.port());
  for (auto* client : {&idle, &asking}) REQUIRE(client->ask(get("/readyz")).value_or(Response{}).status == 200);
  busy.send(recognition);
  reading.send(recognition.substr(0, recognition.size() / 2));
  while (!begun) std::this_thread::sleep_for(1ms);

  const auto port = server.port();
  server.server().drain();
  // A connection that was idle may ask once more; it hears that the server is going.
  const auto ready = asking.ask(get("/readyz"));
  REQUIRE(ready.has_value());
  CHECK(ready->status == 503);
  CHECK(ready->headers.at("connection") == "close");
  CHECK(ready->body == R"({"status":"unavailable","reason":"the server is shutting down"})");
  CHECK(asking.ends(5s));
  CHECK(idle.ends(5s));

  finish = true;
  const auto answer = busy.receive();
  REQUIRE(answer.has_value());
  CHECK(answer->status == 200);
  CHECK(answer->headers.at("connection") == "close");
  CHECK(busy.ends(5s));
  reading.send(recognition.substr(recognition.size() / 2));
  CHECK(reading.receive().value_or(Response{}).status == 200);
  CHECK(server.server().wait());
  CHECK(server.server().connections() == 0);
  CHECK_THROWS([&] {
    HttpOptions options;
    options.listen = {"127.0.0.1", port};
    Site site;
    HttpServer again(options, site);
    throw 0;
  }());
}

TEST_CASE("requests that do not end in time are cut off") {
  std::atomic<bool> finish{false};
  TestServer server([](HttpOptions& options) { options.drain_deadline = 200ms; });
  server.api.on_recognise = [&](const std::string& nik, const std::string&) {
    while (!finish) std::this_thread::sleep_for(1ms);
    return attendance::RecogniseResult{{}, nik, false, 0, ""};
  };
  Client client(server.port());
  client.send(recognition);
  while (server.api.calls() == 0) std::this_thread::sleep_for(1ms);
  server.server().drain();
  server.server().drain();
  CHECK_FALSE(server.server().wait());
  finish = true;
}

TEST_CASE("under load every request gets its answer or finds the door closed") {
  for (int round = 0; round < 10; ++round) {
    TestServer server([](HttpOptions& options) { options.drain_idle = 2s; });
    std::atomic<bool> stop{false};
    std::atomic<int> answered{0}, lost{0};
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 4; ++i) clients.push_back(std::make_unique<Client>(server.port()));
    std::vector<std::thread> threads;
    for (auto& client : clients) {
      threads.emplace_back([&] {
        while (!stop && client->send(recognition)) {
          const auto answer = client->receive();
          if (!answer) ++lost;
          if (!answer || answer->closes()) return;
          ++answered;
        }
      });
    }
    while (answered < 20) std::this_thread::sleep_for(1ms);
    server.server().drain();
    CHECK(server.server().wait());
    stop = true;
    for (auto& thread : threads) thread.join();
    CHECK(lost == 0);
  }
}

}  // namespace wajah::server
