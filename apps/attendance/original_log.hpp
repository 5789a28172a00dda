// Reading the original service's log, the other way round than DailyLog.
#pragma once

#include "attendance/site_time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wajah::attendance {

struct LoggedRecognition {
  LocalTime at;
  std::string nik, name;
  double accuracy = 0;
  bool matched = false;
};

// A line "HH:MM:SS - NIK: x, Name: y, Accuracy: z, Matched: True|False" of the day that `day` is of. Nothing if it is
// no such line.
[[nodiscard]] std::optional<LoggedRecognition> parse_log_line(std::string_view line, const LocalTime& day);

// The day of a file called logging_dd-mm-yyyy.txt; nothing for another name or a day that no calendar has.
[[nodiscard]] std::optional<LocalTime> day_of_log(std::string_view file_name);

}  // namespace wajah::attendance
