// TableWriter: tables for spreadsheets, row by row, in bounded memory. What a cell means is kept apart from how a
// format writes it, so that a date is a date in XLSX and unmistakable text in CSV.
#pragma once

#include "attendance/records/calendar.hpp"
#include "attendance/site_time.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace wajah::attendance {

struct Column {
  std::string_view title;
  int width = 10;  // characters
};

using Cell = std::variant<std::monostate, std::string, std::int64_t, Date, LocalTime, Minutes>;

class TableWriter {
 public:
  virtual ~TableWriter() = default;

  // Begins a table; rows that follow belong to it. Formats that hold only one throw Error (usage) on a second.
  virtual void begin(const std::string& name, std::span<const Column> columns) = 0;
  virtual void row(std::span<const Cell> cells) = 0;  // as many as there are columns
  // Nothing is whole before it returns, and nothing may follow it.
  virtual void finish() = 0;
};

// RFC 4180, UTF-8; dates as 2026-11-22, times as 2026-11-22 07:58:11, durations as 8:15. `bom` marks it as UTF-8 for
// spreadsheets that would guess. Texts that a spreadsheet would take for a formula (beginning with = + - @, their
// full-width forms, tab, CR or LF) are written with a leading apostrophe.
class CsvWriter final : public TableWriter {
 public:
  using Sink = std::function<void(std::string_view)>;
  CsvWriter(Sink sink, bool bom) : sink_(std::move(sink)), bom_(bom) {}

  void begin(const std::string& name, std::span<const Column> columns) override;
  void row(std::span<const Cell> cells) override;
  void finish() override {}

 private:
  Sink sink_;
  bool bom_;
  bool begun_ = false;
  std::string line_;
};

// A text as a CSV field, guarded and quoted as above.
[[nodiscard]] std::string csv_field(std::string_view text);

// XLSX with a sheet for every table: header frozen, columns as wide as asked, dates, times and durations as numbers
// with a format, texts never formulas. Rows go to disk as they come; a file that was there is replaced only by
// finish(). Throws Error (storage) if the file cannot be written, Error (usage) on more rows than a sheet holds and on
// any call after finish().
class XlsxWriter final : public TableWriter {
 public:
  explicit XlsxWriter(const std::filesystem::path& file);
  ~XlsxWriter() override;
  XlsxWriter(const XlsxWriter&) = delete;
  XlsxWriter& operator=(const XlsxWriter&) = delete;
  XlsxWriter(XlsxWriter&&) = delete;
  XlsxWriter& operator=(XlsxWriter&&) = delete;

  void begin(const std::string& name, std::span<const Column> columns) override;
  void row(std::span<const Cell> cells) override;
  void finish() override;

 private:
  class Book;
  std::unique_ptr<Book> book_;
};

}  // namespace wajah::attendance
