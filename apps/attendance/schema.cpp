#include "attendance/schema.hpp"

#include "attendance/file_descriptor.hpp"
#include "attendance/storage/files.hpp"
#include "attendance/storage/migrations.hpp"

#include <wajah/error.hpp>

#include <fcntl.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>

namespace wajah::attendance {
namespace {

constexpr std::int64_t application_id = 0x77616A68;  // "wajh"

void refuse_foreign(sqlite::Connection& writer) {
  const auto id = writer.integer("PRAGMA application_id");
  if (id != application_id) {
    fail(ErrorKind::storage, "is the database of another program (application id {}, expected {}); name another folder",
         id, application_id);
  }
  const auto version = writer.integer("PRAGMA user_version");
  const auto newest = static_cast<std::int64_t>(migrations().size());
  if (version < 1 || version > newest) {
    fail(ErrorKind::storage, "has schema {}, expected 1 to {}; run the wajah that made it or restore a backup", version,
         newest);
  }
}

void refuse_damaged(sqlite::Connection& connection, bool thorough) {
  const auto verdict = connection.text(thorough ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)");
  if (verdict != "ok") {
    fail(ErrorKind::storage, "is damaged ({}); it was left as it is, restore a backup", verdict);
  }
}

void write_ahead(sqlite::Connection& writer) {
  const auto mode = writer.text("PRAGMA journal_mode = WAL");
  if (mode != "wal") {
    fail(ErrorKind::storage, "has journal mode {}, expected wal; its file system must support shared memory", mode);
  }
}

// Made under another name and renamed when its schema is there: a database is whole from the moment it has its name, so
// an empty or short file under that name is damage, never a start that was interrupted.
void create(const std::filesystem::path& file) {
  if (std::filesystem::exists(file.string() + "-wal")) {
    fail(ErrorKind::storage, "is missing, but its write-ahead log is there; restore a backup or move the log away");
  }
  const std::filesystem::path unfinished = file.string() + ".new";
  std::filesystem::remove(unfinished);
  create_with_owner_rights(unfinished);
  {
    sqlite::Connection connection(unfinished, sqlite::Access::read_write);
    connection.execute("PRAGMA synchronous = FULL");
    upgrade(connection);
  }
  std::filesystem::rename(unfinished, file);
  sync_folder(file.parent_path());
}

std::unique_ptr<sqlite::Connection> open_checked(const std::filesystem::path& file) {
  auto writer = std::make_unique<sqlite::Connection>(file, sqlite::Access::read_write);
  writer->execute(
      "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; "
      "PRAGMA journal_size_limit = 16777216");
  check_database(*writer, false);
  write_ahead(*writer);
  upgrade(*writer);
  return writer;
}

}  // namespace

void create_with_owner_rights(const std::filesystem::path& file) {
  const FileDescriptor created(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!created) fail(ErrorKind::storage, "cannot be made: {}", std::strerror(errno));
}

void upgrade(sqlite::Connection& writer, std::size_t version) {
  const auto steps = migrations().first(version == 0 ? migrations().size() : version);
  auto done = static_cast<std::size_t>(writer.integer("PRAGMA user_version"));
  for (; done < steps.size(); ++done) {
    sqlite::Transaction transaction(writer, sqlite::Transaction::Kind::write);
    steps[done].apply(writer);
    writer.execute(fmt::format("PRAGMA user_version = {}", done + 1).c_str());
    transaction.commit();
  }
}

void check_database(sqlite::Connection& connection, bool thorough) {
  refuse_damaged(connection, thorough);
  refuse_foreign(connection);
}

std::unique_ptr<sqlite::Connection> open_database(const std::filesystem::path& file) {
  try {
    if (!std::filesystem::exists(file)) create(file);
    if (std::filesystem::file_size(file) == 0) fail(ErrorKind::storage, "is empty; restore a backup");
    return open_checked(file);
  } catch (const std::exception& error) {
    fail(ErrorKind::storage, "{}: {}", file.string(), error.what());
  }
}

}  // namespace wajah::attendance
