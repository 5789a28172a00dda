// The contracts on SQLite, and what only SQLite's file can go through.
#include "attendance/storage/sqlite_account_store.hpp"
#include "attendance/storage/sqlite_audit_log.hpp"
#include "attendance/storage/sqlite_consent_store.hpp"
#include "attendance/storage/sqlite_job_store.hpp"
#include "attendance/storage/sqlite_key_store.hpp"
#include "attendance/storage/sqlite_people_store.hpp"
#include "attendance/storage/sqlite_settings_store.hpp"
#include "attendance/storage/sqlite_webhook_store.hpp"
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
  explicit Opened(const std::filesystem::path& path, const DatabaseOptions& options = {})
      : folder(path), database(folder, options), gallery(database) {}
  DataFolder folder;
  Database database;
  SqliteStore gallery;
};

struct Fixture {
  TempFolder temp;
  Opened open{temp.path()};
};

void run_sql(Database& database, const char* sql) {
  sqlite::Connection other(database.file(), sqlite::Access::read_write);
  other.execute(sql);
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "SQLite keeps the contract of the key store") {
  SqliteKeyStore keys(open.database, server_secret(open.folder.path()));
  check_key_store(keys);
}

TEST_CASE_FIXTURE(Fixture, "SQLite keeps the contract of the account store") {
  SqliteAccountStore accounts(open.database, server_secret(open.folder.path()));
  check_account_store(accounts);
}

TEST_CASE_FIXTURE(Fixture, "SQLite keeps the contract of the audit log") {
  SqliteAuditLog log(open.database);
  check_audit_log(log);
}

TEST_CASE_FIXTURE(Fixture, "SQLite keeps the contract of the settings store") {
  SqliteSettingsStore settings(open.database);
  check_settings_store(settings);
}

TEST_CASE_FIXTURE(Fixture, "SQLite keeps the contract of the consent store") {
  SqliteConsentStore consents(open.database);
  check_consent_store(consents, open.gallery);
}

TEST_CASE_FIXTURE(Fixture, "SQLite keeps the contract of the webhook store") {
  SqliteWebhookStore webhooks(open.database);
  check_webhook_store(webhooks, open.gallery);
}

TEST_CASE_FIXTURE(Fixture, "SQLite keeps the contract of the job store") {
  SqliteJobStore jobs(open.database);
  check_job_store(jobs);
}

TEST_CASE("SQLite keeps the contract of the people store, templates open or sealed") {
  const TempFolder folder;
  DatabaseOptions options;
  SUBCASE("open") {}
  SUBCASE("sealed") {
    options.key_file = folder.path() / "templates.key";
    Vault::make_file(options.key_file);
  }
  Opened open(folder.path() / "data", options);
  SqlitePeopleStore people(open.database);
  check_people_store(people, open.gallery);
}

TEST_CASE_FIXTURE(Fixture, "neither the database nor its log holds a key, a password or a session") {
  const Secret secret = server_secret(open.folder.path());
  SqliteKeyStore keys(open.database, secret);
  SqliteAccountStore accounts(open.database, secret);
  const auto key = keys.issue({"gate", "kiosk", {}, "", {}}, at_second(1));
  const auto account = accounts.create({"sari", "PLANTED PASSWORD", "hr", ""}, at_second(1));
  const auto session = accounts.open_session(account->id, at_second(1), std::chrono::hours(1));
  CHECK(anywhere_below(open.folder.path(), key.key.id));
  for (const std::string& text : {key.text.substr(key.text.size() - 64), key.text.substr(20, 32),
                                  std::string("PLANTED PASSWORD"), session.token}) {
    CHECK_FALSE(anywhere_below(open.folder.path(), text));
  }
}

TEST_CASE_FIXTURE(Fixture, "under another server secret a key fits no more, and a first one is made again") {
  const Secret former = Secret::random();
  const auto key = SqliteKeyStore(open.database, former).issue_first(at_second(1));
  SqliteKeyStore keys(open.database, Secret::random());
  CHECK_FALSE(keys.check(key->text, at_second(2)));
  CHECK_FALSE(keys.keys().at(0).usable);
  CHECK(keys.issue_first(at_second(3)));
  CHECK(SqliteKeyStore(open.database, former).check(key->text, at_second(2)));
}

TEST_CASE_FIXTURE(Fixture, "uses noted in memory are written at the end") {
  const Secret secret = Secret::random();
  {
    SqliteKeyStore keys(open.database, secret);
    const auto key = keys.issue_first(at_second(1));
    CHECK(keys.check(key->text, at_second(5)));
  }
  CHECK(SqliteKeyStore(open.database, secret).keys().at(0).last_used_at == at_second(5));
}

TEST_CASE_FIXTURE(Fixture, "the server secret is made once, for its owner alone, and a bad one is told") {
  const auto file = open.folder.path() / "server.secret";
  const auto first = server_secret(open.folder.path());
  CHECK(server_secret(open.folder.path()).bytes() == first.bytes());
  CHECK(std::filesystem::status(file).permissions() == std::filesystem::perms(0600));
  CHECK(first.id().size() == 16);
  CHECK(first.mac("a", "b") != first.mac("ab", ""));
  for (const std::string bad : {"", "wajah-server-secret 1 ", "wajah-server-secret 1 zz", "wajah-template-key 1 00"}) {
    std::ofstream(file, std::ios::trunc) << bad;
    CHECK_THROWS_AS((void)server_secret(open.folder.path()), Error);
  }
}

