#include "attendance/storage/sqlite_account_store.hpp"

#include "attendance/storage/sql_values.hpp"

#include <wajah/error.hpp>

#include <sodium.h>

#include <array>

namespace wajah::attendance {
namespace {

constexpr std::string_view purpose = "wajah session";
constexpr unsigned long long argon2_passes = 2;
constexpr std::size_t argon2_memory = std::size_t{19456} * 1024;
constexpr std::size_t token_bytes = 32;

std::string hash_of_password(std::string_view password) {
  if (sodium_init() < 0) fail(ErrorKind::device, "libsodium cannot be initialised");
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  if (crypto_pwhash_str(hash.data(), password.data(), password.size(), argon2_passes, argon2_memory) != 0) {
    fail(ErrorKind::device, "not enough memory to hash a password, expected {} MiB", argon2_memory >> 20);
  }
  return hash.data();
}

bool password_fits(const std::string& hash, std::string_view password) {
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

// Columns id, name, role, site, active, created_at, last_login_at from `first` on.
Account account_of(const sqlite::Statement& row, int first = 0) {
  return {row.integer(first),     row.text(first + 1),         row.text(first + 2),
          row.text(first + 3),    row.integer(first + 4) != 0, time_of(row.integer(first + 5)),
          time_in(row, first + 6)};
}

std::optional<Account> find(sqlite::Connection& connection, AccountId account) {
  auto query =
      connection.prepare("SELECT id, name, role, site, active, created_at, last_login_at FROM account WHERE id = ?1");
  if (!query.bind(account).step()) return std::nullopt;
  return account_of(query);
}

bool name_taken(sqlite::Connection& connection, std::string_view name) {
  auto query = connection.prepare("SELECT 1 FROM account WHERE name = ?1");
  return query.bind(name).step();
}

void end_sessions(sqlite::Connection& writer, AccountId account) {
  writer.prepare("DELETE FROM session WHERE account = ?1").bind(account).run();
}

}  // namespace

SqliteAccountStore::SqliteAccountStore(Database& database, const Secret& server_secret)
    : database_(database), secret_(server_secret), decoy_(hash_of_password(random_hex(token_bytes))) {}

std::optional<Account> SqliteAccountStore::create(const NewAccount& account, Time at) {
  const std::string hash = hash_of_password(account.password);  // slow: before others have to wait
  Database::Write write(database_);
  if (name_taken(*write, account.name)) return std::nullopt;
  write->prepare("INSERT INTO account (name, password, role, site, created_at) VALUES (?1, ?2, ?3, ?4, ?5)")
      .bind(account.name, hash, account.role, account.site, microseconds(at))
      .run();
  auto created = find(*write, write->last_row());
  write.commit();
  return created;
}

std::vector<Account> SqliteAccountStore::accounts() {
  Database::Read read(database_);
  auto query =
      read->prepare("SELECT id, name, role, site, active, created_at, last_login_at FROM account ORDER BY name");
  std::vector<Account> accounts;
  while (query.step()) accounts.push_back(account_of(query));
  return accounts;
}

std::optional<Account> SqliteAccountStore::update(AccountId account, const AccountChange& change) {
  std::optional<std::string> hash;
  if (change.password) hash = hash_of_password(*change.password);
  std::optional<std::int64_t> active;
  if (change.active) active = int{*change.active};
  Database::Write write(database_);
  write
      ->prepare(
          "UPDATE account SET password = coalesce(?2, password), role = coalesce(?3, role), "
          "site = coalesce(?4, site), active = coalesce(?5, active) WHERE id = ?1")
      .bind(account, hash, change.role, change.site, active)
      .run();
  if (change.password || change.active == false) end_sessions(*write, account);
  auto updated = find(*write, account);
  write.commit();
  return updated;
}

bool SqliteAccountStore::remove(AccountId account) {
  Database::Write write(database_);
  write->prepare("DELETE FROM account WHERE id = ?1").bind(account).run();
  const bool removed = write->changes() == 1;
  write.commit();
  return removed;
}

std::optional<Account> SqliteAccountStore::log_in(std::string_view name, std::string_view password, Time at) {
  std::string hash = decoy_;
  std::optional<Account> account;
  {
    Database::Read read(database_);
    auto query = read->prepare(
        "SELECT id, name, role, site, active, created_at, last_login_at, password FROM account WHERE name = ?1");
    if (query.bind(name).step()) {
      account = account_of(query);
      hash = query.text(7);
    }
  }
  if (!password_fits(hash, password) || !account || !account->active) return std::nullopt;
  Database::Write write(database_);
  write->prepare("UPDATE account SET last_login_at = ?2 WHERE id = ?1").bind(account->id, microseconds(at)).run();
  write.commit();
  account->last_login_at = at;
  return account;
}

OpenedSession SqliteAccountStore::open_session(AccountId account, Time at, std::chrono::seconds lifetime) {
  OpenedSession opened{random_hex(token_bytes), random_hex(token_bytes), at + lifetime};
  Database::Write write(database_);
  write->prepare("INSERT INTO session (hash, account, csrf, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)")
      .bind(sqlite::Blob(secret_.mac(purpose, opened.token)), account, opened.csrf, microseconds(at),
            microseconds(opened.expires_at))
      .run();
  write.commit();
  return opened;
}

// Looked up by a keyed hash: how long the search takes tells nothing about the token.
std::optional<Session> SqliteAccountStore::session(std::string_view token, Time at) {
  const Digest hash = secret_.mac(purpose, token);
  Database::Read read(database_);
  auto query = read->prepare(
      "SELECT account.id, name, role, site, active, account.created_at, last_login_at, csrf, expires_at "
      "FROM session JOIN account ON account.id = session.account "
      "WHERE hash = ?1 AND expires_at > ?2 AND active = 1");
  if (!query.bind(sqlite::Blob(hash), microseconds(at)).step()) return std::nullopt;
  return Session{account_of(query), query.text(7), time_of(query.integer(8))};
}

void SqliteAccountStore::close_session(std::string_view token) {
  const Digest hash = secret_.mac(purpose, token);
  Database::Write write(database_);
  write->prepare("DELETE FROM session WHERE hash = ?1").bind(sqlite::Blob(hash)).run();
  write.commit();
}

void SqliteAccountStore::remove_expired_sessions(Time at) {
  Database::Write write(database_);
  write->prepare("DELETE FROM session WHERE expires_at <= ?1").bind(microseconds(at)).run();
  write.commit();
}

}  // namespace wajah::attendance
