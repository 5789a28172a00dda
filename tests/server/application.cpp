// The whole server in this process: without weights, with the real ones where they are, and where it must not start.
#include "server/application.hpp"

#include "check.hpp"
#include "places.hpp"
#include "server/access/certificates.hpp"
#include "server/access/exposure.hpp"
#include "test_server.hpp"
#include "tls_client.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

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

TEST_CASE("the model in use is told with its licence") {
  const auto weights = source_folder() / "weights";
  TemporaryFolder folder;
  auto options = options_for(folder);
  options.mtcnn = weights / "mtcnn.safetensors";
  options.embedder = weights / "inception_resnet_v1.safetensors";
  Application application(options);
  const auto models = ask_once(application.port(), get("/api/v1/models"));
  CHECK(models.status == 200);
  CHECK(models.body.find(R"("licence":"MIT, like wajah)") != std::string::npos);
  application.drain();
  CHECK(application.wait());
}

TEST_CASE("the first start shows a key once, and it opens what is closed") {
  TemporaryFolder folder;
  auto options = options_for(folder);
  options.settings.auth.required = true;
  std::string key;
  {
    Application application(options);
    const auto banner = application.banner();
    const auto begin = banner.find("wjh_");
    REQUIRE(begin != std::string::npos);
    key = banner.substr(begin, banner.find('\n', begin) - begin);
    const auto header = fmt::format("Authorization: Bearer {}\r\n", key);
    CHECK(ask_once(application.port(), get("/api/v1/accounts")).status == 401);
    CHECK(ask_once(application.port(), get("/api/v1/accounts", header)).status == 200);
    CHECK(ask_once(application.port(), get("/metrics")).status == 401);
    const auto metrics = ask_once(application.port(), get("/metrics", header));
    CHECK(metrics.status == 200);
    CHECK(metrics.body.find("wajah_requests_total{") != std::string::npos);
    CHECK(metrics.body.find("wajah_ready 0\n") != std::string::npos);  // it has no models
    application.drain();
    CHECK(application.wait());
  }
  Application again(options);
  CHECK(again.banner().find("wjh_") == std::string::npos);
  CHECK(ask_once(again.port(), get("/api/v1/accounts", fmt::format("x-api-key: {}\r\n", key))).status == 200);
}

TEST_CASE("a server with a certificate of its own takes a new one on SIGHUP") {
  TemporaryFolder folder;
  auto options = options_for(folder);
  options.settings.tls.mode = "auto";
  Application application(options);
  application.act_on_signals();
  CHECK(application.banner().find("https://127.0.0.1:") != std::string::npos);
  const CertificateFiles files(options.settings.storage.data);
  TlsClient before(application.port(), files.authority);
  CHECK(before.ask(get("/healthz", "Connection: close\r\n")).starts_with("HTTP/1.1 200"));

  make_certificates(files, {"localhost"});
  ::raise(SIGHUP);
  std::string serial = before.serial();
  for (int i = 0; i < 200 && serial == before.serial(); ++i) {
    std::this_thread::sleep_for(Milliseconds(10));
    serial = TlsClient(application.port(), files.authority).serial();
  }
  CHECK(serial != before.serial());
  application.drain();
  CHECK(application.wait());
}

TEST_CASE("addresses that others reach need TLS, or a proxy that has it") {
  Settings settings;
  const ListenAddress here{"127.0.0.1", 8006}, everywhere{"0.0.0.0", 8006};
  CHECK_NOTHROW(check_exposure(settings, here));
  CHECK_THROWS_WITH_AS(check_exposure(settings, everywhere), doctest::Contains("--tls auto"), Error);
  settings.auth.required = true;
  CHECK_THROWS_AS(check_exposure(settings, everywhere), Error);
  settings.tls.mode = "auto";
  CHECK_NOTHROW(check_exposure(settings, everywhere));
  settings.tls.mode = "files";
  CHECK_THROWS_WITH_AS(check_exposure(settings, everywhere), doctest::Contains("tls.certificate"), Error);
  settings.tls.mode = "off";
  settings.tls.certificate = "a.pem";
  CHECK_THROWS_WITH_AS(check_exposure(settings, here), doctest::Contains("tls.mode is off"), Error);
  settings.tls.certificate.clear();
  settings.server.behind_proxy = true;
  CHECK_THROWS_WITH_AS(check_exposure(settings, everywhere), doctest::Contains("trusted_proxies"), Error);
  settings.server.trusted_proxies = {"10.0.0.1"};
  CHECK_NOTHROW(check_exposure(settings, everywhere));
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
