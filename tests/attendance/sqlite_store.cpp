// SqliteStore: the contract, and what only a database on a disk can go through.
#include "attendance/sqlite_store.hpp"

#include "fakes.hpp"
#include "store_contract.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <thread>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

struct OpenStore {
  explicit OpenStore(const std::filesystem::path& folder) : data(folder), database(data), store(database) {}
  DataFolder data;
  Database database;
  SqliteStore store;
};

// SQL beside the store, as another program would run it.
void run_sql(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* connection = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &connection) == SQLITE_OK);
  const int code = sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr);
  sqlite3_close(connection);
  REQUIRE(code == SQLITE_OK);
}

std::string refusal_of(const std::filesystem::path& folder) {
  try {
    const OpenStore open(folder);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::storage);
    return error.what();
  }
  return "";
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// A process of its own that ends without destructors, as if it were killed; it must never return into the tests.
pid_t fork_and(const std::function<void()>& work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child > 0) return child;
  try {
    work();
    ::_exit(0);
  } catch (...) {
    ::_exit(1);
  }
}

void write(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace

TEST_CASE("SqliteStore keeps the store's contract") {
  const TempFolder folder;
  std::unique_ptr<OpenStore> open;
  check_store_contract([&]() -> Store& {
    open.reset();
    open = std::make_unique<OpenStore>(folder.path());
    return open->store;
  });
}

TEST_CASE("files are for their owner alone") {
  const TempFolder folder;
  const OpenStore open(folder.path() / "new" / "data");
  for (const auto& entry : std::filesystem::directory_iterator(open.data.path())) {
    CHECK_MESSAGE((entry.status().permissions() & std::filesystem::perms(0077)) == std::filesystem::perms::none,
                  entry.path().filename().string());
  }
  CHECK(std::filesystem::status(open.data.path()).permissions() == std::filesystem::perms(0700));
}

TEST_CASE("a second process on the folder is refused, and may come when the first is gone") {
  const TempFolder folder;
  auto open = std::make_unique<OpenStore>(folder.path());
  const auto message = refusal_of(folder.path());
  CHECK(has(message, "another wajah is using it"));
  CHECK(has(message, std::to_string(::getpid())));
  open.reset();
  CHECK(refusal_of(folder.path()).empty());
}

TEST_CASE("a folder that cannot be made is refused with a sentence") {
  const TempFolder folder;
  write(folder.path() / "file", "x");
  CHECK(has(refusal_of(folder.path() / "file"), "data folder"));
  CHECK(has(refusal_of(folder.path() / "file" / "below"), "cannot be made"));
}

TEST_CASE("a half-finished transaction is not there after a crash, a committed one is") {
  const TempFolder folder;
  {
    OpenStore open(folder.path());
    open.store.enrol(enrolment("1", "ANI", {1, 2}));
  }
  const pid_t child = fork_and([&] {
    OpenStore open(folder.path());
    open.store.enrol(enrolment("2", "BUDI", {3}));
    sqlite::Connection writer(open.data.database(), sqlite::Access::read_write);
    sqlite::Transaction transaction(writer, sqlite::Transaction::Kind::write);
    writer.execute("DELETE FROM person; INSERT INTO person (nik, name, enrolled_at) VALUES ('3', 'C', 0)");
    ::_exit(0);
  });
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(status == 0);
  OpenStore open(folder.path());
  const auto people = open.store.people();
  REQUIRE(people.size() == 2);
  CHECK(people[0].photos == 2);
  CHECK(people[1].person.name == "BUDI");
}

TEST_CASE("killed at any moment, nothing acknowledged is lost and nobody is half there") {
  const TempFolder folder;
  std::map<int, bool> acknowledged;  // person -> enrolled, by the last acknowledged operation
  std::mt19937 random(3);
  for (int round = 0; round < 12 || (acknowledged.size() < 5 && round < 100); ++round) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = fork_and([&] {
      OpenStore open(folder.path());
      for (int i = 0;; ++i) {
        const int person = (round + i) % 5;
        const auto nik = std::to_string(person);
        const bool enrols = !open.store.find(nik);
        const std::array<int, 2> begun{person, 2};
        const std::array<int, 2> ended{person, int{enrols}};
        if (::write(ends[1], begun.data(), sizeof begun) < 0) ::_exit(1);
        enrols ? (void)open.store.enrol(enrolment(nik, "ANI", {1, 2, 3})) : (void)open.store.remove(nik, "ANI");
        if (::write(ends[1], ended.data(), sizeof ended) < 0) ::_exit(1);
      }
    });
    ::close(ends[1]);
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 100));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    int in_doubt = -1;
    for (std::array<int, 2> event{}; ::read(ends[0], event.data(), sizeof event) == sizeof event;) {
      in_doubt = event[1] == 2 ? event[0] : -1;
      if (event[1] != 2) acknowledged[event[0]] = event[1] == 1;
    }
    ::close(ends[0]);

    OpenStore open(folder.path());
    std::map<int, bool> found;
    for (const auto& person : open.store.people()) {
      CHECK(person.photos == 3);
      found[std::stoi(person.person.nik)] = true;
    }
    CHECK(open.store.embeddings("m1").intact.size() == 3 * found.size());
    for (const auto& [person, enrolled] : acknowledged) {
      if (person != in_doubt) CHECK(found[person] == enrolled);
    }
    if (in_doubt >= 0) acknowledged[in_doubt] = found[in_doubt];
  }
  CHECK(acknowledged.size() == 5);
}

