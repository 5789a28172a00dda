#include "attendance/storage/backup.hpp"

#include "attendance/schema.hpp"
#include "attendance/storage/files.hpp"
#include "attendance/storage/person_changes.hpp"
#include "attendance/storage/sql_values.hpp"
#include "attendance/storage/sqlite_settings_store.hpp"
#include "attendance/stored_vector.hpp"

#include <wajah/error.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace wajah::attendance {
namespace {

namespace fs = std::filesystem;
using sqlite::Access;
using sqlite::Connection;

std::int64_t damaged_templates(Connection& connection) {
  std::int64_t damaged = 0;
  auto embeddings = connection.prepare("SELECT photo, model, vector, checksum FROM embedding");
  while (embeddings.step()) {
    if (!checksum_fits(embeddings.blob(3), embeddings.integer(0), embeddings.text(1), embeddings.blob(2))) ++damaged;
  }
  auto pictures = connection.prepare("SELECT photo, bytes, checksum FROM picture");
  while (pictures.step()) {
    if (!checksum_fits(pictures.blob(2), pictures.integer(0), picture_kind, pictures.blob(1))) ++damaged;
  }
  return damaged;
}

BackupReport report_on(Connection& connection) {
  return {connection.integer("SELECT count(*) FROM person"), connection.integer("SELECT count(*) FROM photo"),
          connection.integer("SELECT count(*) FROM attendance"), damaged_templates(connection)};
}

// Faults that name the file they are about.
template <class Work>
auto about(const fs::path& file, Work&& work) {
  try {
    return work();
  } catch (const Error& error) {
    fail(ErrorKind::storage, "{}: {}", file.string(), error.what());
  }
}

// A copy in one file without a log beside it, whole on the disk.
void copy(Connection& source, const fs::path& file, const CopyProgress& progress) {
  create_with_owner_rights(file);
  Connection target(file, Access::read_write);
  source.copy_to(target, progress);
  (void)target.text("PRAGMA journal_mode = DELETE");
}

struct Erased {
  PersonId person;
  std::int64_t at;
  bool forget;
};

struct RevokedKey {
  std::string id;
  std::int64_t at;
};

struct KnownAccount {
  std::int64_t id;
  std::string password;
  bool active;
};

// What a restored backup must know of the database it replaces.
struct Since {
  std::optional<std::string> installation;
  std::vector<Erased> erased;
  std::vector<RevokedKey> revoked;
  std::vector<KnownAccount> accounts;
  std::int64_t last_person = 0, last_photo = 0, last_account = 0;
  std::int64_t audited = 0;  // rows of the audit log: which of two databases has seen more
};

std::int64_t last_id(Connection& connection, std::string_view table) {
  auto query = connection.prepare("SELECT seq FROM sqlite_sequence WHERE name = ?1");
  return query.bind(table).step() ? query.integer(0) : 0;
}

std::vector<Erased> erasures_in(Connection& connection) {
  std::vector<Erased> erased;
  auto query = connection.prepare("SELECT person, at, forget FROM erasure");
  while (query.step()) erased.push_back({query.integer(0), query.integer(1), query.integer(2) != 0});
  return erased;
}

std::vector<RevokedKey> revoked_keys_in(Connection& connection) {
  std::vector<RevokedKey> revoked;
  auto query = connection.prepare("SELECT id, revoked_at FROM api_key WHERE revoked_at IS NOT NULL");
  while (query.step()) revoked.push_back({query.text(0), query.integer(1)});
  return revoked;
}

std::vector<KnownAccount> accounts_in(Connection& connection) {
  std::vector<KnownAccount> accounts;
  auto query = connection.prepare("SELECT id, password, active FROM account");
  while (query.step()) accounts.push_back({query.integer(0), query.text(1), query.integer(2) != 0});
  return accounts;
}

Since since_of(Connection& connection) {
  Since since;
  since.installation = setting(connection, "installation");
  since.erased = erasures_in(connection);
  since.revoked = revoked_keys_in(connection);
  since.accounts = accounts_in(connection);
  since.last_person = last_id(connection, "person");
  since.last_photo = last_id(connection, "photo");
  since.last_account = last_id(connection, "account");
  since.audited = connection.integer("SELECT count(*) FROM audit");
  return since;
}

// Everything is in the file afterwards, and no log is left that could be taken for another database's.
std::optional<Since> close_former(const fs::path& database) {
  std::optional<Since> since;
  try {
    const auto former = open_database(database);
    since = since_of(*former);
    if (!former->checkpoint()) {
      fail(ErrorKind::storage, "{}: another program is reading it; stop it and try again", database.string());
    }
  } catch (const Error&) {
    if (since) throw;  // it can be read, so it must be closed properly
  }
  return since;
}

void remove_log(const fs::path& database) {
  for (const char* suffix : {"-wal", "-shm"}) {
    std::error_code error;
    fs::remove(database.string() + suffix, error);
    if (error) fail(ErrorKind::storage, "{}{}: cannot be removed: {}", database.string(), suffix, error.message());
  }
}

void keep_ids_unique(Connection& writer, const Since& since) {
  for (const auto& [table, last] : {std::pair("person", since.last_person), std::pair("photo", since.last_photo),
                                    std::pair("account", since.last_account)}) {
    writer
        .prepare(
            "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0 "
            "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)")
        .bind(std::string_view(table))
        .run();
    writer.prepare("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1")
        .bind(std::string_view(table), last)
        .run();
  }
}

// What was taken away from somebody stays taken away: keys, accounts, and a password that is not theirs any more.
void keep_out(Connection& writer, const Since& since) {
  for (const auto& [key, at] : since.revoked) {
    writer.prepare("UPDATE api_key SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL").bind(key, at).run();
  }
  std::vector<std::int64_t> restored;
  {
    auto query = writer.prepare("SELECT id FROM account WHERE id <= ?1");
    query.bind(since.last_account);
    while (query.step()) restored.push_back(query.integer(0));
  }
  for (const auto id : restored) {
    if (std::ranges::find(since.accounts, id, &KnownAccount::id) != since.accounts.end()) continue;
    writer.prepare("DELETE FROM account WHERE id = ?1").bind(id).run();
  }
  // Of an older database than the backup the passwords are the older ones.
  if (since.audited < writer.integer("SELECT count(*) FROM audit")) return;
  for (const auto& [id, password, active] : since.accounts) {
    writer.prepare("UPDATE account SET password = ?2, active = ?3 WHERE id = ?1").bind(id, password, int{active}).run();
  }
}

std::int64_t erase_again(Connection& writer, const std::vector<Erased>& erased) {
  std::int64_t again = 0;
  for (const auto& [person, at, forget] : erased) {
    const bool there = [&] {
      auto query = writer.prepare("SELECT 1 FROM person WHERE id = ?1");
      return query.bind(person).step();
    }();
    (void)remove_person(writer, {person, "", ""}, time_of(at), forget);
    if (there) ++again;
  }
  return again;
}

RestoreReport finish(const fs::path& file, const std::optional<Since>& since) {
  RestoreReport report;
  report.erasures_known = since.has_value();
  const auto writer = open_database(file);
  if (since && since->installation == setting(*writer, "installation")) {
    sqlite::Transaction transaction(*writer, sqlite::Transaction::Kind::write);
    report.erased_again = erase_again(*writer, since->erased);
    keep_out(*writer, *since);
    keep_ids_unique(*writer, *since);
    transaction.commit();
  }
  {
    sqlite::Transaction transaction(*writer, sqlite::Transaction::Kind::write);
    writer->execute("DELETE FROM session");  // whoever is somebody may log in again
    transaction.commit();
  }
  report.content = report_on(*writer);
  if (!writer->checkpoint()) fail(ErrorKind::storage, "{}: another program is reading it", file.string());
  return report;
}

void clear(const fs::path& file) {
  std::error_code none;
  fs::remove(file, none);
  remove_log(file);
}

}  // namespace

