#include "attendance/records/table_writer.hpp"

#include <wajah/error.hpp>

#include <xlsxwriter.h>

#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

namespace wajah::attendance {
namespace {

constexpr lxw_row_t rows_of_a_sheet = LXW_ROW_MAX;

}  // namespace

class XlsxWriter::Book {
 public:
  // Built beside its place and renamed when whole.
  explicit Book(const std::filesystem::path& file)
      : file_(file),
        unfinished_(file.string() + ".part"),
        folder_(file.has_parent_path() ? file.parent_path().string() : ".") {
    // libxlsxwriter tells of a folder that cannot be written only when all rows are there.
    if (::access(folder_.c_str(), W_OK) != 0)
      fail(ErrorKind::storage, "{}: its folder cannot be written", file_.string());
    lxw_workbook_options options{};
    options.constant_memory = 1;
    options.tmpdir = folder_.data();
    book_ = workbook_new_opt(unfinished_.c_str(), &options);
    if (!book_) fail(ErrorKind::storage, "{}: not enough memory or room for a workbook", file_.string());
    header_ = format(nullptr);
    format_set_bold(header_);
    format_set_bottom(header_, LXW_BORDER_THIN);
    date_ = format("yyyy-mm-dd");
    time_ = format("yyyy-mm-dd hh:mm:ss");
    duration_ = format("[h]:mm");
  }

  ~Book() {
    if (!book_) return;
    lxw_workbook_free(book_);
    std::error_code ignored;
    std::filesystem::remove(unfinished_, ignored);
  }
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;
  Book(Book&&) = delete;
  Book& operator=(Book&&) = delete;

  void begin(const std::string& name, std::span<const Column> columns) {
    require_open();
    sheet_ = workbook_add_worksheet(book_, name.c_str());
    if (!sheet_) fail(ErrorKind::usage, "a sheet cannot have the name '{}'", name);
    row_ = 0;
    lxw_col_t column = 0;
    for (const Column& c : columns) {
      check(worksheet_set_column(sheet_, column, column, c.width, nullptr));
      check(worksheet_write_string(sheet_, 0, column, std::string(c.title).c_str(), header_));
      ++column;
    }
    worksheet_freeze_panes(sheet_, 1, 0);
    worksheet_set_landscape(sheet_);
    check(worksheet_repeat_rows(sheet_, 0, 0));
  }

  void row(std::span<const Cell> cells) {
    require_open();
    if (!sheet_) fail(ErrorKind::usage, "{}: a row before the first table", file_.string());
    if (++row_ >= rows_of_a_sheet) {
      fail(ErrorKind::usage, "a sheet holds {} rows; ask for fewer people, a shorter period, or CSV",
           rows_of_a_sheet - 1);
    }
    column_ = 0;
    for (const Cell& cell : cells) {
      check(std::visit([&](const auto& value) { return write(value); }, cell));
      ++column_;
    }
  }

  void finish() {
    require_open();
    const lxw_error error = workbook_close(std::exchange(book_, nullptr));
    std::error_code failed;
    if (error == LXW_NO_ERROR) std::filesystem::rename(unfinished_, file_, failed);
    if (error == LXW_NO_ERROR && !failed) return;
    std::error_code ignored;
    std::filesystem::remove(unfinished_, ignored);
    fail(ErrorKind::storage, "{}: cannot be written: {}", file_.string(),
         failed ? failed.message() : std::string(lxw_strerror(error)));
  }

 private:
  void require_open() const {
    if (!book_) fail(ErrorKind::usage, "{}: the workbook is finished already", file_.string());
  }

  [[nodiscard]] lxw_format* format(const char* number) {
    lxw_format* made = workbook_add_format(book_);
    if (!made) fail(ErrorKind::storage, "{}: not enough memory for a workbook", file_.string());
    if (number) format_set_num_format(made, number);
    return made;
  }

  void check(lxw_error error) const {
    if (error != LXW_NO_ERROR) fail(ErrorKind::storage, "{}: {}", file_.string(), lxw_strerror(error));
  }

  lxw_error write(std::monostate) { return LXW_NO_ERROR; }
  // Always as a string: a text that begins with = stays one.
  lxw_error write(const std::string& text) {
    return text.empty() ? LXW_NO_ERROR : worksheet_write_string(sheet_, row_, column_, text.c_str(), nullptr);
  }
  lxw_error write(std::int64_t number) {
    return worksheet_write_number(sheet_, row_, column_, static_cast<double>(number), nullptr);
  }
  lxw_error write(Date date) {
    return worksheet_write_unixtime(sheet_, row_, column_, date.time_since_epoch().count() * 86400, date_);
  }
  lxw_error write(const LocalTime& t) {
    lxw_datetime value{t.year, t.month, t.day, t.hour, t.minute, static_cast<double>(t.second)};
    return worksheet_write_datetime(sheet_, row_, column_, &value, time_);
  }
  lxw_error write(Minutes time) {  // a spreadsheet's unit of time is the day
    return worksheet_write_number(sheet_, row_, column_, static_cast<double>(time.count()) / (24 * 60), duration_);
  }

  std::filesystem::path file_, unfinished_;
  std::string folder_;
  lxw_workbook* book_ = nullptr;
  lxw_worksheet* sheet_ = nullptr;
  lxw_format *header_ = nullptr, *date_ = nullptr, *time_ = nullptr, *duration_ = nullptr;
  lxw_row_t row_ = 0;
  lxw_col_t column_ = 0;
};

XlsxWriter::XlsxWriter(const std::filesystem::path& file) : book_(std::make_unique<Book>(file)) {}
XlsxWriter::~XlsxWriter() = default;

void XlsxWriter::begin(const std::string& name, std::span<const Column> columns) { book_->begin(name, columns); }
void XlsxWriter::row(std::span<const Cell> cells) { book_->row(cells); }
void XlsxWriter::finish() { book_->finish(); }

}  // namespace wajah::attendance
