// The whole server in this process: without weights, with the real ones where they are, and where it must not start.
#include "server/application.hpp"

#include "check.hpp"
#include "test_server.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace wajah::server {
namespace {

ApplicationOptions options_for(const TemporaryFolder& folder) {
  ApplicationOptions options;
  options.http.listen.port = 0;
  options.http.linger = Milliseconds(100);
  options.http.drain_idle = Milliseconds(10);
  options.settings.storage.data = folder.path() / "data";
  options.log = false;
  return options;
}

// The sentence that starting fails with, and its kind.
std::pair<ErrorKind, std::string> refusal(const ApplicationOptions& options) {
  try {
    const Application application(options);
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  FAIL("the server started");
  return {};
}

}  // namespace

TEST_CASE("without weights the server starts and says how to get them") {
  TemporaryFolder folder;
  Application application(options_for(folder));
  CHECK(application.banner().find("wajah models fetch") != std::string::npos);
  CHECK(application.banner().find(fmt::format("http://127.0.0.1:{}/docs", application.port())) != std::string::npos);
  CHECK(ask_once(application.port(), get("/healthz")).status == 200);
  CHECK(ask_once(application.port(), get("/docs")).status == 200);
  CHECK(ask_once(application.port(), get("/version")).status == 200);
  CHECK(ask_once(application.port(), get("/readyz")).status == 503);
  const auto answer =
      ask_once(application.port(), form("POST /recognize/", part("nik_input", "1") + part("file", "JPEG", "a.jpg")));
  CHECK(answer.status == 503);
  CHECK(answer.body.find("wajah models fetch") != std::string::npos);
  application.drain();
  CHECK(application.wait());
}

TEST_CASE("where the server must not start it says why") {
  TemporaryFolder folder;
  Application running(options_for(folder));

  auto options = options_for(folder);
  options.settings.storage.data = folder.path() / "other";
  options.http.listen.port = running.port();
  auto [kind, sentence] = refusal(options);
  CHECK(kind == ErrorKind::input);
  CHECK(sentence.starts_with(fmt::format("port {} of 127.0.0.1 is in use", running.port())));

  std::tie(kind, sentence) = refusal(options_for(folder));
  CHECK(kind == ErrorKind::storage);

  options = options_for(folder);
  std::ofstream(folder.path() / "file") << "x";
  options.settings.storage.data = folder.path() / "file";
  CHECK(refusal(options).first == ErrorKind::storage);

  options = options_for(folder);
  options.settings.storage.data = folder.path() / "other";
  for (const auto* host : {"0.0.0.0", "::", "192.0.2.1"}) {
    options.http.listen.host = host;
    std::tie(kind, sentence) = refusal(options);
    CHECK(kind == ErrorKind::usage);
    CHECK(sentence.find("--tls auto") != std::string::npos);
  }

  options = options_for(folder);
  options.settings.storage.data = folder.path() / "other";
  options.settings.attendance.zone = "Asia/Nowhere";
  CHECK(refusal(options).first == ErrorKind::usage);

  options = options_for(folder);
  options.settings.storage.data = folder.path() / "other";
  options.mtcnn = options.embedder = folder.path() / "file";
  CHECK(refusal(options).first == ErrorKind::model);
}

TEST_CASE("listen addresses") {
  CHECK(url_of(parse_listen_address("127.0.0.1:9000")) == "http://127.0.0.1:9000");
  CHECK(url_of(parse_listen_address("localhost:0")) == "http://127.0.0.1:0");
  CHECK(url_of(parse_listen_address(":80")) == "http://127.0.0.1:80");
  CHECK(url_of(parse_listen_address("8006")) == "http://127.0.0.1:8006");
  CHECK(url_of(parse_listen_address("[::1]:8006")) == "http://[::1]:8006");
  CHECK(is_loopback(parse_listen_address("127.1.2.3:1")));
  CHECK_FALSE(is_loopback(parse_listen_address("0.0.0.0:1")));
  for (const auto* text : {"", "a:b", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:-1", "example.org:80", "1.2.3:80 "}) {
    INFO(text);
    CHECK_THROWS_AS(parse_listen_address(text), Error);
  }
}

}  // namespace wajah::server
