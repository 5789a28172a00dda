// SqliteKeyStore: the KeyStore in SQLite.
#pragma once

#include "attendance/storage/database.hpp"
#include "attendance/storage/key_store.hpp"
#include "attendance/storage/secret.hpp"

#include <map>
#include <mutex>
#include <string>

namespace wajah::attendance {

class SqliteKeyStore final : public KeyStore {
 public:
  SqliteKeyStore(Database& database, const Secret& server_secret);  // the database outlives it
  ~SqliteKeyStore() override;                                       // flushes uses
  SqliteKeyStore(const SqliteKeyStore&) = delete;
  SqliteKeyStore& operator=(const SqliteKeyStore&) = delete;
  SqliteKeyStore(SqliteKeyStore&&) = delete;
  SqliteKeyStore& operator=(SqliteKeyStore&&) = delete;

  IssuedKey issue(const NewKey& key, Time at) override;
  std::optional<IssuedKey> issue_first(Time at) override;
  std::vector<ApiKey> keys() override;
  std::optional<ApiKey> check(std::string_view text, Time at) override;
  bool revoke(std::string_view id, Time at) override;
  void flush_uses() override;

 private:
  [[nodiscard]] IssuedKey insert(sqlite::Connection& writer, const NewKey& key, Time at) const;

  Database& database_;
  Secret secret_;
  std::string secret_id_;
  std::mutex uses_mutex_;
  std::map<std::string, Time, std::less<>> uses_;  // key id -> last use, not yet written
};

}  // namespace wajah::attendance
