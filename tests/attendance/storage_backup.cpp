// Backups: made while others write, checked, put back; erased people stay erased.
#include "attendance/storage/backup.hpp"
#include "attendance/storage/sqlite_account_store.hpp"
#include "attendance/storage/sqlite_key_store.hpp"
#include "attendance/storage/sqlite_people_store.hpp"
#include "fakes.hpp"
#include "storage_contracts.hpp"
#include "store_contract.hpp"

#include <wajah/error.hpp>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <thread>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

struct Opened {
  explicit Opened(const std::filesystem::path& path, const std::filesystem::path& key = {})
      : folder(path), database(folder, {key, {}}), gallery(database) {}
  DataFolder folder;
  Database database;
  SqliteStore gallery;

  [[nodiscard]] std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const auto& person : gallery.people()) names.push_back(person.person.name);
    return names;
  }
};

struct Fixture {
  TempFolder temp;
  std::filesystem::path data = temp.path() / "data", file = temp.path() / "backup.db";
};

using Names = std::vector<std::string>;

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::storage);
    return error.what();
  }
  return "";
}

RestoreReport restore_into(const std::filesystem::path& data, const std::filesystem::path& file, bool replace) {
  const DataFolder folder(data);
  return restore(folder, file, replace);
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a backup is made while the folder is in use and written to") {
  Opened open(data);
  for (int i = 0; i < 200; ++i) open.gallery.enrol(enrolment(std::to_string(i), "ANI", {1, 2, 3}));
  std::atomic<bool> done{false};
  std::jthread writer([&] {
    for (int i = 1000; !done; ++i) open.gallery.enrol(enrolment(std::to_string(i), "LATER", {1, 2, 3}));
  });
  std::size_t last = 0, total = 0;
  const auto report = back_up(data, file, false, [&](std::size_t now, std::size_t all) { last = now, total = all; });
  done = true;
  writer.join();
  CHECK(report.people >= 200);
  CHECK(report.photos == 3 * report.people);
  CHECK(report.damaged == 0);
  CHECK(last == total);
  CHECK(total > 0);
  CHECK(std::filesystem::status(file).permissions() == std::filesystem::perms(0600));
  CHECK_FALSE(std::filesystem::exists(file.string() + "-wal"));
  CHECK_FALSE(std::filesystem::exists(file.string() + ".new"));

  const auto other = temp.path() / "other";
  CHECK(restore_into(other, file, false).content.people == report.people);
  Opened restored(other);
  CHECK(restored.gallery.embeddings("m1").intact.size() == static_cast<std::size_t>(report.photos));
}

