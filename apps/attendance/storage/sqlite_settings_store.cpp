#include "attendance/storage/sqlite_settings_store.hpp"

#include "attendance/storage/sql_values.hpp"

namespace wajah::attendance {

std::optional<std::string> setting(sqlite::Connection& connection, std::string_view name) {
  auto query = connection.prepare("SELECT value FROM setting WHERE name = ?1");
  if (!query.bind(name).step()) return std::nullopt;
  return query.text(0);
}

void set_setting(sqlite::Connection& writer, std::string_view name, std::string_view value, Time at) {
  writer
      .prepare(
          "INSERT INTO setting (name, value, updated_at) VALUES (?1, ?2, ?3) "
          "ON CONFLICT (name) DO UPDATE SET value = ?2, updated_at = ?3")
      .bind(name, value, microseconds(at))
      .run();
}

bool unset_setting(sqlite::Connection& writer, std::string_view name) {
  writer.prepare("DELETE FROM setting WHERE name = ?1").bind(name).run();
  return writer.changes() == 1;
}

std::optional<std::string> SqliteSettingsStore::get(std::string_view name) {
  Database::Read read(database_);
  return setting(*read, name);
}

std::map<std::string, std::string> SqliteSettingsStore::all() {
  Database::Read read(database_);
  auto query = read->prepare("SELECT name, value FROM setting");
  std::map<std::string, std::string> settings;
  while (query.step()) settings.emplace(query.text(0), query.text(1));
  return settings;
}

void SqliteSettingsStore::set(std::string_view name, std::string_view value, Time at) {
  Database::Write write(database_);
  set_setting(*write, name, value, at);
  write.commit();
}

bool SqliteSettingsStore::unset(std::string_view name) {
  Database::Write write(database_);
  const bool unset = unset_setting(*write, name);
  write.commit();
  return unset;
}

}  // namespace wajah::attendance