TEST_CASE("after a removal no byte of the person is in the folder, the claimed NIK in attendance excepted") {
  const TempFolder folder;
  OpenStore open(folder.path());
  auto planted = enrolment("1", "PLANTED NAME", {1});
  planted.photos[0].embedding.assign(512, 0.123456F);
  const std::string marker = "PLANTED PICTURE ";
  for (int i = 0; i < 2000; ++i) {
    for (const char c : marker) planted.photos[0].picture.push_back(static_cast<std::byte>(c));
  }
  const auto ani = open.store.enrol(planted);
  open.store.enrol(enrolment("2", "BUDI", {1}));
  open.store.record({Time{}, "1", ani->person.id, 1, 1});
  const auto& floats = planted.photos[0].embedding;
  const std::string vector(reinterpret_cast<const char*>(floats.data()), 64);
  for (const auto& bytes : {std::string("PLANTED NAME"), marker, vector}) {
    CHECK(anywhere_below(folder.path(), bytes));
  }
  REQUIRE(open.store.remove("1", "PLANTED NAME"));
  for (const auto& bytes : {std::string("PLANTED NAME"), marker, vector}) {
    CHECK_FALSE(anywhere_below(folder.path(), bytes));
  }
}

TEST_CASE("what a reader held up is erased with the next record") {
  const TempFolder folder;
  OpenStore open(folder.path());
  open.store.enrol(enrolment("1", "PLANTED NAME", {1}));
  {
    sqlite::Connection reader(open.data.database(), sqlite::Access::read_only);
    sqlite::Transaction transaction(reader, sqlite::Transaction::Kind::read);
    CHECK(reader.integer("SELECT count(*) FROM person") == 1);
    CHECK(open.store.remove("1", "PLANTED NAME"));
    CHECK(open.store.people().empty());
    CHECK(anywhere_below(folder.path(), "PLANTED NAME"));
  }
  CHECK(open.store.record({Time{}, "2", std::nullopt, 0, 0}));
  CHECK_FALSE(anywhere_below(folder.path(), "PLANTED NAME"));
}

TEST_CASE("a row whose checksum does not fit matches nobody") {
  const TempFolder folder;
  std::vector<StoredEmbedding> added;
  {
    OpenStore open(folder.path());
    added = open.store.enrol(enrolment("1", "ANI", {1, 2, 3}))->added;
  }
  const auto file = folder.path() / "wajah.db";
  SUBCASE("a bit of the vector flipped") { run_sql(file, "UPDATE embedding SET vector = x'00000000' WHERE photo = 1"); }
  SUBCASE("rows exchanged") {
    run_sql(file,
            "UPDATE embedding SET (vector, checksum) = (SELECT vector, checksum FROM embedding WHERE photo = 2) "
            "WHERE photo = 1");
  }
  SUBCASE("given out as another model's") { run_sql(file, "UPDATE embedding SET model = 'm2' WHERE photo = 1"); }
  SUBCASE("cut") { run_sql(file, "UPDATE embedding SET vector = substr(vector, 1, 7) WHERE photo = 1"); }
  SUBCASE("no checksum") { run_sql(file, "UPDATE embedding SET checksum = x'' WHERE photo = 1"); }
  OpenStore open(folder.path());
  std::size_t damaged = 0;
  for (const char* model : {"m1", "m2"}) {
    const auto found = open.store.embeddings(model);
    damaged += found.damaged;
    for (const auto& embedding : found.intact) CHECK(embedding.photo != added[0].photo);
  }
  CHECK(damaged == 1);
  CHECK(open.store.embeddings("m1").intact.size() == 2);
}

