// HTTPS: certificates of our own, handshakes, a certificate replaced while the server runs, and mistaken clients.
#include "server/access/tls.hpp"

#include "check.hpp"
#include "server/access/certificates.hpp"
#include "server/api/webhook_worker.hpp"
#include "test_server.hpp"
#include "tls_client.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>
#include <boost/asio/ip/host_name.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace wajah::server {
namespace {

namespace fs = std::filesystem;

// A server with TLS, its own authority, and the keeper of its certificate.
struct TlsServer {
  explicit TlsServer(const std::function<void(HttpOptions&)>& change = {}) : files(folder.path()) {
    make_certificates(files, {"localhost", "127.0.0.1"});
    keeper = std::make_unique<TlsKeeper>(TlsFiles{files.server, files.server_key});
    server = std::make_unique<TestServer>([&](HttpOptions& options) {
      options.tls = [this] { return keeper->context(); };
      if (change) change(options);
    });
  }

  TemporaryFolder folder;
  CertificateFiles files;
  std::unique_ptr<TlsKeeper> keeper;
  std::unique_ptr<TestServer> server;
};

constexpr std::string_view last = "Connection: close\r\n";

std::string sentence_of(const TlsFiles& files) {
  try {
    (void)make_tls_context(files);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("certificates are made for names and addresses, and only their owner reads the keys") {
  TemporaryFolder folder;
  const CertificateFiles files(folder.path());
  make_certificates(files, {"absen.example.id", "192.0.2.7", "2001:db8::7", "*.example.id"});

  const auto authority = read_certificate(files.authority), server = read_certificate(files.server);
  CHECK(authority.is_authority);
  CHECK_FALSE(server.is_authority);
  CHECK(server.issuer == authority.subject);
  CHECK(server.names == std::vector<std::string>{"absen.example.id", "192.0.2.7", "2001:db8::7", "*.example.id"});
  CHECK(server.key == "EC P-256");
  const auto day = std::chrono::hours(24);
  CHECK(server.until - std::chrono::system_clock::now() < 398 * day);
  CHECK(authority.until - std::chrono::system_clock::now() > 3600 * day);
  for (const auto& key : {files.authority_key, files.server_key}) {
    CHECK(fs::status(key).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  }
  // A second certificate comes from the same authority, so that nobody must be told to trust it again.
  make_certificates(files, {"other.example.id"});
  CHECK(read_certificate(files.authority).sha256 == authority.sha256);
  CHECK(read_certificate(files.server).sha256 != server.sha256);
  CHECK(read_certificate(files.server).names == std::vector<std::string>{"other.example.id"});
}

TEST_CASE("webhooks go to receivers whose certificate an authority vouches for, and whose name it is") {
  TlsServer receiver;
  const auto deadline = std::chrono::seconds(5);
  const auto post = [&](std::string_view host, const fs::path& authority) {
    return post_json(fmt::format("https://{}:{}/healthz", host, receiver.server->port()), "{}", {}, deadline,
                     authority);
  };
  CHECK(post("localhost", receiver.files.authority).status == 405);  // it was heard
  CHECK(post("127.0.0.1", receiver.files.authority).status == 405);
  const auto unknown = post("localhost", {});
  CHECK(unknown.status == 0);
  CHECK(unknown.error.find("certificate verify failed") != std::string::npos);
  make_certificates(receiver.files, {"other.example.id"});
  receiver.keeper->reload();
  CHECK(post("localhost", receiver.files.authority).status == 0);
  CHECK(post("localhost", receiver.folder.path() / "none.pem").status == 0);
}

TEST_CASE("certificates are refused where they cannot be right") {
  TemporaryFolder folder;
  const CertificateFiles files(folder.path());
  for (const auto* name : {"", "two words", "a..b", "-x", "x,IP:1.2.3.4", "http://x"}) {
    INFO(name);
    CHECK_THROWS_AS(make_certificates(files, {name}), Error);
  }
  CHECK_FALSE(fs::exists(files.authority));
  make_certificates(files, {"localhost"});
  fs::remove(files.authority_key);
  CHECK_THROWS_WITH_AS(make_certificates(files, {"localhost"}), doctest::Contains("needs both"), Error);

  const auto names = local_names();
  CHECK(std::ranges::find(names, "localhost") != names.end());
  CHECK(std::ranges::find(names, "127.0.0.1") != names.end());
}

TEST_CASE("HTTPS answers like HTTP") {
  TlsServer https;
  TlsClient client(https.server->port(), https.files.authority);
  CHECK(client.version() == "TLSv1.3");
  const auto answer = client.ask(get("/healthz", last));
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.ends_with("{\"status\":\"ok\"}"));
  CHECK(answer.find("Strict-Transport-Security: max-age=") != std::string::npos);
  CHECK(client.had_farewell());

  // A body of many records, in and through to the service.
  const std::string photo(3 << 20, 'x');
  https.server->api.on_recognise = [&](const std::string& nik, const std::string& bytes) {
    CHECK(bytes == photo);
    attendance::RecogniseResult result;
    result.nik_input = nik;
    return result;
  };
  TlsClient sender(https.server->port(), https.files.authority, "127.0.0.1");
  const auto recognised =
      sender.ask(form("POST /recognize/", part("nik_input", "77") + part("file", photo, "a.jpg"), last));
  CHECK(recognised.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(recognised.find("\"nik_input\":\"77\"") != std::string::npos);

  TlsClient older(https.server->port(), https.files.authority, "localhost", [](boost::asio::ssl::context& context) {
    SSL_CTX_set_max_proto_version(context.native_handle(), TLS1_2_VERSION);
  });
  CHECK(older.version() == "TLSv1.2");
  CHECK(older.ask(get("/healthz", last)).starts_with("HTTP/1.1 200"));
}

TEST_CASE("what TLS must refuse is refused") {
  TlsServer https([](HttpOptions& options) { options.head_deadline = Milliseconds(300); });
  const auto port = https.server->port();
  CHECK_THROWS_AS(TlsClient(port, https.files.authority, "other.example.id"), boost::system::system_error);
  CHECK_THROWS_AS(TlsClient(port, https.files.authority, "localhost",
                            [](boost::asio::ssl::context& context) {
                              SSL_CTX_set_security_level(context.native_handle(), 0);
                              SSL_CTX_set_max_proto_version(context.native_handle(), TLS1_1_VERSION);
                            }),
                  boost::system::system_error);

  // Plain HTTP gets one sentence that a person understands.
  Client plain(port);
  const auto answer = plain.ask(get("/healthz"));
  REQUIRE(answer);
  CHECK(answer->status == 400);
  CHECK(answer->body.find("HTTPS") != std::string::npos);
  CHECK(answer->body.find("https://") != std::string::npos);
  CHECK(answer->closes());
  CHECK(plain.ends());

  // Neither silence nor half a handshake holds a connection.
  Client silent(port), halting(port);
  halting.send("\x16\x03\x01\x02");
  CHECK(silent.ends(std::chrono::seconds(5)));
  CHECK(halting.ends(std::chrono::seconds(5)));
}

TEST_CASE("TLS spoken to plain HTTP is refused at once") {
  TestServer http;
  Client client(http.port());
  client.send(std::string("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10));
  const auto answer = client.receive();
  REQUIRE(answer);
  CHECK(answer->status == 400);
  CHECK(answer->closes());
}

TEST_CASE("a certificate is replaced while connections live") {
  TlsServer https;
  TlsClient before(https.server->port(), https.files.authority);
  make_certificates(https.files, {"localhost"});
  https.keeper->reload();
  TlsClient after(https.server->port(), https.files.authority);
  CHECK(before.serial() != after.serial());
  CHECK(before.ask(get("/healthz", last)).starts_with("HTTP/1.1 200"));
  CHECK(after.ask(get("/healthz", last)).starts_with("HTTP/1.1 200"));

  // A broken file changes nothing.
  std::ofstream(https.files.server) << "not a certificate";
  CHECK_THROWS_AS(https.keeper->reload(), Error);
  TlsClient still(https.server->port(), https.files.authority);
  CHECK(still.serial() == after.serial());
}

TEST_CASE("certificates that cannot serve say so by name") {
  TemporaryFolder folder, other;
  const CertificateFiles files(folder.path()), others(other.path());
  make_certificates(files, {"localhost"});
  make_certificates(others, {"localhost"});
  CHECK(sentence_of({files.server, files.server_key}) == "no error");
  CHECK(sentence_of({folder.path() / "none.pem", files.server_key}).find("none.pem") != std::string::npos);
  CHECK(sentence_of({files.server, folder.path() / "none.key"}).find("none.key") != std::string::npos);
  CHECK(sentence_of({files.server, others.server_key}).find("server.key") != std::string::npos);
  CHECK(sentence_of({files.server_key, files.server_key}).find("no usable certificate") != std::string::npos);
}

}  // namespace wajah::server
