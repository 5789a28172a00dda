// Database: the one SQLite file of a data folder, as all stores share it. WAL with full synchronisation; one connection
// makes every write and every checkpoint (SQLite before 3.51.3 may lose commits otherwise), read-only connections serve
// the readers, so that they never wait for writers. Any number of threads.
#pragma once

#include "attendance/data_folder.hpp"
#include "attendance/sqlite.hpp"
#include "attendance/storage/templates.hpp"
#include "attendance/storage/vault.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace wajah::attendance {

struct DatabaseOptions {
  std::filesystem::path key_file;  // of the key templates are sealed with; empty: they lie open
  TemplateProgress progress;       // told while templates that lie open are sealed
};

class Database {
 public:
  // Opens or makes the database in the folder, brings its schema up to date and checks it; seals templates that lie
  // open if there is a key file. Throws Error (storage) naming the file if it is another program's, of a newer wajah,
  // or damaged: never a new file in the place of a bad one. Also if its templates are sealed and the key file is
  // missing or another one; nothing is changed then.
  explicit Database(const DataFolder& folder, const DatabaseOptions& options = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  Database(Database&&) = delete;
  Database& operator=(Database&&) = delete;

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

  // What seals templates; null if they lie open.
  [[nodiscard]] const Vault* vault() const { return vault_ ? &*vault_ : nullptr; }

  // Seals every template with another key, or lays them open: all of them or, whatever happens, none. No other thread
  // may use the database meanwhile.
  Rekeyed rekey(std::optional<Vault> to, const TemplateProgress& progress);

  // `work` in one transaction on the writer, which also sees the database `file` as `staged`; kept if it returns true.
  void merge_from(const std::filesystem::path& file, const std::function<bool(sqlite::Connection&)>& work);

  // The writer, in a transaction that is rolled back unless committed; other writers wait meanwhile.
  class Write {
   public:
    explicit Write(Database& database);
    sqlite::Connection& operator*() { return *database_.writer_; }
    sqlite::Connection* operator->() { return database_.writer_.get(); }

    void commit() { transaction_->commit(); }
    // Commits, then empties the write-ahead log, which still holds removed rows as they were. If readers are in the
    // way that is made up for by the next write; the commit stands.
    void commit_erasing();

   private:
    Database& database_;
    std::unique_lock<std::mutex> lock_;
    std::optional<sqlite::Transaction> transaction_;
  };

  // A read-only connection in one read transaction: all its queries see the same state.
  class Read {
   public:
    explicit Read(Database& database);
    ~Read();
    Read(const Read&) = delete;
    Read& operator=(const Read&) = delete;
    Read(Read&&) = delete;
    Read& operator=(Read&&) = delete;

    sqlite::Connection& operator*() { return *connection_; }
    sqlite::Connection* operator->() { return connection_.get(); }

   private:
    Database& database_;
    std::unique_ptr<sqlite::Connection> connection_;
    std::optional<sqlite::Transaction> transaction_;
  };

 private:
  void unlock(std::optional<Vault> given, const DatabaseOptions& options);
  void erase_from_log();
  [[nodiscard]] std::unique_ptr<sqlite::Connection> take_reader();

  std::filesystem::path file_;
  std::optional<Vault> vault_;
  std::mutex write_mutex_;  // guards the writer and erasure_due_
  std::unique_ptr<sqlite::Connection> writer_;
  bool erasure_due_ = false;
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<sqlite::Connection>> idle_readers_;
};

}  // namespace wajah::attendance
