// Templates at rest: sealed, opened, re-keyed, and refused with the wrong key.
#include "attendance/storage/sqlite_people_store.hpp"
#include "fakes.hpp"
#include "storage_contracts.hpp"
#include "store_contract.hpp"

#include <wajah/error.hpp>

#include <doctest/doctest.h>

#include <fstream>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

struct Opened {
  Opened(const std::filesystem::path& path, const std::filesystem::path& key)
      : folder(path), database(folder, {key, {}}), gallery(database) {}
  DataFolder folder;
  Database database;
  SqliteStore gallery;
};

struct Fixture {
  Fixture() {
    Vault::make_file(key);
    Vault::make_file(other_key);
  }
  TempFolder temp;
  std::filesystem::path data = temp.path() / "data", key = temp.path() / "key", other_key = temp.path() / "other";

  [[nodiscard]] std::string refusal(const std::filesystem::path& key_file) const {
    try {
      const Opened open(data, key_file);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::storage);
      return error.what();
    }
    return "";
  }
};

const std::string marker = "PLANTED PICTURE ";

Enrolment planted() {
  auto ani = enrolment("1", "ANI", {1, 2});
  ani.photos[0].embedding.assign(512, 0.123456F);
  for (int i = 0; i < 1000; ++i) {
    for (const char c : marker) ani.photos[0].picture.push_back(static_cast<std::byte>(c));
  }
  return ani;
}

std::string embedding_bytes() {
  const std::vector<float> values(16, 0.123456F);
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

bool lies_open(const std::filesystem::path& folder) {
  return anywhere_below(folder, marker) || anywhere_below(folder, embedding_bytes());
}

void check_whole(Opened& open) {
  const auto found = open.gallery.embeddings("m1");
  CHECK(found.damaged == 0);
  REQUIRE(found.intact.size() == 2);
  CHECK(found.intact[0].values == planted().photos[0].embedding);
  CHECK(SqlitePeopleStore(open.database).picture(found.intact[0].person, found.intact[0].photo) ==
        planted().photos[0].picture);
}

}  // namespace

TEST_CASE("what is sealed opens only as it was, where it was, with its key") {
  const Vault vault(Secret::random());
  const std::vector<std::byte> bytes(100, std::byte{7});
  const TemplatePlace place{1, 2, "m1"};
  const auto sealed = vault.seal(place, bytes);
  CHECK(vault.open(place, sealed) == bytes);
  CHECK(vault.seal(place, bytes) != sealed);
  CHECK_FALSE(vault.open({2, 2, "m1"}, sealed));
  CHECK_FALSE(vault.open({1, 3, "m1"}, sealed));
  CHECK_FALSE(vault.open({1, 2, "m2"}, sealed));
  CHECK_FALSE(Vault(Secret::random()).open(place, sealed));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto flipped = sealed;
    flipped[i] ^= std::byte{1};
    CHECK_FALSE(vault.open(place, flipped));
    CHECK_FALSE(vault.open(place, std::span(sealed).first(i)));
  }
  CHECK(vault.open(place, vault.seal(place, {})) == std::vector<std::byte>());
}

TEST_CASE_FIXTURE(Fixture, "with a key file no template lies open in the folder") {
  Opened open(data, key);
  open.gallery.enrol(planted());
  check_whole(open);
  CHECK_FALSE(lies_open(data));
}

TEST_CASE_FIXTURE(Fixture, "turning sealing on seals what lay open, and tells how far it is") {
  { Opened(data, {}).gallery.enrol(planted()); }
  CHECK(lies_open(data));
  std::size_t last = 0, total = 0;
  {
    const DataFolder folder(data);
    const Database database(folder, {key, [&](std::size_t done, std::size_t all) { last = done, total = all; }});
    CHECK_FALSE(lies_open(data));
  }
  CHECK(last == 3);
  CHECK(total == 3);
  Opened open(data, key);
  check_whole(open);
}

TEST_CASE_FIXTURE(Fixture, "a wrong or missing key file is one sentence, and nothing is touched") {
  { Opened(data, key).gallery.enrol(planted()); }
  const auto before = contents(data / "wajah.db");
  std::filesystem::path given;
  std::string expected;
  SUBCASE("none") { expected = "name that key's file with storage.key_file"; }
  SUBCASE("another") { given = other_key, expected = "name the right file"; }
  SUBCASE("not there") { given = temp.path() / "nowhere", expected = "cannot be read"; }
  SUBCASE("no key") {
    given = temp.path() / "text";
    std::ofstream(given) << "hello";
    expected = "no wajah-template-key file";
  }
  const auto message = refusal(given);
  CHECK_MESSAGE(message.find(expected) != std::string::npos, message);
  CHECK(message.find('\n') == std::string::npos);
  CHECK(contents(data / "wajah.db") == before);
  Opened open(data, key);
  check_whole(open);
}

TEST_CASE_FIXTURE(Fixture, "templates are re-keyed all at once, and laid open again") {
  {
    Opened open(data, key);
    open.gallery.enrol(planted());
    CHECK(open.database.rekey(Vault::open_file(other_key), {}).templates == 3);
    check_whole(open);
  }
  CHECK(refusal(key).find("sealed with key") != std::string::npos);
  {
    Opened open(data, other_key);
    check_whole(open);
    CHECK(open.database.rekey(std::nullopt, {}).damaged == 0);
    check_whole(open);
  }
  Opened open(data, {});
  check_whole(open);
}

TEST_CASE_FIXTURE(Fixture, "a re-keying that breaks off leaves every template as it was") {
  Opened open(data, key);
  open.gallery.enrol(planted());
  const auto break_off = [](std::size_t done, std::size_t) {
    if (done == 2) fail(ErrorKind::storage, "broken off");
  };
  CHECK_THROWS_AS(open.database.rekey(Vault::open_file(other_key), break_off), Error);
  check_whole(open);
  CHECK(open.database.vault()->id() == Vault::open_file(key).id());
}

TEST_CASE_FIXTURE(Fixture, "a template of another person does not match whoever it was moved to") {
  Opened open(data, key);
  open.gallery.enrol(planted());
  const auto budi = open.gallery.enrol(enrolment("2", "BUDI", {3}))->person.id;
  {
    Database::Write write(open.database);
    write->prepare("UPDATE photo SET person = ?1 WHERE id = 1").bind(budi).run();
    write.commit();
  }
  const auto found = open.gallery.embeddings("m1");
  CHECK(found.damaged == 1);
  CHECK(found.intact.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "damaged templates do not survive a re-keying, since they would lie open") {
  { Opened(data, {}).gallery.enrol(planted()); }
  {
    sqlite::Connection other(data / "wajah.db", sqlite::Access::read_write);
    other.execute("UPDATE embedding SET checksum = x'' WHERE photo = 1; UPDATE picture SET checksum = x''");
  }
  Opened open(data, key);
  CHECK(open.gallery.embeddings("m1").intact.size() == 1);
  CHECK_FALSE(lies_open(data));
}
