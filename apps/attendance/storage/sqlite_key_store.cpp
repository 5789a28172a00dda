#include "attendance/storage/sqlite_key_store.hpp"

#include "attendance/storage/sql_values.hpp"

#include <wajah/error.hpp>

#include <algorithm>
#include <utility>

namespace wajah::attendance {
namespace {

constexpr std::string_view purpose = "wajah api key";
constexpr std::string_view prefix = "wjh_";
constexpr std::size_t id_bytes = 6, secret_bytes = 32;

ApiKey key_of(const sqlite::Statement& row, std::string_view secret_id) {
  return {
      row.text(0),     row.text(1),     row.text(2),     split(row.text(3)),      row.text(4), time_of(row.integer(5)),
      time_in(row, 6), time_in(row, 7), time_in(row, 8), row.text(9) == secret_id};
}

// The id within a key's text; what is no key has an id that nobody has.
std::string_view id_in(std::string_view text) {
  if (!text.starts_with(prefix)) return {};
  text.remove_prefix(prefix.size());
  return text.substr(0, std::min(text.find('_'), 2 * id_bytes));
}

}  // namespace

SqliteKeyStore::SqliteKeyStore(Database& database, const Secret& server_secret)
    : database_(database), secret_(server_secret), secret_id_(server_secret.id()) {}

SqliteKeyStore::~SqliteKeyStore() {
  try {
    flush_uses();
  } catch (const Error&) {
    // Only when a key was last used is lost.
  }
}

IssuedKey SqliteKeyStore::insert(sqlite::Connection& writer, const NewKey& key, Time at) const {
  IssuedKey issued;
  issued.key = {random_hex(id_bytes), key.name, key.role, key.scopes, key.site, at, key.expires_at, {}, {}, true};
  issued.text = std::string(prefix) + issued.key.id + "_" + random_hex(secret_bytes);
  writer
      .prepare(
          "INSERT INTO api_key (id, name, role, scopes, site, created_at, expires_at, hash, server_secret) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
      .bind(issued.key.id, key.name, key.role, joined(key.scopes), key.site, microseconds(at),
            microseconds(key.expires_at), sqlite::Blob(secret_.mac(purpose, issued.text)), secret_id_)
      .run();
  return issued;
}

IssuedKey SqliteKeyStore::issue(const NewKey& key, Time at) {
  Database::Write write(database_);
  auto issued = insert(*write, key, at);
  write.commit();
  return issued;
}

std::optional<IssuedKey> SqliteKeyStore::issue_first(Time at) {
  Database::Write write(database_);
  {
    auto query = write->prepare("SELECT 1 FROM api_key WHERE server_secret = ?1 LIMIT 1");
    if (query.bind(secret_id_).step()) return std::nullopt;
  }
  auto issued = insert(*write, {"first start", "admin", {}, "", {}}, at);
  write.commit();
  return issued;
}

std::vector<ApiKey> SqliteKeyStore::keys() {
  std::vector<ApiKey> keys;
  {
    Database::Read read(database_);
    auto query = read->prepare(
        "SELECT id, name, role, scopes, site, created_at, expires_at, revoked_at, last_used_at, server_secret "
        "FROM api_key ORDER BY created_at, id");
    while (query.step()) keys.push_back(key_of(query, secret_id_));
  }
  const std::lock_guard lock(uses_mutex_);
  for (ApiKey& key : keys) {
    const auto use = uses_.find(key.id);
    if (use != uses_.end()) key.last_used_at = std::max(key.last_used_at.value_or(use->second), use->second);
  }
  return keys;
}

std::optional<ApiKey> SqliteKeyStore::check(std::string_view text, Time at) {
  const Digest given = secret_.mac(purpose, text);
  std::optional<ApiKey> key;
  Digest expected{};  // of an unknown id: nothing hashes to it, and the work is the same
  {
    Database::Read read(database_);
    auto query = read->prepare(
        "SELECT id, name, role, scopes, site, created_at, expires_at, revoked_at, last_used_at, server_secret, hash "
        "FROM api_key WHERE id = ?1");
    if (query.bind(id_in(text)).step()) {
      key = key_of(query, secret_id_);
      const auto hash = query.blob(10);
      if (hash.size() == expected.size()) std::ranges::copy(hash, expected.begin());
    }
  }
  const bool fits = equal_in_constant_time(given, expected);
  if (!fits || !key || !key->in_force(at)) return std::nullopt;
  const std::lock_guard lock(uses_mutex_);
  auto& use = uses_.try_emplace(key->id, at).first->second;
  use = std::max(use, at);
  return key;
}

bool SqliteKeyStore::revoke(std::string_view id, Time at) {
  Database::Write write(database_);
  write->prepare("UPDATE api_key SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")
      .bind(id, microseconds(at))
      .run();
  const bool revoked = write->changes() == 1;
  write.commit();
  return revoked;
}

void SqliteKeyStore::flush_uses() {
  std::map<std::string, Time, std::less<>> uses;
  {
    const std::lock_guard lock(uses_mutex_);
    uses.swap(uses_);
  }
  if (uses.empty()) return;
  Database::Write write(database_);
  for (const auto& [id, at] : uses) {
    write->prepare("UPDATE api_key SET last_used_at = max(?2, coalesce(last_used_at, 0)) WHERE id = ?1")
        .bind(id, microseconds(at))
        .run();
  }
  write.commit();
}

}  // namespace wajah::attendance
