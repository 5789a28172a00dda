// wajah models fetch against a server that is good, bad, slow to finish, or not there.
#include "check.hpp"
#include "cli/download.hpp"
#include "cli/file_server.hpp"
#include "cli/program.hpp"
#include "cli/public_models.hpp"

#include <wajah/error.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <map>

using namespace wajah::test;
namespace fs = std::filesystem;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What stands after the three hashes is no matter: none of these bytes are the genuine ones.
const std::string garbage = [] {
  std::string bytes(100'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 3U);
  return bytes;
}();

constexpr const char* part_name = "data/models/download/mtcnn/det1.npy.part";

Outcome fetch(const Workplace& place, const std::string& base, std::map<std::string, std::string> environment = {}) {
  environment["WAJAH_FETCH_BASE"] = base;
  return place.run({"models", "fetch", "mtcnn"}, environment);
}

// Progress lines come before the sentence.
std::string last_line(const std::string& text) {
  const std::size_t end = text.rfind('\n');
  return text.substr(text.rfind('\n', end - 1) + 1);
}

// det1.npy, det2.npy and det3.npy as they are published, or nothing.
std::map<std::string, std::string> genuine_files() {
  std::map<std::string, std::string> files;
  const auto folder = wajah::shared_data();
  if (!folder) return files;
  for (const std::string name : {"det1.npy", "det2.npy", "det3.npy"}) {
    std::ifstream in(*folder / "mtcnn" / name, std::ios::binary);
    files[name] = {std::istreambuf_iterator<char>(in), {}};
  }
  return files;
}

std::string file_asked_for(const std::string& request) {
  const std::string line = request.substr(0, request.find(" HTTP/"));
  return line.substr(line.rfind('/') + 1);
}

}  // namespace

TEST_CASE("a file is known by its SHA-256 or its Git blob id") {
  const Workplace place;
  place.write("hello", "hello\n");
  // sha256sum and git hash-object.
  const wajah::cli::PublicFile by_sha{"a/b", "c", "d/hello",
                                      "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03", ""};
  const wajah::cli::PublicFile by_blob{"a/b", "c", "d/hello", "", "ce013625030ba8dba906f756967f9e9ca394464a"};
  CHECK(wajah::cli::fault_of(by_sha, place / "hello").empty());
  CHECK(wajah::cli::fault_of(by_blob, place / "hello").empty());
  place.write("hello", "hello");
  CHECK(contains(wajah::cli::fault_of(by_sha, place / "hello"), "its SHA-256 is 2cf24dba5fb0a30e"));
  CHECK(contains(wajah::cli::fault_of(by_blob, place / "hello"), "its Git blob id is b6fc4c620b67d95f"));
}

TEST_CASE("fetch: the path names repository, commit and file") {
  const Workplace place;
  const FileServer server([](const std::string&) { return refusal("404 Not Found"); });
  const Outcome outcome = fetch(place, server.address());
  CHECK(outcome.status == 3);
  CHECK(outcome.one_sentence());
  CHECK(contains(outcome.err, "404"));
  REQUIRE(server.requests().size() == 1);
  CHECK(
      server.requests()[0].starts_with("GET /davidsandberg/facenet/096ed770f163957c1e56efa7feeb194773920f6e/src/align/"
                                       "det1.npy HTTP/1.1\r\n"));
  CHECK(place.files().empty());
}

TEST_CASE("fetch: wrong bytes are thrown away and nothing is made of them") {
  const Workplace place;
  const FileServer server([](const std::string&) { return whole(garbage); });
  const Outcome outcome = fetch(place, server.address());
  CHECK(outcome.status == 3);
  CHECK(contains(last_line(outcome.err), "SHA-256"));
  CHECK(!fs::exists(place / part_name));
  CHECK(!fs::exists(place / "data/models/mtcnn.safetensors"));
}

