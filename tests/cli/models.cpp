// What wajah models use leaves behind when something is wrong: with the file, with its card, on the way.
#include "attendance/data_folder.hpp"
#include "attendance/sqlite_store.hpp"
#include "attendance/storage/database.hpp"
#include "check.hpp"
#include "cli/inputs.hpp"
#include "cli/program.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

using namespace wajah::test;
namespace fs = std::filesystem;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Somebody whose one photo has an embedding of a model that nobody uses any more, and no picture that was kept.
void enrol_somebody(const fs::path& data) {
  const wajah::attendance::DataFolder folder(data);
  wajah::attendance::Database database(folder);
  wajah::attendance::SqliteStore store(database);
  REQUIRE(store.enrol({"1", "ANI", "m1", {{{}, 10, 10, {1, 2, 3}, {}}}, {}, {}}));
}

}  // namespace

TEST_CASE("models use: what was left undone is done by the same command") {
  const Workplace place;
  write_random_mtcnn(place);
  write_random_embedder(place);
  enrol_somebody(place / "data");
  const std::vector<std::string> use{"models", "use", "embedder.safetensors", "--mtcnn", "mtcnn.safetensors"};

  SUBCASE("the choice was made before, and nothing followed") {
    auto later = use;
    later.insert(later.begin() + 2, "--later");
    const Outcome postponed = place.run(later);
    REQUIRE(postponed.status == 0);
    CHECK(!contains(postponed.out, "ANI"));
    const Outcome again = place.run(use);
    CHECK(again.status == 0);
    CHECK(contains(again.out, "ANI"));
  }
  SUBCASE("the data folder is sealed and the key is not there") {
    REQUIRE(place.run({"keys", "make-file", "storage.key"}).status == 0);
    REQUIRE(place.run({"people", "list", "--storage-key-file", "storage.key"}).status == 0);
    const Outcome sealed = place.run(use);
    CHECK(sealed.status == 3);
    CHECK(contains(sealed.err, "the choice is written, but "));
    CHECK(contains(sealed.err, "storage.key_file"));
    CHECK(contains(sealed.err, "by the same command"));
    CHECK(contains(place.read("data/models/in_use.toml"), "embedder.safetensors"));
    const Outcome opened = place.run(use, {{"WAJAH_STORAGE_KEY_FILE", "storage.key"}});
    CHECK(opened.status == 0);
    CHECK(contains(opened.out, "ANI"));
  }
  SUBCASE("a server is using the data folder") {
    const wajah::attendance::DataFolder server(place / "data");
    const Outcome busy = place.run(use);
    CHECK(busy.status == 3);
    CHECK(contains(busy.err, "another wajah is using it"));
    CHECK(contains(busy.err, "at the next start of the server"));
    CHECK(place.run({"models", "use", "mtcnn.safetensors"}).status == 0);  // no photo waits for another detector
  }
}

TEST_CASE("models use: a file whose card is wrong is refused before anything is written") {
  const Workplace place;
  write_random_embedder(place);
  const auto refused = [&](const std::string& card, const std::string& told) {
    place.write("embedder.json", card);
    const Outcome outcome = place.run({"models", "use", "embedder.safetensors"});
    CAPTURE(outcome.err);
    CHECK(outcome.status == 4);
    CHECK(outcome.one_sentence());
    CHECK(contains(outcome.err, "embedder.json: "));
    CHECK(contains(outcome.err, told));
    CHECK(!fs::exists(place / "data"));
  };
  refused(R"({"architecture": "inception-resnet-v1", "decision_curve": "1 2 3"})", "five numbers");
  refused(R"({"architecture": "inception-resnet-v1", "crop": "square 160"})", "the profile is unknown");
  refused(R"({"architecture": "inception-resnet-v1", "mirror": "sometimes"})", "never, enrol or always");
  refused(R"({"architecture": "inception-resnet-v1", "mirror": 1})", "is no text");
  refused(R"({"architecture": "mobilefacenet"})", "is the card of 'mobilefacenet'");
  place.write("embedder.json", R"({"architecture": "inception-resnet-v1", "mirror": "never"})");
  CHECK(place.run({"models", "use", "embedder.safetensors"}).status == 0);
}

TEST_CASE("models use: a choice that cannot be understood is written anew, as its message says") {
  const Workplace place;
  write_random_mtcnn(place);
  place.write("a.jpg", drawn_jpeg());
  for (const std::string damage : {"embedder = 5\n", "x = \n", "foo = \"bar\"\n", "detector = \"\"\n"}) {
    CAPTURE(damage);
    place.write("data/models/in_use.toml", damage);
    CHECK(contains(place.run({"models", "list"}).err, "'wajah models use NAME' writes this file anew"));
    CHECK(place.run({"models", "use", "nothing"}).status == 2);
    CHECK(place.read("data/models/in_use.toml") == damage);
    const Outcome mended = place.run({"models", "use", "mtcnn.safetensors"});
    CAPTURE(mended.err);
    CHECK(mended.status == 0);
    CHECK(contains(mended.err, "which is done now"));
    CHECK(place.run({"models", "list"}).status == 0);
    CHECK(contains(place.read("data/models/in_use.toml"), "mtcnn.safetensors"));
  }
}

TEST_CASE("people list: needs no models, also where one was chosen that is gone") {
  const Workplace place;
  write_random_embedder(place);
  REQUIRE(place.run({"models", "use", "embedder.safetensors"}).status == 0);
  enrol_somebody(place / "data");
  CHECK(contains(place.run({"people", "list"}).out, "needs new photos"));
  fs::remove(place / "embedder.safetensors");
  const Outcome listed = place.run({"people", "list"});
  CHECK(listed.status == 0);
  CHECK(contains(listed.out, "ANI"));
  CHECK(contains(listed.err, "embedder.safetensors is not there"));
}
