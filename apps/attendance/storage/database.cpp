#include "attendance/storage/database.hpp"

#include "attendance/schema.hpp"

#include <wajah/error.hpp>

#include <utility>

namespace wajah::attendance {

using sqlite::Transaction;

Database::Database(const DataFolder& folder) : file_(folder.database()), writer_(open_database(folder.database())) {}

Database::~Database() = default;

// secure_delete has overwritten the rows in their pages; the write-ahead log still holds the pages as they were.
void Database::erase_from_log() {
  try {
    erasure_due_ = !writer_->checkpoint();
  } catch (const Error&) {
    erasure_due_ = true;  // the removal itself is committed, and must be acknowledged
  }
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
