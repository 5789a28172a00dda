// DailyLog: the original service's text log, one file a day and one line a recognition. The database is the record;
// this is for people and programs that read the original's files.
#pragma once

#include "attendance/site_time.hpp"

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

namespace wajah::attendance {

struct LogEntry {
  std::string_view nik, name;
  double accuracy = 0;
  bool matched = false;
};

// "HH:MM:SS - NIK: x, Name: y, Accuracy: z, Matched: True|False" without the newline. Whatever NIK and name hold, it is
// one line, and it reads back unambiguously: a NIK holds no comma, a backslash begins every escape (text.hpp).
[[nodiscard]] std::string log_line(const LocalTime& at, const LogEntry& entry);

class DailyLog {
 public:
  // The folder is made when the first line is written.
  DailyLog(std::filesystem::path folder, const Zone& zone);

  // Appends the line to logging_dd-mm-yyyy.txt of the day that `at` falls on in the zone, with one write. A line that
  // did not fit on the disk is taken back whole; a torn one left by a crash is ended first. Throws Error (storage).
  void append(Time at, const LogEntry& entry);

  // Takes NIK and name out of every line of that NIK, in all files of the folder; the lines stay. Throws Error
  // (storage) naming a file that cannot be written anew.
  void forget(std::string_view nik);

  [[nodiscard]] std::filesystem::path file_of(Time at) const;

 private:
  std::filesystem::path folder_;
  Zone zone_;
  std::mutex mutex_;
};

}  // namespace wajah::attendance
