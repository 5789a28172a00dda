// Enrols the people of an import source through the service, and its log through the attendance book; tells what became
// of every file.
#pragma once

#include "attendance/site_time.hpp"
#include "cli/attendance.hpp"
#include "cli/import_source.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace wajah::cli {

struct BulkReport {
  std::size_t people = 0, people_left_out = 0;
  std::size_t photos = 0, photos_left_out = 0;
  std::int64_t rows = 0, events = 0;
  std::vector<Verdict> verdicts;
};

// One person whose photos are of no use keeps nobody else out; a photo that cannot be read keeps no other photo out.
// Enrolling the same source again changes nothing. Throws Error (storage) when nothing more can be stored.
void enrol_source(Attendance& attendance, const ImportSource& source, attendance::Force force, BulkReport& report);

// Each line becomes an attendance row as the original wrote it, and a matched one of somebody enrolled an event. Rows
// and events that are there already are not added again.
void import_logs(Attendance& attendance, const ImportSource& source, const attendance::Zone& zone, BulkReport& report);

// A CSV with a line for each verdict, that spreadsheets open safely.
void write_verdicts(const std::filesystem::path& file, const std::vector<Verdict>& verdicts);

}  // namespace wajah::cli
