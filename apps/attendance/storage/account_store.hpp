// AccountStore: people who administer the service, and their sessions in a browser. Passwords are kept as argon2id
// (libsodium, 19 MiB, 2 passes: OWASP's first choice), session tokens as a keyed hash. All throw Error (storage); any
// number of threads.
#pragma once

#include "attendance/store.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

using AccountId = std::int64_t;

struct Account {
  AccountId id = 0;
  std::string name;  // to log in with
  std::string role;
  std::string site;  // the only site it is good for; empty: all
  bool active = true;
  Time created_at;
  std::optional<Time> last_login_at;
};

struct NewAccount {
  std::string name, password, role, site;
};

struct AccountChange {
  std::optional<std::string> password, role, site;  // a new password ends the account's sessions
  std::optional<bool> active;                       // so does false
};

struct OpenedSession {
  std::string token;  // for the cookie: known this once
  std::string csrf;   // for forms
  Time expires_at;
};

struct Session {
  Account account;
  std::string csrf;
  Time expires_at;
};

class AccountStore {
 public:
  virtual ~AccountStore() = default;

  // Nothing if the name is taken.
  virtual std::optional<Account> create(const NewAccount& account, Time at) = 0;
  [[nodiscard]] virtual std::vector<Account> accounts() = 0;
  virtual std::optional<Account> update(AccountId account, const AccountChange& change) = 0;  // nothing if unknown
  virtual bool remove(AccountId account) = 0;

  // The account, if name and password fit and it is active. Takes tens of milliseconds and 19 MiB whatever is wrong:
  // callers limit how often and how many at once.
  [[nodiscard]] virtual std::optional<Account> log_in(std::string_view name, std::string_view password, Time at) = 0;

  virtual OpenedSession open_session(AccountId account, Time at, std::chrono::seconds lifetime) = 0;
  // Nothing if there is none, or it has expired, or its account is not active any more.
  [[nodiscard]] virtual std::optional<Session> session(std::string_view token, Time at) = 0;
  virtual void close_session(std::string_view token) = 0;
  virtual void remove_expired_sessions(Time at) = 0;
};

}  // namespace wajah::attendance
