// What the verbs of `wajah attendance` share: options of the period and of the people, and the book they read.
#pragma once

#include "attendance/data_folder.hpp"
#include "attendance/records/attendance_book.hpp"
#include "attendance/records/report.hpp"
#include "attendance/records/sqlite_record_store.hpp"
#include "attendance/storage/database.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"

#include <string>

namespace wajah::cli {

struct ReportOptions {
  CommonOptions common;
  std::string from, to, month, person, group, site;

  // Declares --from, --to, --month, --person, --group, --site, --zone, --day-start, --data and --json.
  void declare(OptionSet& set);
  void declare_book(OptionSet& set);  // without period and people
};

// The attendance book of a data folder that no server is using.
class OpenBook {
 public:
  // Throws Error (usage) on options that cannot be read, Error (input) if --data is no folder, Error (storage).
  explicit OpenBook(const ReportOptions& options);

  [[nodiscard]] attendance::AttendanceBook& book() { return book_; }

  // The period: --month whole, or --from to --to; by default the current month until today.
  [[nodiscard]] attendance::ReportQuery query(const ReportOptions& options);

 private:
  attendance::DataFolder folder_;
  attendance::Database database_;
  attendance::SqliteRecordStore store_;
  attendance::AttendanceBook book_;
};

[[nodiscard]] int export_attendance(Arguments arguments);  // the verb `export`

}  // namespace wajah::cli
