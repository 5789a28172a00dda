// SqliteSettingsStore: the SettingsStore in SQLite.
#pragma once

#include "attendance/storage/database.hpp"
#include "attendance/storage/settings_store.hpp"

namespace wajah::attendance {

class SqliteSettingsStore final : public SettingsStore {
 public:
  explicit SqliteSettingsStore(Database& database) : database_(database) {}  // which outlives it

  std::optional<std::string> get(std::string_view name) override;
  std::map<std::string, std::string> all() override;
  void set(std::string_view name, std::string_view value, Time at) override;
  bool unset(std::string_view name) override;

 private:
  Database& database_;
};

// The same within a transaction.
[[nodiscard]] std::optional<std::string> setting(sqlite::Connection& connection, std::string_view name);
void set_setting(sqlite::Connection& writer, std::string_view name, std::string_view value, Time at);
bool unset_setting(sqlite::Connection& writer, std::string_view name);

}  // namespace wajah::attendance
