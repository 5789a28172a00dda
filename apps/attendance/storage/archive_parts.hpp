// The parts of an archive: which tables it holds, and how a row of them is a line of JSON.
#pragma once

#include "attendance/sqlite.hpp"
#include "attendance/storage/vault.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

struct ArchivePart {
  const char* name;  // of the part, without ".jsonl"
  const char* table;
  const char* select;  // its rows, in the order they are written
  int schema;          // the first that has the table
};

// In an order in which rows come after those they refer to.
[[nodiscard]] std::span<const ArchivePart> archive_parts();

[[nodiscard]] boost::json::object json_of(const sqlite::Statement& row);

// A line of a part as a row of its table; columns of the table that the line lacks are NULL. The statement is kept by
// whoever makes it, because connections keep prepared statements by the address of their text.
class RowWriter {
 public:
  RowWriter(sqlite::Connection& writer, const ArchivePart& part);

  // Throws Error (input) naming what does not fit.
  void write(boost::json::object row);

 private:
  void bind(sqlite::Statement& statement, int index, const boost::json::value& value) const;

  sqlite::Connection& writer_;
  std::string part_, sql_;
  std::vector<std::string> columns_;
};

// Bytes as they stand in a line: {"base64": "..."}.
[[nodiscard]] boost::json::object json_of(std::span<const std::byte> bytes);
[[nodiscard]] std::vector<std::byte> bytes_in(const boost::json::value& value);

}  // namespace wajah::attendance
