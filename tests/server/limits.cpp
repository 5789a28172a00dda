// Deadlines and limits: slow, large and many.
#include "test_server.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace wajah::server {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

// Handlers wait here until the test opens it.
class Gate {
 public:
  ~Gate() { open(); }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool wait_for(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

std::string recognition(std::string_view picture = "JPEG", std::string_view nik = "1") {
  return form("POST /recognize/", part("nik_input", nik) + part("file", picture, "a.jpg"));
}

std::string upload_head(std::size_t length, std::string_view headers = "") {
  return fmt::format(
      "POST /upload/ HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=B\r\n"
      "Content-Length: {}\r\n{}\r\n",
      length, headers);
}

// Waits until `condition` holds; the server's side of a closed connection ends a moment later.
template <class Condition>
bool soon(const Condition& condition) {
  const auto begun = Clock::now();
  while (seconds_since(begun) < 10) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

// Three clients that ask the same at the same time; who is served is chance, how many is not.
class Rivals {
 public:
  Rivals(std::uint16_t port, const std::string& request) {
    for (auto& client : clients_) {
      client = std::make_unique<Client>(port);
      client->send(request);
    }
  }

  // The statuses of the next `count` answers.
  std::vector<int> statuses_within(std::chrono::milliseconds limit, std::size_t count) {
    std::vector<int> statuses;
    const auto end = Clock::now() + limit;
    while (statuses.size() < count && Clock::now() < end) {
      for (auto& client : clients_) {
        const auto answer = client && statuses.size() < count ? client->receive(5ms) : std::nullopt;
        if (!answer) continue;
        statuses.push_back(answer->status);
        client.reset();
      }
    }
    return statuses;
  }

 private:
  std::array<std::unique_ptr<Client>, 3> clients_;
};

}  // namespace

TEST_CASE("a slow header ends the connection") {
  TestServer server([](HttpOptions& options) { options.head_deadline = 200ms; });
  const auto begun = Clock::now();
  Client silent(server.port()), dripping(server.port());
  CHECK(silent.ends(3s));
  bool taken = true;
  while (taken && seconds_since(begun) < 5) {
    taken = dripping.send("G");
    std::this_thread::sleep_for(20ms);
    if (dripping.ends(1ms)) taken = false;
  }
  CHECK(seconds_since(begun) < 3);
  CHECK(soon([&] { return server.server().connections() == 0; }));
}

TEST_CASE("an idle connection ends, a busy one does not") {
  TestServer server([](HttpOptions& options) { options.idle_deadline = 800ms; });
  Client client(server.port());
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(100ms);
    REQUIRE(client.ask(get("/healthz")).has_value());
  }
  CHECK(client.ends(3s));
}

TEST_CASE("a body that comes too slowly is 408, one that keeps up is taken") {
  TestServer server([](HttpOptions& options) {
    options.body_grace = 100ms;
    options.body_window = 500ms;
    options.body_bytes_per_second = 400;
  });
  {
    Client stopped(server.port());
    stopped.send(upload_head(1000) + "--B\r\n");
    const auto answer = stopped.receive(5s);
    REQUIRE(answer.has_value());
    CHECK(answer->status == 408);
    CHECK(stopped.ends(3s));
  }
  {
    Client dripping(server.port());
    dripping.send(upload_head(1'000'000));
    std::optional<Response> answer;
    for (int i = 0; i < 100 && !answer; ++i) {
      dripping.send("x");
      answer = dripping.receive(20ms);
    }
    REQUIRE(answer.has_value());
    CHECK(answer->status == 408);
  }
  Client steady(server.port());
  const auto request = recognition(std::string(2000, 'j'));
  for (std::size_t i = 0; i < request.size(); i += 50) {
    steady.send(std::string_view(request).substr(i, 50));
    std::this_thread::sleep_for(30ms);
  }
  CHECK(steady.receive(5s).value_or(Response{}).status == 200);
  CHECK(server.api.calls() == 1);
}

TEST_CASE("a reader that does not read is cut off") {
  TestServer server([](HttpOptions& options) { options.write_deadline = 200ms; });
  Client client(server.port(), 4096);
  std::string many;
  for (int i = 0; i < 2000; ++i) many += get("/redoc");
  client.send(many);
  CHECK(soon([&] { return server.server().connections() == 0; }));
}

TEST_CASE("a body over the route's limit is 413 before it is read, and nothing invites it") {
  TestServer server;
  const std::vector<std::pair<std::string, std::size_t>> limits{{"POST /recognize/", 10 << 20},
                                                                {"POST /upload", 200 << 20},
                                                                {"DELETE /hapus/", 64 << 10},
                                                                {"GET /healthz", 64 << 10}};
  for (const auto& [target, limit] : limits) {
    INFO(target);
    for (const auto* expect : {"", "Expect: 100-continue\r\n"}) {
      Client client(server.port());
      const auto begun = Clock::now();
      client.send(fmt::format("{} HTTP/1.1\r\nHost: a\r\n{}Content-Length: {}\r\n\r\n", target, expect, limit + 1));
      const auto answer = client.receive();
      REQUIRE(answer.has_value());
      CHECK(answer->status == 413);
      CHECK(answer->body == fmt::format(R"({{"detail":"The request body is larger than {} bytes"}})", limit));
      CHECK(answer->headers.at("connection") == "close");
      CHECK(seconds_since(begun) < 1);
    }
  }
}

TEST_CASE("chunks that add up to more than the limit are 413, and the client hears it") {
  TestServer server;
  Client client(server.port());
  client.send("DELETE /hapus/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = fmt::format("{:x}\r\n{}\r\n", 10'000, std::string(10'000, 'x'));
  for (int i = 0; i < 20; ++i) client.send(chunk);
  const auto answer = client.receive();
  REQUIRE(answer.has_value());
  CHECK(answer->status == 413);
  CHECK(client.ends());
}

TEST_CASE("a client that sends all of a refused body still gets the answer") {
  TestServer server([](HttpOptions& options) { options.linger = 5s; });
  const std::string body(11 << 20, 'x');
  const auto answer = ask_once(server.port(), with_body("POST /recognize/", "multipart/form-data; boundary=B", body));
  CHECK(answer.status == 413);
}

TEST_CASE("an upload of many megabytes streams through, and leaves nothing behind") {
  TestServer server;
  std::size_t received = 0;
  server.api.on_upload = [&](const FakeApi::Upload& upload) {
    for (const auto& [name, bytes] : upload.files) received += bytes.size();
    return attendance::UploadResult{{1, upload.nik, upload.name}, upload.files.size(), {}, {}};
  };
  std::string parts = part("nik", "1") + part("nama", "A");
  const std::string photo(3 << 20, 'p');
  for (int i = 0; i < 10; ++i) parts += part("files", photo, "a.jpg");
  const auto answer = ask_once(server.port(), form("POST /upload/", parts));
  CHECK(answer.status == 200);
  CHECK(received == 10 * photo.size());
  CHECK(std::filesystem::is_empty(server.folder.path()));
}

TEST_CASE("no more uploads at once than there are places; a vanished client gives its place back") {
  TestServer server([](HttpOptions& options) {
    options.uploads_at_once = 2;
    options.large_body = 128;
  });
  auto first = std::make_unique<Client>(server.port()), second = std::make_unique<Client>(server.port());
  first->send(upload_head(1000, "Expect: 100-continue\r\n"));
  second->send(upload_head(1000, "Expect: 100-continue\r\n"));
  REQUIRE(first->receive().value_or(Response{}).status == 100);
  REQUIRE(second->receive().value_or(Response{}).status == 100);
  const auto upload = form("POST /upload/", part("nik", "1") + part("nama", "A") + part("files", "x", "a"));
  const auto busy = ask_once(server.port(), upload);
  CHECK(busy.status == 503);
  CHECK(busy.headers.at("retry-after") == "1");
  CHECK(busy.body == R"({"success":false,"message":"Busy; try again in a moment"})");
  const auto small = ask_once(server.port(), form("POST /hapus/", part("nik_hapus", "1")));
  CHECK(small.status != 503);
  first.reset();
  CHECK(soon([&] { return ask_once(server.port(), upload).status == 200; }));
}

TEST_CASE("a full queue is 503 at once, recognitions do not wait for uploads") {
  Gate recognising, uploading;
  TestServer server([](HttpOptions& options) {
    options.recognise_threads = options.manage_threads = 1;
    options.recognise_queue = options.manage_queue = 1;
  });
  server.api.on_recognise = [&](const std::string& nik, const std::string& picture) {
    if (picture == "wait") recognising.pass();
    return attendance::RecogniseResult{{}, nik, false, 0, ""};
  };
  server.api.on_remove = [&](const std::string&, const std::string&) {
    uploading.pass();
    return attendance::RemoveResult{{}, 0, true, ""};
  };
  const auto recognition_waiting = recognition("wait");
  const auto removal = form("DELETE /hapus/", part("nik_hapus", "1") + part("nama", "A"));
  {
    // One runs, so of three more one has to wait and two are turned away.
    Client running(server.port());
    running.send(removal);
    REQUIRE(uploading.wait_for(1));
    Rivals rivals(server.port(), removal);
    CHECK(rivals.statuses_within(10s, 2) == std::vector{503, 503});
    CHECK(ask_once(server.port(), recognition()).status == 200);
    uploading.open();
    CHECK(running.receive().value_or(Response{}).status == 200);
    CHECK(rivals.statuses_within(10s, 1) == std::vector{200});
  }
  Client running(server.port());
  running.send(recognition_waiting);
  REQUIRE(recognising.wait_for(1));
  Rivals rivals(server.port(), recognition_waiting);
  CHECK(rivals.statuses_within(10s, 2) == std::vector{503, 503});
  recognising.open();
  CHECK(running.receive().value_or(Response{}).status == 200);
  CHECK(rivals.statuses_within(10s, 1) == std::vector{200});
}

TEST_CASE("work that is late is 504, and what has not begun is not begun any more") {
  Gate gate;
  std::atomic<bool> began_late{false};
  TestServer server([](HttpOptions& options) {
    options.recognise_threads = 1;
    options.recognise_deadline = 300ms;
  });
  server.api.on_recognise = [&](const std::string& nik, const std::string&) {
    if (nik == "late") began_late = true;
    gate.pass();
    return attendance::RecogniseResult{{}, nik, false, 0, ""};
  };
  Client first(server.port()), second(server.port());
  first.send(recognition());
  REQUIRE(gate.wait_for(1));
  const auto late = second.ask(recognition("JPEG", "late"));
  REQUIRE(late.has_value());
  CHECK(late->status == 504);
  CHECK(late->body == R"({"message":"Not done in time"})");
  CHECK(first.receive().value_or(Response{}).status == 504);
  gate.open();
  // The connection is as good as before, and the thread is free again.
  CHECK(soon([&] { return second.ask(recognition()).value_or(Response{}).status == 200; }));
  CHECK_FALSE(began_late);
}

TEST_CASE("connections over the limit are turned away, and there is room again after") {
  TestServer server([](HttpOptions& options) { options.max_connections = 3; });
  {
    Client a(server.port()), b(server.port()), c(server.port());
    REQUIRE(a.ask(get("/healthz")).has_value());
    REQUIRE(b.ask(get("/healthz")).has_value());
    REQUIRE(c.ask(get("/healthz")).has_value());
    Client d(server.port());
    const auto answer = d.receive();
    REQUIRE(answer.has_value());
    CHECK(answer->status == 503);
    CHECK(answer->headers.at("retry-after") == "1");
  }
  CHECK(soon([&] { return server.server().connections() == 0; }));
  CHECK(ask_once(server.port(), get("/healthz")).status == 200);
}

TEST_CASE("clients that vanish at any moment leave nothing open") {
  TestServer server;
  const auto request = recognition(std::string(5000, 'j'));
  for (std::size_t sent = 1; sent < request.size(); sent += 97) {
    Client client(server.port());
    client.send(std::string_view(request).substr(0, sent));
  }
  for (int i = 0; i < 20; ++i) {
    Client client(server.port());
    client.send(request);
  }
  CHECK(soon([&] { return server.server().connections() == 0; }));
  CHECK(ask_once(server.port(), recognition()).status == 200);
}

}  // namespace wajah::server
