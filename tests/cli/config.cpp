// Settings: three names from one list, their order of precedence, and mistakes that are told by name.
#include "cli/config.hpp"

#include "check.hpp"
#include "cli/program.hpp"

#include <wajah/error.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace wajah::test {
namespace {

using cli::ConfigSources;
using cli::load_configuration;

// Sources that see neither this machine's files nor its environment.
ConfigSources only(const Workplace& place) {
  ConfigSources sources;
  sources.system_file = place / "etc.toml";
  sources.flags["storage.data"] = (place / "data").string();
  return sources;
}

std::string refusal(const ConfigSources& sources) {
  try {
    (void)load_configuration(sources);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "no error";
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("every setting has three names of its own") {
  server::Settings settings;
  std::set<std::string> keys, flags, variables;
  for (const auto& setting : server::list_of(settings)) {
    INFO(std::string(setting.key));
    CHECK(keys.emplace(setting.key).second);
    CHECK(flags.insert(setting.flag()).second);
    CHECK(variables.insert(setting.environment()).second);
    CHECK(setting.about.ends_with('.'));
    CHECK(setting.key.find('.') != std::string_view::npos);
  }
  for (const auto* flag : {"--listen", "--data", "--tls", "--device", "--threads", "--weights", "--mtcnn"}) {
    CHECK(flags.count(flag) == 1);
  }
  CHECK(variables.count("WAJAH_THREADS") == 1);
  CHECK(variables.count("WAJAH_AUTH_REQUIRED") == 1);
}

TEST_CASE("the original's constants are the defaults") {
  const server::Settings settings;
  CHECK(settings.server.listen == "127.0.0.1:8006");
  CHECK(settings.attendance.zone == "Asia/Jakarta");
  CHECK(settings.match.accuracy == 0.7);
  CHECK(settings.pipeline.recognise_min_face == 30);
  CHECK(settings.pipeline.enrol_min_face == 20);
  CHECK(settings.engine.gpu_memory_fraction == 0.6);
  CHECK_FALSE(settings.auth.required);
}

TEST_CASE("flag, then environment, then the data folder's file, then the system's, then the default") {
  const Workplace place;
  std::filesystem::create_directory(place / "data");
  auto sources = only(place);
  const auto idle = [&] { return load_configuration(sources).settings.server.idle_seconds; };
  const auto origin = [&] {
    auto configuration = load_configuration(sources);
    return configuration.origins["server.idle_seconds"];
  };
  CHECK(idle() == 30);
  place.write("etc.toml", "[server]\nidle_seconds = 31\n");
  CHECK(idle() == 31);
  place.write("data/wajah.toml", "# notes\n\nserver.idle_seconds = 32\n");
  CHECK(idle() == 32);
  CHECK(origin() == (place / "data/wajah.toml").string() + ":3");
  sources.environment["WAJAH_SERVER_IDLE_SECONDS"] = "33";
  CHECK(idle() == 33);
  CHECK(origin() == "environment WAJAH_SERVER_IDLE_SECONDS");
  sources.flags["server.idle_seconds"] = "34";
  CHECK(idle() == 34);
  CHECK(origin() == "flag --server-idle-seconds");

  // A file named by hand is the only one.
  sources.flags.erase("server.idle_seconds");
  sources.environment.clear();
  place.write("named.toml", "log.level = \"debug\"\n");
  sources.file = place / "named.toml";
  CHECK(idle() == 30);
  CHECK(load_configuration(sources).settings.log.level == "debug");
  sources.file.reset();
  sources.environment["WAJAH_CONFIG"] = (place / "named.toml").string();
  CHECK(idle() == 30);
}

TEST_CASE("values of every type are read from text and from TOML") {
  const Workplace place;
  auto sources = only(place);
  place.write("named.toml",
              "[auth]\nrequired = true\n[match]\naccuracy = 0.65\n[server]\ntrusted_proxies = [\"10.0.0.1\", \"::1\"]\n"
              "[engine]\ngpu.memory_fraction = 1\n[tls]\nmode = \"auto\"\n");
  sources.file = place / "named.toml";
  auto settings = load_configuration(sources).settings;
  CHECK(settings.auth.required);
  CHECK(settings.match.accuracy == 0.65);
  CHECK(settings.server.trusted_proxies == std::vector<std::string>{"10.0.0.1", "::1"});
  CHECK(settings.engine.gpu_memory_fraction == 1.0);
  CHECK(settings.tls.mode == "auto");
  place.write("named.toml", "[gpu]\nmemory_fraction = 0.5\n");
  const auto named = load_configuration(sources);
  CHECK(named.settings.engine.gpu_memory_fraction == 0.5);
  CHECK(named.origins.at("gpu.memory_fraction").ends_with("named.toml:2"));

  sources.file.reset();
  sources.environment = {{"WAJAH_AUTH_REQUIRED", "yes"}, {"WAJAH_SERVER_TRUSTED_PROXIES", "10.0.0.1,::1"}};
  sources.flags["match.accuracy"] = "0.65";
  settings = load_configuration(sources).settings;
  CHECK(settings.auth.required);
  CHECK(settings.match.accuracy == 0.65);
  CHECK(settings.server.trusted_proxies == std::vector<std::string>{"10.0.0.1", "::1"});
}

TEST_CASE("a mistake in wajah.toml stops the start and is told by file and line") {
  const struct {
    std::string_view text, line, part;
  } cases[] = {
      {"[server]\nlisten = \"127.0.0.1:1\"\nidle_second = 3\n", ":3:", "did you mean server.idle_seconds?"},
      {"[sever]\nlisten = \"127.0.0.1:1\"\n", ":2:", "did you mean server.listen?"},
      {"listen = \"127.0.0.1:1\"\n", ":1:", "did you mean server.listen?"},
      {"[auth]\nrequire = true\n", ":2:", "did you mean auth.required?"},
      {"[auth]\nrequired = \"true\"\n", ":2:", "auth.required: 'true' given, expected true or false"},
      {"[auth]\nrequired = 1\n", ":2:", "expected true or false"},
      {"[server]\nidle_seconds = \"3\"\n", ":2:", "expected a whole number from 1 to 3600"},
      {"[server]\nidle_seconds = 3.5\n", ":2:", "expected a whole number from 1 to 3600"},
      {"[server]\nidle_seconds = 0\n", ":2:", "'0' given, expected a whole number from 1 to 3600"},
      {"[server]\nlisten = \"everywhere\"\n", ":2:", "listen address"},
      {"[server]\ntrusted_proxies = [\"proxy\"]\n", ":2:", "'proxy' is not an IP address"},
      {"[server]\ntrusted_proxies = [1]\n", ":2:", "list of texts"},
      {"[match]\naccuracy = 70\n", ":2:", "expected a number from 0.01 to 0.9999"},
      {"[tls]\nmode = \"on\"\n", ":2:", "expected one of off, auto, files"},
      {"[attendance]\nzone = \"Asia/Nowhere\"\n", ":2:", "Asia/Nowhere"},
      {"[attendance]\nzone = 2026-11-22\n", ":2:", "attendance.zone"},
      {"[server\n", ":1:", ""},
      {"a = 1\na = 2\n", ":2:", ""},
  };
  const Workplace place;
  auto sources = only(place);
  sources.file = place / "wajah.toml";
  for (const auto& [text, line, part] : cases) {
    place.write("wajah.toml", text);
    const auto sentence = refusal(sources);
    INFO(std::string(text));
    INFO(sentence);
    CHECK(sentence.starts_with((place / "wajah.toml").string() + std::string(line)));
    CHECK(has(sentence, part));
    CHECK(sentence.find('\n') == std::string::npos);
  }
}

TEST_CASE("a mistake on the command line or in the environment is told by name") {
  const Workplace place;
  auto sources = only(place);
  sources.environment["WAJAH_AUTH_REQUIERD"] = "true";
  CHECK(has(refusal(sources), "did you mean WAJAH_AUTH_REQUIRED?"));
  sources.environment = {{"WAJAH_AUTH_REQUIRED", "perhaps"}};
  CHECK(refusal(sources).starts_with("WAJAH_AUTH_REQUIRED: "));
  sources.environment = {{"WAJAH_SHARED", "/somewhere"}, {"WAJAH_ISA", "avx2"}, {"WAJAH_OF_SOMEBODY_ELSE", "1"}};
  CHECK(refusal(sources) == "no error");
  sources.flags["server.idle_seconds"] = "soon";
  CHECK(refusal(sources) == "--server-idle-seconds: 'soon' given, expected a whole number from 1 to 3600");

  const auto mistyped = place.run({"serve", "--auth-requierd"});
  CHECK(mistyped.status == 2);
  CHECK(mistyped.one_sentence());
  CHECK(has(mistyped.err, "did you mean --auth-required?"));
  const auto missing = place.run({"serve", "--config", "none.toml"});
  CHECK(missing.status == 3);
  CHECK(missing.one_sentence());
}

TEST_CASE("the data folder's own file cannot move the data folder") {
  const Workplace place;
  std::filesystem::create_directory(place / "data");
  place.write("data/wajah.toml", "storage.data = \"elsewhere\"\n");
  CHECK(has(refusal(only(place)), "cannot be set by the data folder's own file"));
}

TEST_CASE("what --print-config shows can be read back") {
  const Workplace place;
  place.write("wajah.toml", "[log]\nlevel = \"warn\"\n");
  const std::vector<std::string> words{"serve", "--print-config", "--config", "wajah.toml", "--match-accuracy",
                                       "0.8",   "--auth-required"};
  const auto shown = place.run(words, {{"WAJAH_LISTEN", "127.0.0.1:9001"}});
  REQUIRE(shown.status == 0);
  CHECK(has(shown.out, "log.level = \"warn\""));
  CHECK(has(shown.out, "# wajah.toml:2"));
  CHECK(has(shown.out, "# flag --match-accuracy"));
  CHECK(has(shown.out, "auth.required = true"));
  CHECK(has(shown.out, "server.listen = \"127.0.0.1:9001\""));
  CHECK(has(shown.out, "# environment WAJAH_LISTEN"));
  CHECK(has(shown.out, "# default"));

  place.write("again.toml", shown.out);
  const auto again = place.run({"serve", "--print-config", "--config", "again.toml"});
  REQUIRE(again.status == 0);
  CHECK(has(again.out, "match.accuracy = 0.8 "));
  CHECK(has(again.out, "server.listen = \"127.0.0.1:9001\""));
  CHECK_FALSE(has(again.out, "# default"));

  auto json_words = words;
  json_words.push_back("--json");
  const auto list = boost::json::parse(place.run(json_words).out).as_array();
  const auto accuracy = std::ranges::find_if(list, [](const auto& s) { return s.at("key") == "match.accuracy"; });
  REQUIRE(accuracy != list.end());
  CHECK(accuracy->at("value") == 0.8);
  CHECK(accuracy->at("origin") == "flag --match-accuracy");
}

TEST_CASE("docs/configuration.md is current") {
  std::ifstream file(source_folder() / "docs/configuration.md");
  std::ostringstream text;
  text << file.rdbuf();
  CHECK_MESSAGE(text.str() == server::configuration_page(),
                "write it anew: wajah serve --print-reference > docs/configuration.md");
}

}  // namespace wajah::test
