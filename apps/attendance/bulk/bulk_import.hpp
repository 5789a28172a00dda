// Enrols the people of an import source through the service, and its log through the attendance book; tells what became
// of every file.
#pragma once

#include "attendance/bulk/import_source.hpp"
#include "attendance/service.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace wajah::attendance {

class RecordStore;
struct BookOptions;

struct BulkReport {
  std::size_t people = 0, people_left_out = 0;
  std::size_t photos = 0, photos_left_out = 0;
  std::int64_t rows = 0, events = 0;
  std::vector<Verdict> verdicts;
};

struct BulkRules {
  Force force = Force::no;
  // Why nobody may be enrolled under a NIK; empty: they may.
  std::function<std::string(std::string_view nik)> objection = [](std::string_view) { return std::string(); };
  // Whether there is a site of that code; one there is not stays out of the person's record.
  std::function<bool(std::string_view code)> has_site = [](std::string_view) { return true; };
  std::function<bool()> stopping = [] { return false; };  // asked before every person
  bool consent = false;                                   // nobody is enrolled without one in force
  // Told of each upload that was stored, with its files.
  std::function<void(const UploadResult&, std::span<const File>)> enrolled = [](const auto&, auto) {};
};

// Told how many photos, or days of the log, are done.
using BulkProgress = std::function<void(std::size_t done, std::size_t total)>;

// One person whose photos are of no use keeps nobody else out; a photo that cannot be read keeps no other photo out.
// Enrolling the same source again changes nothing. Everybody of the report is recognisable on return. Throws Error
// (storage) when nothing more can be stored, Refusal (stopping, training); what was enrolled until then stays.
void enrol_source(Service& service, PeopleStore& people, const ImportSource& source, const BulkRules& rules,
                  BulkReport& report, const BulkProgress& progress);

// Each line becomes an attendance row as the original wrote it, and a matched one of somebody enrolled an event. Rows
// and events that are there already are not added again. The days are those of the book's options.
void import_logs(Store& store, RecordStore& records, const ImportSource& source, const BookOptions& options,
                 BulkReport& report, const BulkProgress& progress);

// A CSV with a line for each verdict, that spreadsheets open safely.
void write_verdicts(const std::filesystem::path& file, const std::vector<Verdict>& verdicts);

}  // namespace wajah::attendance
