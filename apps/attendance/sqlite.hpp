// SQLite, as much of it as the store needs: connections, cached prepared statements, transactions. Every fault becomes
// Error (storage) with SQLite's own words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace wajah::attendance::sqlite {

using Blob = std::span<const std::byte>;

// A prepared statement in use; it goes back to its connection, reset, at the end of its life.
class Statement {
 public:
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement(Statement&&) = delete;
  Statement& operator=(Statement&&) = delete;

  // Binds the parameters ?1, ?2, ... in order. Texts and blobs must outlive the statement's steps.
  template <class... Values>
  Statement& bind(const Values&... values) {
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }

  // Binds one parameter, where only the caller's data know how many there are.
  template <class Value>
  void bind_at(int index, const Value& value) {
    bind_one(index, value);
  }

  [[nodiscard]] bool step();  // true: a row is there
  void run() { (void)step(); }

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] Blob blob(int column) const;  // valid until the next step
  [[nodiscard]] bool null(int column) const;

  // Of a row whose columns only the database knows.
  enum class Type { integer, real, text, blob, null };
  [[nodiscard]] int columns() const;
  [[nodiscard]] std::string_view name(int column) const;
  [[nodiscard]] Type type(int column) const;

 private:
  friend class Connection;
  Statement(sqlite3* connection, sqlite3_stmt* statement) : connection_(connection), statement_(statement) {}

  void bind_one(int index, std::int64_t value);
  void bind_one(int index, int value) { bind_one(index, std::int64_t{value}); }
  void bind_one(int index, double value);
  void bind_one(int index, std::string_view value);
  void bind_one(int index, Blob value);
  void bind_one(int index, std::nullopt_t);
  template <class T>
  void bind_one(int index, const std::optional<T>& value) {
    value ? bind_one(index, *value) : bind_one(index, std::nullopt);
  }
  void check(int code) const;

  sqlite3* connection_;
  sqlite3_stmt* statement_;
};

enum class Access { read_write, read_only };

// For one thread at a time.
class Connection {
 public:
  Connection(const std::filesystem::path& file, Access access);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;

  // `sql` must be a literal: statements are kept by its address for the life of the connection.
  [[nodiscard]] Statement prepare(const char* sql);

  // One or more statements without parameters, results thrown away.
  void execute(const char* sql);
  [[nodiscard]] std::int64_t integer(const char* sql);  // the first column of the first row
  [[nodiscard]] std::string text(const char* sql);

  [[nodiscard]] std::int64_t last_row() const;
  [[nodiscard]] std::int64_t changes() const;

  // Moves the write-ahead log into the file and empties it. False if readers were in the way.
  [[nodiscard]] bool checkpoint();

  // Everything this connection sees, also while others write, as the whole content of `target`.
  void copy_to(Connection& target, const std::function<void(std::size_t done, std::size_t total)>& progress);

 private:
  struct Closer {
    void operator()(sqlite3* connection) const;
  };
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };

  std::unique_ptr<sqlite3, Closer> connection_;
  std::map<const char*, std::unique_ptr<sqlite3_stmt, Finalizer>> statements_;
};

// Begun when made, rolled back unless committed.
class Transaction {
 public:
  enum class Kind { read, write };
  Transaction(Connection& connection, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction(Transaction&&) = delete;
  Transaction& operator=(Transaction&&) = delete;

  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace wajah::attendance::sqlite
