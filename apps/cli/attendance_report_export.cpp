// wajah attendance export: a CSV or XLSX file for spreadsheets.
#include "attendance/records/export.hpp"
#include "cli/attendance_report.hpp"
#include "cli/json_text.hpp"

#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <boost/json.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

namespace wajah::cli {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// Gathers what is written beside its place and gives it its name when it is whole.
class NewFile {
 public:
  explicit NewFile(const std::string& name)
      : name_(name), unfinished_(name + ".part"), file_(std::fopen(unfinished_.c_str(), "wb")) {
    if (!file_) refuse();
  }
  ~NewFile() {
    if (!done_) std::remove(unfinished_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  NewFile(NewFile&&) = delete;
  NewFile& operator=(NewFile&&) = delete;

  void write(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) refuse();
  }

  void finish() {
    if (std::fclose(file_.release()) != 0 || std::rename(unfinished_.c_str(), name_.c_str()) != 0) refuse();
    done_ = true;
  }

 private:
  [[noreturn]] void refuse() const {
    fail(ErrorKind::storage, "{}: cannot be written: {}", name_, std::strerror(errno));
  }

  std::string name_, unfinished_;
  std::unique_ptr<std::FILE, FileCloser> file_;
  bool done_ = false;
};

struct ExportOptions {
  ReportOptions report;
  std::string format, output, table = "days";
  bool bom = false;
};

// By --format, else by the file's ending.
std::string format_of(const ExportOptions& options) {
  std::string format = options.format;
  if (format.empty()) {
    const auto dot = options.output.rfind('.');
    if (dot != std::string::npos) format = options.output.substr(dot + 1);
  }
  if (format != "csv" && format != "xlsx") {
    fail(ErrorKind::usage, "--format {}: expected csv or xlsx, or an --output that ends so", quote(format));
  }
  return format;
}

void write_csv(attendance::AttendanceBook& book, const attendance::ReportQuery& query, attendance::Table table,
               const ExportOptions& options) {
  NewFile file(options.output);
  attendance::CsvWriter writer([&](std::string_view text) { file.write(text); }, options.bom);
  attendance::write_table(book, query, table, writer);
  file.finish();
}

void write_xlsx(attendance::AttendanceBook& book, const attendance::ReportQuery& query, attendance::Table table,
                const ExportOptions& options) {
  attendance::XlsxWriter writer(options.output);
  if (table == attendance::Table::days) {
    attendance::write_workbook(book, query, writer);
  } else {
    attendance::write_table(book, query, table, writer);
  }
}

}  // namespace

int export_attendance(Arguments arguments) {
  ExportOptions options;
  OptionSet set("attendance export --output FILE [--format csv|xlsx] [--month MONTH] ...",
                "Writes a file for spreadsheets. XLSX has a sheet for each month and the summary; CSV is one table, in "
                "which texts that a spreadsheet would run as formulas begin with an apostrophe.");
  set.add("output,o", options.output, "FILE", "the file to write");
  set.add("format", options.format, "FORMAT", "csv or xlsx; default: as the file's name ends");
  set.add("table", options.table, "TABLE", "days, sheet or summary");
  set.add("bom", options.bom, "mark a CSV file as UTF-8, for spreadsheets that would guess otherwise");
  options.report.declare(set);
  if (!set.parse(arguments)) return exit_yes;
  if (options.output.empty()) fail(ErrorKind::usage, "--output is needed: the file to write");
  const auto table = attendance::parse_table(options.table);
  if (!table) fail(ErrorKind::usage, "--table {}: expected days, sheet or summary", quote(options.table));
  const std::string format = format_of(options);

  OpenBook open(options.report);
  const auto query = open.query(options.report);
  (format == "csv" ? write_csv : write_xlsx)(open.book(), query, *table, options);
  if (options.report.common.json) {
    print_json(boost::json::object{{"file", options.output},
                                   {"format", format},
                                   {"from", attendance::date_text(query.from)},
                                   {"to", attendance::date_text(query.to)}});
  } else {
    fmt::print("{} written: {} to {}\n", options.output, attendance::date_text(query.from),
               attendance::date_text(query.to));
  }
  return exit_yes;
}

}  // namespace wajah::cli