TEST_CASE("fetch: a cut connection keeps what came, and the next attempt asks for the rest") {
  const Workplace place;
  {
    const FileServer server([](const std::string&) { return cut_after(garbage, 40'000); });
    const Outcome outcome = fetch(place, server.address());
    CHECK(outcome.status == 3);
    CHECK(contains(last_line(outcome.err), "after 40000 of 100000 bytes"));
    CHECK(place.read(part_name) == garbage.substr(0, 40'000));
  }
  // Cut again, so that the file can be looked at before its hash is found wrong.
  const FileServer server([](const std::string&) {
    const std::string answer = rest_from(garbage, 40'000);
    return answer.substr(0, answer.size() - 10'000);
  });
  CHECK(fetch(place, server.address()).status == 3);
  REQUIRE(server.requests().size() == 1);
  CHECK(contains(server.requests()[0], "Range: bytes=40000-\r\n"));
  CHECK(place.read(part_name) == garbage.substr(0, 90'000));
}

TEST_CASE("fetch: a server without ranges, or with another file, begins anew") {
  const Workplace place;
  place.write(part_name, "something old");
  SUBCASE("answers with the whole") {
    const FileServer server([](const std::string&) { return cut_after(garbage, 50); });
    CHECK(fetch(place, server.address()).status == 3);
    CHECK(place.read(part_name) == garbage.substr(0, 50));
  }
  SUBCASE("cannot satisfy the range") {
    const FileServer server([](const std::string& request) {
      return contains(request, "Range:") ? refusal("416 Range Not Satisfiable") : cut_after(garbage, 50);
    });
    CHECK(fetch(place, server.address()).status == 3);
    CHECK(server.requests().size() == 2);
    CHECK(place.read(part_name) == garbage.substr(0, 50));
  }
  SUBCASE("answers with another range than was asked for") {
    const FileServer server([](const std::string& request) {
      return contains(request, "Range:") ? rest_from(garbage, 20'000) : cut_after(garbage, 50);
    });
    CHECK(fetch(place, server.address()).status == 3);
    CHECK(place.read(part_name) == garbage.substr(0, 50));
  }
}

TEST_CASE("download: what is larger than allowed is told as such, and nothing of it is kept") {
  const Workplace place;
  const auto failure = [&](const std::string& answer) -> std::string {
    const FileServer server([&](const std::string&) { return answer; });
    try {
      wajah::cli::download(server.address() + "/file", place / "part", 50'000, [](std::uint64_t, std::uint64_t) {});
    } catch (const wajah::Error& error) {
      CHECK(error.kind() == wajah::ErrorKind::input);
      return error.what();
    }
    return {};
  };
  SUBCASE("it says so") {
    CHECK(contains(failure(whole(garbage)), "has 100000 bytes for '/file', and 50000 are the most"));
  }
  SUBCASE("it says so of the whole, and sends a part") {
    place.write("part", garbage.substr(0, 60));
    CHECK(contains(failure(rest_from(garbage, 60)), "has 100000 bytes for '/file', and 50000 are the most"));
  }
  SUBCASE("it goes on and on") {
    CHECK(contains(failure("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + garbage), "has more than 50000 bytes"));
  }
  SUBCASE("it goes on and on, in chunks") {
    CHECK(contains(failure("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n" + garbage + "\r\n"),
                   "has more than 50000 bytes"));
  }
  CHECK(!fs::exists(place / "part"));
}

TEST_CASE(
    "download: what is just as large as allowed is taken, and what is left of something larger is not gone on from") {
  const Workplace place;
  const FileServer server([](const std::string& request) {
    return contains(request, "Range:") ? refusal("500 Internal Server Error") : whole(garbage);
  });
  place.write("part", garbage + "x");
  wajah::cli::download(server.address() + "/file", place / "part", garbage.size(), [](std::uint64_t, std::uint64_t) {});
  CHECK(place.read("part") == garbage);
}

TEST_CASE("download: a cut is told without a size that nobody has said") {
  const Workplace place;
  const FileServer server([](const std::string&) {
    return std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  });
  CHECK_THROWS_WITH_AS(
      wajah::cli::download(server.address() + "/file", place / "part", 50'000, [](std::uint64_t, std::uint64_t) {}),
      doctest::Contains("ended after 5 bytes"), wajah::Error);
  CHECK(place.read("part") == "hello");
}

TEST_CASE("fetch: nobody there") {
  const Workplace place;
  std::string address;
  {
    const FileServer server([](const std::string&) { return std::string(); });
    address = server.address();
  }
  place.write("data/models/other.safetensors", "kept");
  const auto before = place.files();
  const Outcome outcome = fetch(place, address);
  CHECK(outcome.status == 3);
  CHECK(outcome.one_sentence());
  CHECK(contains(outcome.err, "cannot be reached"));
  CHECK(place.files() == before);
}

TEST_CASE("fetch: a server that cannot prove its name is not believed") {
  const Workplace place;
  const Certificate certificate = make_certificate();
  const FileServer server([](const std::string&) { return cut_after(garbage, 50); }, certificate);
  const Outcome stranger = fetch(place, server.address());
  CHECK(stranger.status == 3);
  CHECK(contains(stranger.err, "certificate"));
  CHECK(server.requests().empty());
  CHECK(place.files().empty());

  place.write("authority.pem", certificate.pem);
  const std::map<std::string, std::string> trust{{"SSL_CERT_FILE", (place / "authority.pem").string()}};
  const Outcome trusting = fetch(place, server.address(), trust);
  CAPTURE(trusting.err);
  CHECK(trusting.status == 3);
  CHECK(place.read(part_name) == garbage.substr(0, 50));

  // The right key under another name.
  std::string by_number = server.address();
  by_number.replace(by_number.find("localhost"), 9, "127.0.0.1");
  CHECK(contains(fetch(place, by_number, trust).err, "certificate"));
}

TEST_CASE("fetch: the genuine files, with a cut on the way") {
  const auto files = genuine_files();
  if (files.empty()) {
    MESSAGE("skipped: the published det*.npy are not here");
    return;
  }
  const Workplace place;
  {
    const FileServer server([&](const std::string& request) {
      const std::string name = file_asked_for(request);
      return name == "det2.npy" ? cut_after(files.at(name), 100'000) : whole(files.at(name));
    });
    CHECK(fetch(place, server.address()).status == 3);
    CHECK(place.read("data/models/download/mtcnn/det1.npy") == files.at("det1.npy"));
  }
  const FileServer server([&](const std::string& request) {
    const std::string name = file_asked_for(request);
    return name == "det2.npy" ? rest_from(files.at(name), 100'000) : whole(files.at(name));
  });
  const Outcome outcome = fetch(place, server.address());
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  CHECK(server.requests().size() == 2);  // det1.npy was whole
  CHECK(place.files() == std::set<std::string>{"data", "data/models", "data/models/mtcnn.safetensors"});
  CHECK(place.run({"models", "use", "mtcnn"}).status == 0);
  CHECK(contains(place.run({"models", "list", "--json"}).out, "data/models/mtcnn.safetensors"));
  CHECK(contains(place.run({"doctor", "--json"}).out, "licence MIT, davidsandberg/facenet"));
  // Not fetched twice.
  CHECK(contains(fetch(place, server.address()).out, "already there"));
  CHECK(server.requests().size() == 2);
}

TEST_CASE("fetch: only one at a time downloads a model into a data folder") {
  const Workplace place, elsewhere;
  const std::string data = (place / "data").string();
  Outcome second;
  const FileServer other([](const std::string&) { return refusal("404 Not Found"); });
  const FileServer server([&](const std::string&) {
    second = elsewhere.run({"models", "fetch", "mtcnn", "--data", data}, {{"WAJAH_FETCH_BASE", other.address()}});
    return cut_after(garbage, 50);
  });
  CHECK(fetch(place, server.address()).status == 3);
  CHECK(second.status == 3);
  CHECK(second.one_sentence());
  CHECK(contains(second.err, "another fetch of mtcnn is running"));
  CHECK(other.requests().empty());
  CHECK(place.read(part_name) == garbage.substr(0, 50));

  INFO("its lock ends with it, also where its file stayed behind");
  place.write("data/models/download/mtcnn.lock", "");
  CHECK(contains(fetch(place, other.address()).err, "404"));
  CHECK(!fs::exists(place / "data/models/download/mtcnn.lock"));
}

TEST_CASE("fetch: what has been verified does not change any more, whoever has the download open") {
  const auto files = genuine_files();
  if (files.empty()) {
    MESSAGE("skipped: the published det*.npy are not here");
    return;
  }
  const Workplace place;
  place.write(part_name, files.at("det1.npy").substr(0, 1000));
  fs::create_hard_link(place / part_name, place / "open");
  const FileServer server([&](const std::string& request) {
    const std::string name = file_asked_for(request);
    if (name == "det1.npy") return rest_from(files.at(name), 1000);
    if (name == "det2.npy") place.write("open", garbage);  // det1.npy has been verified
    return whole(files.at(name));
  });
  const Outcome outcome = fetch(place, server.address());
  CAPTURE(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(server.requests().size() == 3);
}