TEST_CASE("a database that is not ours or not whole is refused and left as it is") {
  const TempFolder folder;
  const auto file = folder.path() / "wajah.db";
  { OpenStore(folder.path()).store.enrol(enrolment("1", "ANI", {1})); }
  const auto whole = contents(file);
  std::string expected;
  SUBCASE("another program's") {
    std::filesystem::remove(file);
    run_sql(file, "CREATE TABLE notes (text TEXT)");
    expected = "another program";
  }
  SUBCASE("of a newer wajah") {
    run_sql(file, "PRAGMA user_version = 99");
    expected = "has schema 99";
  }
  SUBCASE("no database at all") {
    write(file, std::string(5000, 'x'));
    expected = "restore a backup";
  }
  SUBCASE("empty") {
    write(file, "");
    expected = "is empty";
  }
  SUBCASE("cut") {
    write(file, std::string_view(whole).substr(0, whole.size() / 2));
    expected = "restore a backup";
  }
  SUBCASE("only its log is left") {
    std::filesystem::remove(file);
    write(file.string() + "-wal", "x");
    expected = "is missing";
  }
  const auto before = std::filesystem::exists(file) ? contents(file) : "";
  const auto message = refusal_of(folder.path());
  CHECK_MESSAGE(has(message, expected), message);
  CHECK_MESSAGE(has(message, file.string()), message);
  CHECK((std::filesystem::exists(file) ? contents(file) : "") == before);
}

TEST_CASE("random damage never ends in a crash, a new database or a wrong vector") {
  const TempFolder folder;
  const auto file = folder.path() / "wajah.db";
  {
    OpenStore open(folder.path());
    for (int person = 0; person < 20; ++person) {
      open.store.enrol(enrolment(std::to_string(person), "ANI", {1, 2, 3}));
    }
  }
  const auto whole = contents(file);
  std::mt19937 random(4);
  int refused = 0;
  for (int round = 0; round < 60; ++round) {
    auto bytes = whole;
    for (auto flips = 1 + random() % 8; flips > 0; --flips)
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    if (round % 4 == 0) bytes.resize(random() % bytes.size());
    write(file, bytes);
    std::filesystem::remove(file.string() + "-wal");
    std::filesystem::remove(file.string() + "-shm");
    try {
      OpenStore open(folder.path());
      CHECK(open.store.people().size() <= 20);
      for (const auto& embedding : open.store.embeddings("m1").intact) {
        const auto number = static_cast<int>(embedding.values.at(0));
        CHECK(embedding.values == new_photo(number).embedding);
        CHECK((number >= 1 && number <= 3));
      }
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::storage);
      ++refused;
    }
  }
  CHECK(refused > 10);
}

TEST_CASE("a first start that was interrupted does not stand in the way of the next") {
  const TempFolder folder;
  write(folder.path() / "wajah.db.new", "half a database");
  CHECK(refusal_of(folder.path()).empty());
  CHECK_FALSE(std::filesystem::exists(folder.path() / "wajah.db.new"));
}

TEST_CASE("while another program holds the write lock, writing fails in time and reading goes on") {
  const TempFolder folder;
  OpenStore open(folder.path());
  open.store.enrol(enrolment("1", "ANI", {1}));
  {
    sqlite::Connection other(open.data.database(), sqlite::Access::read_write);
    const sqlite::Transaction lock(other, sqlite::Transaction::Kind::write);
    const auto start = std::chrono::steady_clock::now();
    CHECK_THROWS_AS(open.store.enrol(enrolment("2", "BUDI", {2})), Error);
    CHECK(std::chrono::steady_clock::now() - start < 10s);
    CHECK(open.store.people().size() == 1);
  }
  CHECK(open.store.enrol(enrolment("2", "BUDI", {2})));
}

TEST_CASE("on a full disk writing fails with a sentence, reading goes on, and later everything works") {
  const TempFolder folder;
  OpenStore open(folder.path());
  open.store.enrol(enrolment("1", "ANI", {1}));
  auto large = enrolment("2", "BUDI", {2, 3});
  for (NewPhoto& photo : large.photos) photo.picture.resize(1 << 20);
  for (const std::size_t room : {0, 4096, 100'000, 1'500'000}) {
    const FileSizeLimit limit(std::filesystem::file_size(open.data.database()) + room);
    CHECK_THROWS_AS(open.store.enrol(large), Error);
    CHECK(open.store.people().size() == 1);
    CHECK(open.store.embeddings("m1").intact.size() == 1);
  }
  CHECK(open.store.enrol(large)->added.size() == 2);
  CHECK(open.store.people().size() == 2);
}