TEST_CASE_FIXTURE(Fixture, "every way to tamper with the audit log shows") {
  SqliteAuditLog log(open.database);
  for (int i = 1; i <= 20; ++i) log.append({at_second(i), "cli", "test", i, "subject", R"({"i":1})"});
  const auto head = log.head();
  REQUIRE_FALSE(log.verify(head).broken_at);
  std::int64_t expected = 0;
  const char* sql = "";
  SUBCASE("actor") { sql = "UPDATE audit SET actor = 'somebody' WHERE id = 7", expected = 7; }
  SUBCASE("action") { sql = "UPDATE audit SET action = 'x' WHERE id = 7", expected = 7; }
  SUBCASE("time") { sql = "UPDATE audit SET at = at + 1 WHERE id = 7", expected = 7; }
  SUBCASE("person") { sql = "UPDATE audit SET person = NULL WHERE id = 7", expected = 7; }
  SUBCASE("detail") { sql = "UPDATE audit SET detail = '{}' WHERE id = 7", expected = 7; }
  SUBCASE("subject") { sql = "UPDATE audit SET subject = 'x' WHERE id = 7", expected = 7; }
  SUBCASE("half the texts gone") { sql = "UPDATE audit SET subject = NULL WHERE id = 7", expected = 7; }
  SUBCASE("digest") { sql = "UPDATE audit SET digest = zeroblob(32) WHERE id = 7", expected = 7; }
  SUBCASE("hash") { sql = "UPDATE audit SET hash = zeroblob(32) WHERE id = 7", expected = 7; }
  SUBCASE("row removed") { sql = "DELETE FROM audit WHERE id = 7", expected = 8; }
  SUBCASE("first removed") { sql = "DELETE FROM audit WHERE id = 1", expected = 2; }
  SUBCASE("rows exchanged") {
    sql =
        "UPDATE audit SET id = 100 WHERE id = 7; UPDATE audit SET id = 7 WHERE id = 8; "
        "UPDATE audit SET id = 8 WHERE id = 100";
    expected = 7;
  }
  SUBCASE("cut at the end") { sql = "DELETE FROM audit WHERE id > 18", expected = 19; }
  run_sql(open.database, sql);
  CHECK(log.verify(head).broken_at == expected);
}

TEST_CASE_FIXTURE(Fixture, "erasing a person takes their texts out of the audit log, and the chain holds") {
  SqliteAuditLog sqlite_log(open.database);
  SqlitePeopleStore sqlite_people(open.database);
  AuditLog& log = sqlite_log;
  PeopleStore& people = sqlite_people;
  const auto ani = open.gallery.enrol(enrolment("1", "ANI", {1}))->person.id;
  const auto former = open.gallery.enrol(enrolment("2", "PLANTED FORMER", {2}))->person.id;
  log.append({at_second(1), "cli", "person.create", ani, "PLANTED SUBJECT", R"({"name":"PLANTED NAME"})"});
  log.append({at_second(2), "cli", "person.create", former, "PLANTED FORMER", "{}"});
  REQUIRE(people.merge(former, ani, at_second(3)));
  log.append({at_second(4), "cli", "key.create", std::nullopt, "key:a", "{}"});
  CHECK(anywhere_below(open.folder.path(), "PLANTED SUBJECT"));
  CHECK(anywhere_below(open.folder.path(), "PLANTED FORMER"));
  REQUIRE(people.remove(ani, false, at_second(5)));
  for (const char* text : {"PLANTED SUBJECT", "PLANTED NAME", "PLANTED FORMER"}) {
    CHECK_FALSE(anywhere_below(open.folder.path(), text));
  }
  CHECK_FALSE(log.verify().broken_at);
  CHECK(log.rows({}).at(2).erased);
  CHECK_FALSE(log.rows({}).at(0).erased);
}

TEST_CASE_FIXTURE(Fixture, "a page of 5,000 people takes milliseconds") {
  {
    Database::Write write(open.database);
    for (int i = 0; i < 5000; ++i) {
      const std::string nik = std::to_string(100'000 + i), name = "NAME " + std::to_string(i * 7919 % 5000);
      write->prepare("INSERT INTO person (nik, name, enrolled_at) VALUES (?1, ?2, 0)").bind(nik, name).run();
    }
    write.commit();
  }
  SqlitePeopleStore people(open.database);
  PeopleQuery query;
  query.text = "name 4";
  query.limit = 100;
  std::size_t seen = 0, pages = 0;
  const auto start = std::chrono::steady_clock::now();
  do {
    const auto page = people.search(query);
    seen += page.people.size();
    ++pages;
    query.after = page.next;
  } while (!query.after.empty());
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  CHECK(seen == 1111);
  const double page_ms = took.count() / static_cast<double>(pages);
  MESSAGE("a page of 100 among 5,000 people took ", page_ms, " ms");
  CHECK(page_ms < 200);
}
