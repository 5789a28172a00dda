#include "attendance/sqlite.hpp"

#include <wajah/error.hpp>

#include <sqlite3.h>

namespace wajah::attendance::sqlite {
namespace {

constexpr int busy_timeout_ms = 2000;
constexpr int checkpoint_timeout_ms = 50;  // other writers wait meanwhile, and it can be made later as well

// One sentence for people, with what they can do about it where they can.
std::string_view hint(int code) {
  switch (code & 0xFF) {
    case SQLITE_BUSY: return "; another program holds the database, try again";
    case SQLITE_FULL: return "; the disk is full, make room and try again";
    case SQLITE_IOERR: return "; the disk or file system failed";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return "; restore a backup";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN: return "; check the folder's owner and rights";
    default: return "";
  }
}

[[noreturn]] void fail_with(sqlite3* connection, int code) {
  fail(ErrorKind::storage, "database: {}{}", connection ? sqlite3_errmsg(connection) : sqlite3_errstr(code),
       hint(code));
}

void check(sqlite3* connection, int code) {
  if (code != SQLITE_OK) fail_with(connection, code);
}

sqlite3* open(const std::filesystem::path& file, Access access) {
  const int mode = access == Access::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  sqlite3* connection = nullptr;
  const int code =
      sqlite3_open_v2(file.c_str(), &connection, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (code == SQLITE_OK) return connection;
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> owner(connection, sqlite3_close_v2);
  fail(ErrorKind::storage, "database: cannot be opened: {}{}", sqlite3_errstr(code), hint(code));
}

}  // namespace

Statement::~Statement() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Statement::check(int code) const { sqlite::check(connection_, code); }

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  fail_with(connection_, code);
}

void Statement::bind_one(int index, std::int64_t value) { check(sqlite3_bind_int64(statement_, index, value)); }
void Statement::bind_one(int index, double value) { check(sqlite3_bind_double(statement_, index, value)); }
void Statement::bind_one(int index, std::nullopt_t) { check(sqlite3_bind_null(statement_, index)); }

void Statement::bind_one(int index, std::string_view value) {
  // A null pointer would bind NULL, not the empty text.
  const char* data = value.data() ? value.data() : "";
  check(sqlite3_bind_text64(statement_, index, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind_one(int index, Blob value) {
  if (value.empty()) return check(sqlite3_bind_zeroblob(statement_, index, 0));
  check(sqlite3_bind_blob64(statement_, index, value.data(), value.size(), SQLITE_STATIC));
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }
bool Statement::null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

int Statement::columns() const { return sqlite3_column_count(statement_); }
std::string_view Statement::name(int column) const { return sqlite3_column_name(statement_, column); }

Statement::Type Statement::type(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER: return Type::integer;
    case SQLITE_FLOAT: return Type::real;
    case SQLITE_TEXT: return Type::text;
    case SQLITE_BLOB: return Type::blob;
    default: return Type::null;
  }
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return data ? std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : std::string();
}

Blob Statement::blob(int column) const {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Connection::Closer::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
void Connection::Finalizer::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Connection::Connection(const std::filesystem::path& file, Access access) : connection_(open(file, access)) {
  check(connection_.get(), sqlite3_busy_timeout(connection_.get(), busy_timeout_ms));
  // Checkpoints belong to the writer alone, also the one SQLite makes when the last connection closes.
  if (access == Access::read_only) {
    check(connection_.get(), sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr));
  }
  // A hostile database file must not run what its schema says (SQLite: "Defense Against The Dark Arts").
  check(connection_.get(), sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr));
  check(connection_.get(), sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr));
}

Connection::~Connection() = default;

Statement Connection::prepare(const char* sql) {
  auto& kept = statements_[sql];
  if (!kept) {
    sqlite3_stmt* statement = nullptr;
    check(connection_.get(),
          sqlite3_prepare_v3(connection_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    kept.reset(statement);
  }
  return {connection_.get(), kept.get()};
}

void Connection::execute(const char* sql) {
  check(connection_.get(), sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr));
}

std::int64_t Connection::integer(const char* sql) {
  auto statement = prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::string Connection::text(const char* sql) {
  auto statement = prepare(sql);
  return statement.step() ? statement.text(0) : std::string();
}

std::int64_t Connection::last_row() const { return sqlite3_last_insert_rowid(connection_.get()); }
std::int64_t Connection::changes() const { return sqlite3_changes64(connection_.get()); }

bool Connection::checkpoint() {
  check(connection_.get(), sqlite3_busy_timeout(connection_.get(), checkpoint_timeout_ms));
  const int code = sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  check(connection_.get(), sqlite3_busy_timeout(connection_.get(), busy_timeout_ms));
  if ((code & 0xFF) == SQLITE_BUSY) return false;
  check(connection_.get(), code);
  return true;
}

void Connection::copy_to(Connection& target, const std::function<void(std::size_t, std::size_t)>& progress) {
  constexpr int pages_at_a_time = 1024;
  // One state for all steps: without it the copy begins anew whenever somebody writes.
  const Transaction snapshot(*this, Transaction::Kind::read);
  (void)integer("SELECT count(*) FROM sqlite_schema");
  const std::unique_ptr<sqlite3_backup, int (*)(sqlite3_backup*)> copy(
      sqlite3_backup_init(target.connection_.get(), "main", connection_.get(), "main"), sqlite3_backup_finish);
  if (!copy) fail_with(target.connection_.get(), sqlite3_errcode(target.connection_.get()));
  int code = SQLITE_OK;
  while (code == SQLITE_OK) {
    code = sqlite3_backup_step(copy.get(), pages_at_a_time);
    const auto total = static_cast<std::size_t>(sqlite3_backup_pagecount(copy.get()));
    if (progress) progress(total - static_cast<std::size_t>(sqlite3_backup_remaining(copy.get())), total);
  }
  if (code != SQLITE_DONE) fail_with(target.connection_.get(), code);
}

Transaction::Transaction(Connection& connection, Kind kind) : connection_(connection) {
  // A write begins by taking the lock: a transaction that reads first and then upgrades may find it cannot.
  connection_.execute(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    connection_.execute("ROLLBACK");
  } catch (const Error&) {
    // SQLite has rolled back by itself after the fault that brought us here.
  }
}

void Transaction::commit() {
  connection_.execute("COMMIT");
  open_ = false;
}

}  // namespace wajah::attendance::sqlite
