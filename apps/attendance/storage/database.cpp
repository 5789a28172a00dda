#include "attendance/storage/database.hpp"

#include "attendance/schema.hpp"
#include "attendance/storage/sqlite_settings_store.hpp"

#include <wajah/error.hpp>

#include <utility>

namespace wajah::attendance {

using sqlite::Transaction;

namespace {

constexpr std::string_view key_setting = "template_key";

// Before the database is touched.
std::optional<Vault> vault_of(const DatabaseOptions& options) {
  if (options.key_file.empty()) return std::nullopt;
  return Vault::open_file(options.key_file);
}

}  // namespace

Database::Database(const DataFolder& folder, const DatabaseOptions& options) : file_(folder.database()) {
  auto given = vault_of(options);
  writer_ = open_database(file_);
  unlock(std::move(given), options);
}

Database::~Database() = default;

void Database::unlock(std::optional<Vault> given, const DatabaseOptions& options) {
  const auto key = setting(*writer_, key_setting);
  if (key && !given) {
    fail(ErrorKind::storage, "{}: its templates are sealed with key {}; name that key's file with storage.key_file",
         file_.string(), *key);
  }
  if (key && *key != given->id()) {
    fail(ErrorKind::storage, "{}: its templates are sealed with key {}, but {} holds key {}; name the right file",
         file_.string(), *key, options.key_file.string(), given->id());
  }
  if (given && !key) {
    rekey(std::move(given), options.progress);
  } else {
    vault_ = std::move(given);
  }
}

Rekeyed Database::rekey(std::optional<Vault> to, const TemplateProgress& progress) {
  Write write(*this);
  const auto rekeyed = rekey_templates(*write, vault(), to ? &*to : nullptr, progress);
  if (to) {
    set_setting(*write, key_setting, to->id(), std::chrono::system_clock::now());
  } else {
    unset_setting(*write, key_setting);
  }
  write.commit_erasing();
  vault_ = std::move(to);
  return rekeyed;
}

// secure_delete has overwritten the rows in their pages; the write-ahead log still holds the pages as they were.
void Database::erase_from_log() {
  try {
    erasure_due_ = !writer_->checkpoint();
  } catch (const Error&) {
    erasure_due_ = true;  // the removal itself is committed, and must be acknowledged
  }
}

void Database::merge_from(const std::filesystem::path& file, const std::function<bool(sqlite::Connection&)>& work) {
  const std::lock_guard lock(write_mutex_);
  writer_->prepare("ATTACH ?1 AS staged").bind(std::string_view(file.native())).run();
  const auto detach = [this](void*) {
    try {
      writer_->execute("DETACH staged");
    } catch (const Error&) {
      // It stays attached, and the next ATTACH tells.
    }
  };
  const std::unique_ptr<void, decltype(detach)> attached(this, detach);
  Transaction transaction(*writer_, Transaction::Kind::write);
  if (work(*writer_)) transaction.commit();
}

Database::Write::Write(Database& database) : database_(database), lock_(database.write_mutex_) {
  if (database_.erasure_due_) database_.erase_from_log();
  transaction_.emplace(*database_.writer_, Transaction::Kind::write);
}

void Database::Write::commit_erasing() {
  transaction_->commit();
  database_.erase_from_log();
}

std::unique_ptr<sqlite::Connection> Database::take_reader() {
  {
    const std::lock_guard lock(readers_mutex_);
    if (!idle_readers_.empty()) {
      auto connection = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return connection;
    }
  }
  return std::make_unique<sqlite::Connection>(file_, sqlite::Access::read_only);
}

Database::Read::Read(Database& database) : database_(database), connection_(database.take_reader()) {
  transaction_.emplace(*connection_, Transaction::Kind::read);
}

Database::Read::~Read() {
  transaction_.reset();
  const std::lock_guard lock(database_.readers_mutex_);
  database_.idle_readers_.push_back(std::move(connection_));
}

}  // namespace wajah::attendance
