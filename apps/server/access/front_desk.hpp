// FrontDesk: the keys, accounts and audit log of a data folder, and the gatekeeper who uses them.
#pragma once

#include "attendance/storage/database.hpp"
#include "attendance/storage/secret.hpp"
#include "attendance/storage/sqlite_account_store.hpp"
#include "attendance/storage/sqlite_audit_log.hpp"
#include "attendance/storage/sqlite_key_store.hpp"
#include "server/access/gatekeeper.hpp"
#include "server/config/settings.hpp"
#include "server/work_queue.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace wajah::server {

class FrontDesk {
 public:
  struct Listeners {
    std::function<void(const std::string&)> warn;    // an audit row that could not be written
    std::function<void(std::string_view)> happened;  // the action of each audit row
  };

  // The database outlives it. Makes the server's secret and the first admin key where there are none.
  FrontDesk(attendance::Database& database, const std::filesystem::path& data, const Settings& settings,
            Listeners listeners);
  ~FrontDesk();  // waits until every audit row is written
  FrontDesk(const FrontDesk&) = delete;
  FrontDesk& operator=(const FrontDesk&) = delete;
  FrontDesk(FrontDesk&&) = delete;
  FrontDesk& operator=(FrontDesk&&) = delete;

  [[nodiscard]] Gatekeeper& gatekeeper() { return gatekeeper_; }
  [[nodiscard]] const attendance::Secret& secret() const { return secret_; }
  [[nodiscard]] attendance::KeyStore& keys() { return keys_; }
  [[nodiscard]] attendance::AuditLog& audit_log() { return audit_; }

  // The first start's admin key, to be shown this once.
  [[nodiscard]] const std::optional<std::string>& first_key() const { return first_key_; }

  // Now and then: sessions that have expired, uses of keys that are noted in memory only.
  void upkeep();

 private:
  [[nodiscard]] GateOptions options_of(const Settings& settings);
  void record(attendance::AuditEvent event);

  Listeners listeners_;
  attendance::Secret secret_;
  attendance::SqliteKeyStore keys_;
  attendance::SqliteAccountStore accounts_;
  attendance::SqliteAuditLog audit_;
  Gatekeeper gatekeeper_;
  std::optional<std::string> first_key_;
  WorkQueue writer_;  // a commit waits for the disk, which a network thread must not
};

}  // namespace wajah::server
