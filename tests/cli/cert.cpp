// wajah cert, what doctor says of settings and certificates, and the manual page.
#include "check.hpp"
#include "cli/program.hpp"

#include <doctest/doctest.h>
#include <boost/json/parse.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace wajah::test {
namespace {

namespace json = boost::json;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// The line of `doctor --json` for one check.
json::value finding(const std::string& out, std::string_view check) {
  std::istringstream stream(out);
  for (std::string line; std::getline(stream, line);) {
    auto value = json::parse(line);
    if (value.at("check").as_string() == check) return value;
  }
  FAIL("doctor has no check " << std::string(check));
  return {};
}

}  // namespace

TEST_CASE("cert init makes an authority and a certificate, cert show shows them") {
  const Workplace place;
  const auto made = place.run({"cert", "init", "absen.example.id", "192.0.2.7"});
  REQUIRE(made.status == 0);
  CHECK(has(made.out, "absen.example.id, 192.0.2.7"));
  CHECK(has(made.out, "data/tls/ca.pem"));
  CHECK(std::filesystem::exists(place / "data/tls/server.key"));
  CHECK_FALSE(has(made.out, "PRIVATE KEY"));

  const auto shown = place.run({"cert", "show", "data/tls/server.pem", "--json"});
  REQUIRE(shown.status == 0);
  const auto server = json::parse(shown.out);
  CHECK(server.at("names") == json::value{"absen.example.id", "192.0.2.7"});
  CHECK(server.at("key") == "EC P-256");
  CHECK_FALSE(server.at("authority").as_bool());
  CHECK(place.run({"cert", "show"}).status == 0);

  // A certificate that openssl itself trusts by way of the authority.
  CHECK(place.run_shell("openssl verify -CAfile data/tls/ca.pem -verify_hostname absen.example.id data/tls/server.pem")
            .status == 0);
  CHECK(place.run_shell("openssl verify -CAfile data/tls/ca.pem -verify_hostname other.example data/tls/server.pem")
            .status != 0);
}

TEST_CASE("cert says what is wrong") {
  const Workplace place;
  CHECK(place.run({"cert"}).status == 2);
  CHECK(place.run({"cert", "inti"}).status == 2);
  const auto name = place.run({"cert", "init", "two words"});
  CHECK(name.status == 2);
  CHECK(name.one_sentence());
  CHECK(place.files().empty());
  const auto none = place.run({"cert", "show"});
  CHECK(none.status == 3);
  CHECK(none.one_sentence());
}

TEST_CASE("doctor looks at settings and certificates") {
  const Workplace place;
  std::filesystem::create_directory(place / "data");
  auto outcome = place.run({"doctor", "--json"});
  CHECK(finding(outcome.out, "Settings").at("state") == "ok");
  CHECK(finding(outcome.out, "TLS").at("state") == "warn");
  CHECK(finding(outcome.out, "Access").at("state") == "warn");
  CHECK(has(outcome.out, "auth.required = true"));
  place.write("data/wajah.toml", "[auth]\nrequired = true\n");
  CHECK(finding(place.run({"doctor", "--json"}).out, "Access").at("state") == "ok");
  CHECK(finding(outcome.out, "Disk").at("state") != "fail");

  place.write("data/wajah.toml", "[server]\nlisten = \"0.0.0.0:8006\"\n");
  outcome = place.run({"doctor", "--json"});
  CHECK(outcome.status == 1);
  CHECK(finding(outcome.out, "Settings").at("state") == "fail");
  CHECK(has(outcome.out, "--tls auto"));

  place.write("data/wajah.toml", "[server]\nlisten = \"0.0.0.0:8006\"\n[tls]\nmode = \"auto\"\n");
  REQUIRE(place.run({"cert", "init", "localhost"}).status == 0);
  outcome = place.run({"doctor", "--json"});
  CHECK(finding(outcome.out, "Settings").at("state") == "ok");
  CHECK(finding(outcome.out, "TLS").at("state") == "ok");
  place.write("data/tls/server.pem", "broken");
  CHECK(finding(place.run({"doctor", "--json"}).out, "TLS").at("state") == "fail");

  place.write("data/wajah.toml", "[server]\nlissten = \"x\"\n");
  outcome = place.run({"doctor", "--json"});
  CHECK(outcome.status == 1);
  CHECK(has(outcome.out, "data/wajah.toml:2"));
}

TEST_CASE("the manual page names every command") {
  std::ifstream file(source_folder() / "packaging/wajah.1");
  std::ostringstream page;
  page << file.rdbuf();
  const Workplace place;
  std::istringstream help(place.run({"--help"}).out);
  std::size_t commands = 0;
  for (std::string line; std::getline(help, line);) {
    if (!line.starts_with("  ") || line.starts_with("   ")) continue;
    const auto name = line.substr(2, line.find(' ', 2) - 2);
    CAPTURE(name);
    CHECK(has(page.str(), " " + name));
    ++commands;
  }
  CHECK(commands > 10);
}

}  // namespace wajah::test
