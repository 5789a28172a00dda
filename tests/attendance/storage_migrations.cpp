// From a database of schema 1, as the first wajah made it, to the newest.
#include "attendance/storage/migrations.hpp"
#include "attendance/storage/sqlite_people_store.hpp"
#include "fakes.hpp"
#include "store_contract.hpp"

#include <wajah/error.hpp>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <sstream>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

// Written out, not made by the code under test: what was released never changes.
constexpr const char* schema_1 = R"(
  CREATE TABLE person (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    nik TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    enrolled_at INTEGER NOT NULL);
  CREATE TABLE photo (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    UNIQUE (person, digest));
  CREATE TABLE picture (
    photo INTEGER PRIMARY KEY REFERENCES photo(id) ON DELETE CASCADE,
    bytes BLOB NOT NULL);
  CREATE TABLE embedding (
    photo INTEGER NOT NULL REFERENCES photo(id) ON DELETE CASCADE,
    model TEXT NOT NULL,
    vector BLOB NOT NULL,
    checksum BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (photo, model)) WITHOUT ROWID;
  CREATE TABLE attendance (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    claimed_nik TEXT NOT NULL,
    matched INTEGER NOT NULL CHECK (matched IN (0, 1)),
    person INTEGER REFERENCES person(id) ON DELETE SET NULL,
    accuracy REAL NOT NULL,
    faces INTEGER NOT NULL);
  CREATE INDEX attendance_at ON attendance(at);
  CREATE INDEX attendance_person ON attendance(person);
  PRAGMA application_id = 0x77616A68;
  PRAGMA user_version = 1;
  INSERT INTO person VALUES (1, '1', 'ANI', 1000000), (2, '2', 'BUDI', 2000000);
  INSERT INTO photo VALUES (1, 1, zeroblob(32), 640, 480, 1000000);
  INSERT INTO picture VALUES (1, x'0102');
  INSERT INTO attendance VALUES (1, 3000000, '1', 1, 1, 0.9, 1))";

// The checksum of 1.0F, 2.0F for photo 1 and model m1, as schema 1 has it.
void add_embedding(const std::filesystem::path& file) {
  sqlite::Connection writer(file, sqlite::Access::read_write);
  const std::vector<float> values{1, 2};
  const auto bytes = bytes_of(values);
  writer.prepare("INSERT INTO embedding VALUES (1, 'm1', ?1, ?2, 1000000)")
      .bind(bytes, sqlite::Blob(checksum_of(1, "m1", bytes)))
      .run();
}

void make_schema_1(const std::filesystem::path& file) {
  sqlite3* connection = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &connection) == SQLITE_OK);
  const int code = sqlite3_exec(connection, schema_1, nullptr, nullptr, nullptr);
  sqlite3_close(connection);
  REQUIRE(code == SQLITE_OK);
  add_embedding(file);
}

std::string in_one_line(const std::string& sql) {
  std::istringstream words(sql);
  std::string line;
  for (std::string word; words >> word;) line += " " + word;
  return line;
}

std::string schema_of(const std::filesystem::path& file) {
  sqlite::Connection connection(file, sqlite::Access::read_only);
  std::string text = std::to_string(connection.integer("PRAGMA user_version"));
  auto query = connection.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name");
  while (query.step()) text += "\n" + query.text(0) + " " + query.text(1) + in_one_line(query.text(2));
  return text;
}

}  // namespace

TEST_CASE("a database of schema 1 is brought to the newest, and keeps all it held") {
  const TempFolder folder;
  make_schema_1(folder.path() / "wajah.db");
  const DataFolder data(folder.path());
  Database database(data);
  SqliteStore gallery(database);
  SqlitePeopleStore people(database);
  CHECK(gallery.people().size() == 2);
  CHECK(gallery.people()[0].photos == 1);
  const auto found = gallery.embeddings("m1");
  REQUIRE(found.intact.size() == 1);
  CHECK(found.intact[0].values == std::vector<float>{1, 2});
  CHECK(people.picture(1, 1) == std::vector{std::byte{1}, std::byte{2}});
  CHECK(gallery.attendance(Time::min(), Time::max(), 0, 10).at(0).person->name == "ANI");
  const auto ani = people.person_with("1");
  CHECK(ani->version == 1);
  CHECK(ani->updated_at == ani->enrolled_at);
  CHECK(ani->details == PersonDetails{});
  CHECK(gallery.enrol(enrolment("3", "CITRA", {1}))->person.id == 3);
}

TEST_CASE("an upgraded database has the schema of a new one") {
  const TempFolder upgraded, made;
  make_schema_1(upgraded.path() / "wajah.db");
  {
    const DataFolder data(upgraded.path());
    const Database database(data);
  }
  {
    const DataFolder data(made.path());
    const Database database(data);
  }
  const auto expected = schema_of(made.path() / "wajah.db");
  CHECK(schema_of(upgraded.path() / "wajah.db") == expected);
  CHECK(expected.starts_with(std::to_string(migrations().size()) + "\n"));
}

TEST_CASE("an upgrade that is cut short after any step goes on at the next start") {
  const TempFolder made;
  {
    const DataFolder data(made.path());
    const Database database(data);
  }
  for (std::size_t steps = 1; steps < migrations().size(); ++steps) {
    const TempFolder folder;
    const auto file = folder.path() / "wajah.db";
    make_schema_1(file);
    {
      sqlite::Connection writer(file, sqlite::Access::read_write);
      for (std::size_t step = 1; step < steps; ++step) {
        migrations()[step].apply(writer);
        writer.execute(("PRAGMA user_version = " + std::to_string(step + 1)).c_str());
      }
      // The next one is half done when the process dies.
      sqlite::Transaction transaction(writer, sqlite::Transaction::Kind::write);
      migrations()[steps].apply(writer);
    }
    {
      const DataFolder data(folder.path());
      const Database database(data);
    }
    CHECK(schema_of(file) == schema_of(made.path() / "wajah.db"));
  }
}
