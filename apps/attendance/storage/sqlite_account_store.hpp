// SqliteAccountStore: the AccountStore in SQLite.
#pragma once

#include "attendance/storage/account_store.hpp"
#include "attendance/storage/database.hpp"
#include "attendance/storage/secret.hpp"

namespace wajah::attendance {

class SqliteAccountStore final : public AccountStore {
 public:
  SqliteAccountStore(Database& database, const Secret& server_secret);  // the database outlives it

  std::optional<Account> create(const NewAccount& account, Time at) override;
  std::vector<Account> accounts() override;
  std::optional<Account> update(AccountId account, const AccountChange& change) override;
  bool remove(AccountId account) override;
  std::optional<Account> log_in(std::string_view name, std::string_view password, Time at) override;
  OpenedSession open_session(AccountId account, Time at, std::chrono::seconds lifetime) override;
  std::optional<Session> session(std::string_view token, Time at) override;
  void close_session(std::string_view token) override;
  void remove_expired_sessions(Time at) override;

 private:
  Database& database_;
  Secret secret_;
  std::string decoy_;  // a password's hash that nobody has: unknown names take the same work
};

}  // namespace wajah::attendance