TEST_CASE_FIXTURE(Fixture, "neither a backup nor a database is replaced unless that is said") {
  { Opened(data).gallery.enrol(enrolment("1", "ANI", {1})); }
  back_up(data, file, false);
  CHECK(message_of([&] { back_up(data, file, false); }).find("--force") != std::string::npos);
  CHECK(message_of([&] { restore_into(data, file, false); }).find("--force") != std::string::npos);
  CHECK_NOTHROW(back_up(data, file, true));
  CHECK(restore_into(data, file, true).content.people == 1);
  CHECK(message_of([&] { back_up(temp.path() / "nowhere", file, true); }).find("no such database") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "who was erased since the backup is not brought back, and no id is given out twice") {
  PersonId last = 0;
  {
    Opened open(data);
    open.gallery.enrol(enrolment("1", "ANI", {1}));
    open.gallery.enrol(enrolment("2", "PLANTED BUDI", {2}));
    back_up(data, file, false);
    open.gallery.remove("2", "PLANTED BUDI");
    last = open.gallery.enrol(enrolment("3", "CITRA", {3}))->person.id;
  }
  const auto report = restore_into(data, file, true);
  CHECK(report.erased_again == 1);
  CHECK(report.erasures_known);
  CHECK_FALSE(anywhere_below(data, "PLANTED BUDI"));
  Opened open(data);
  CHECK(open.names() == Names{"ANI"});
  CHECK(open.gallery.enrol(enrolment("4", "DEWI", {4}))->person.id > last);
  back_up(data, file, true);
  CHECK(open.gallery.remove("4", "DEWI"));
}

TEST_CASE_FIXTURE(Fixture, "whoever was merged into somebody erased does not come back, nor does a forgotten NIK") {
  {
    Opened open(data);
    SqlitePeopleStore people(open.database);
    const auto former = open.gallery.enrol(enrolment("777", "PLANTED FORMER", {1}))->person.id;
    const auto ani = open.gallery.enrol(enrolment("888", "ANI", {2}))->person.id;
    REQUIRE(open.gallery.record({at_second(1), "888", ani, 1, 1}));
    REQUIRE(open.gallery.record({at_second(2), "888", std::nullopt, 0, 1}));
    back_up(data, file, false);
    REQUIRE(people.merge(former, ani, at_second(3)));
    REQUIRE(people.remove(ani, true, at_second(4), std::nullopt));
  }
  CHECK(restore_into(data, file, true).erased_again == 2);
  CHECK_FALSE(anywhere_below(data, "PLANTED FORMER"));
  Opened open(data);
  CHECK(open.names().empty());
  const auto rows = open.gallery.attendance(at_second(0), at_second(9), 0, 9);
  REQUIRE(rows.size() == 2);
  for (const auto& row : rows) CHECK(row.claimed_nik.empty());
}

TEST_CASE_FIXTURE(Fixture, "a restore gives back no key, account or password that was taken away since") {
  const auto secret = Secret::random();
  std::string revoked, kept, session;
  {
    Opened open(data);
    SqliteKeyStore keys(open.database, secret);
    SqliteAccountStore accounts(open.database, secret);
    const auto gone = keys.issue({"gone", "admin", {}, "", {}}, at_second(1));
    revoked = gone.text;
    kept = keys.issue({"kept", "admin", {}, "", {}}, at_second(1)).text;
    const auto sari = accounts.create({"sari", "old password", "hr", ""}, at_second(1));
    const auto left = accounts.create({"left", "password", "hr", ""}, at_second(1));
    session = accounts.open_session(sari->id, at_second(1), std::chrono::hours(9)).token;
    back_up(data, file, false);
    REQUIRE(keys.revoke(gone.key.id, at_second(2)));
    REQUIRE(accounts.remove(left->id));
    AccountChange change;
    change.password = "new password";
    REQUIRE(accounts.update(sari->id, change));
  }
  restore_into(data, file, true);
  Opened open(data);
  SqliteKeyStore keys(open.database, secret);
  SqliteAccountStore accounts(open.database, secret);
  CHECK_FALSE(keys.check(revoked, at_second(3)));
  CHECK(keys.check(kept, at_second(3)));
  CHECK_FALSE(accounts.session(session, at_second(3)));
  CHECK_FALSE(accounts.log_in("left", "password", at_second(3)));
  CHECK_FALSE(accounts.log_in("sari", "old password", at_second(3)));
  CHECK(accounts.log_in("sari", "new password", at_second(3)));
}

TEST_CASE_FIXTURE(Fixture, "ids of another installation's backup are not taken for ours") {
  const auto other = temp.path() / "other";
  { Opened(other).gallery.enrol(enrolment("9", "EKO", {1})); }
  back_up(other, file, false);
  {
    Opened open(data);
    open.gallery.enrol(enrolment("1", "ANI", {1}));
    open.gallery.remove("1", "ANI");
  }
  CHECK(restore_into(data, file, true).erased_again == 0);
  CHECK(Opened(data).names() == Names{"EKO"});
}

TEST_CASE_FIXTURE(Fixture, "a backup of sealed templates needs the same key") {
  const auto key = temp.path() / "key";
  Vault::make_file(key);
  {
    Opened open(data, key);
    open.gallery.enrol(enrolment("1", "ANI", {1}));
    back_up(data, file, false);
  }
  const auto other = temp.path() / "other";
  restore_into(other, file, false);
  CHECK(message_of([&] { Opened open(other); }).find("sealed with key") != std::string::npos);
  CHECK(Opened(other, key).gallery.embeddings("m1").intact.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "what is no whole backup is refused, and the folder stays as it was") {
  { Opened(data).gallery.enrol(enrolment("1", "ANI", {1})); }
  back_up(data, file, false);
  const auto whole = contents(file);
  auto bad = whole;
  std::string expected;
  SUBCASE("not there") {
    std::filesystem::remove(file);
    bad.clear();
    expected = "no such backup";
  }
  SUBCASE("text") { bad = std::string(9000, 'x'), expected = "restore a backup"; }
  SUBCASE("cut") { bad.resize(bad.size() / 2), expected = "backup"; }
  SUBCASE("empty") { bad.clear(), expected = "another program"; }
  if (std::filesystem::exists(file)) std::ofstream(file, std::ios::binary | std::ios::trunc) << bad;
  const auto message = message_of([&] { restore_into(data, file, true); });
  CHECK_MESSAGE(message.find(expected) != std::string::npos, message);
  CHECK(Opened(data).names() == Names{"ANI"});
}

TEST_CASE_FIXTURE(Fixture, "a damaged database is replaced by its backup") {
  { Opened(data).gallery.enrol(enrolment("1", "ANI", {1})); }
  back_up(data, file, false);
  std::ofstream(data / "wajah.db", std::ios::binary | std::ios::trunc) << std::string(9000, 'x');
  const auto report = restore_into(data, file, true);
  CHECK_FALSE(report.erasures_known);
  CHECK(Opened(data).names() == Names{"ANI"});
}

TEST_CASE_FIXTURE(Fixture, "killed at any moment of a restore, the folder holds the one or the other, whole") {
  { Opened(data).gallery.enrol(enrolment("1", "ANI", {1, 2, 3})); }
  back_up(data, file, false);
  { Opened(data).gallery.enrol(enrolment("2", "BUDI", {1, 2, 3})); }
  const auto later = temp.path() / "later.db";
  back_up(data, later, false);
  std::mt19937 random(5);
  for (int round = 0; round < 25; ++round) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      try {
        for (int i = round;; ++i) restore_into(data, i % 2 == 0 ? file : later, true);
      } catch (...) {
        ::_exit(1);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    Opened open(data);
    const auto names = open.names();
    CHECK((names == Names{"ANI"} || names == Names{"ANI", "BUDI"}));
    CHECK(open.gallery.embeddings("m1").intact.size() == 3 * names.size());
  }
}