BackupReport back_up(const fs::path& data_folder, const fs::path& file, bool replace, const CopyProgress& progress) {
  const fs::path database = data_folder / "wajah.db";
  if (!fs::exists(database)) fail(ErrorKind::storage, "{}: no such database", database.string());
  if (!replace && fs::exists(file))
    fail(ErrorKind::storage, "{}: is there already; --force replaces it", file.string());
  const fs::path unfinished = file.string() + ".new";
  clear(unfinished);
  return about(file, [&] {
    {
      Connection source(database, Access::read_only);
      copy(source, unfinished, progress);
    }
    BackupReport report;
    {
      Connection written(unfinished, Access::read_only);
      check_database(written, true);
      report = report_on(written);
    }
    rename_into_place(unfinished, file);
    return report;
  });
}

RestoreReport restore(const DataFolder& folder, const fs::path& backup, bool replace, const CopyProgress& progress) {
  const fs::path database = folder.database(), unfinished = database.string() + ".restored";
  const bool former = fs::exists(database);
  if (former && !replace) {
    fail(ErrorKind::storage, "{}: there is a database already; --force puts the backup in its place",
         database.string());
  }
  if (!fs::exists(backup)) fail(ErrorKind::storage, "{}: no such backup", backup.string());
  clear(unfinished);
  about(backup, [&] {
    Connection source(backup, Access::read_only);
    check_database(source, true);
    copy(source, unfinished, progress);
  });
  const auto since = former ? close_former(database) : std::optional<Since>(Since{});
  const RestoreReport report = finish(unfinished, since);
  remove_log(unfinished);
  remove_log(database);
  rename_into_place(unfinished, database);
  return report;
}

}  // namespace wajah::attendance
