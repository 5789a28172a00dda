// wajah import: an archive, a backup, the original service's folder, or a folder of staff photos with a CSV.
#include "attendance/bulk/bulk_import.hpp"
#include "attendance/records/attendance_book.hpp"
#include "attendance/records/sqlite_record_store.hpp"
#include "attendance/storage/archive.hpp"
#include "attendance/storage/backup.hpp"
#include "attendance/storage/sqlite_audit_log.hpp"
#include "attendance/storage/sqlite_people_store.hpp"
#include "cli/attendance.hpp"
#include "cli/commands.hpp"
#include "cli/folder_settings.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/passphrase.hpp"
#include "cli/report.hpp"

#include <wajah/error.hpp>

#include <boost/json.hpp>

#include <array>
#include <memory>
#include <optional>

namespace wajah::cli {
namespace {

namespace json = boost::json;
using attendance::BulkReport;
using attendance::ImportPerson;
using attendance::ImportSource;

constexpr std::array own_names{OwnName{"keep-photos", "privacy.keep_originals"},
                               OwnName{"day-start", "attendance.day_start"},
                               OwnName{"duplicate-minutes", "attendance.duplicate_minutes"}};

struct Options {
  CommonOptions common;
  std::vector<std::string> files;
  std::string backup, original, folder, csv, passphrase_file, report;
  bool force = false, dry_run = false, twins = false;
};

void note(attendance::Database& database, const std::string& action, const json::object& detail) {
  attendance::SqliteAuditLog(database).append(
      {std::chrono::system_clock::now(), "cli", action, std::nullopt, "", json::serialize(detail)});
}

// A bar whose length is known when the work has begun.
attendance::BulkProgress bar(const std::string& what) {
  return [what, progress = std::make_shared<std::optional<Progress>>()](std::size_t done, std::size_t total) {
    if (!*progress) progress->emplace(what, total);
    (*progress)->show(done);
  };
}

int take_archive(const Options& options) {
  const attendance::DataFolder folder(options.common.data);
  attendance::Database database(folder, {options.common.storage_key_file, {}});
  attendance::ImportOptions how;
  how.passphrase = read_passphrase(options.passphrase_file);
  how.dry_run = options.dry_run;
  how.progress = bar("reading");
  const auto r = attendance::import_archive(database, options.files[0], how);
  const json::object counts{{"people_added", r.people_added},          {"people_known", r.people_known},
                            {"people_erased_before", r.erased_before}, {"photos_added", r.photos_added},
                            {"embeddings_added", r.embeddings_added},  {"pictures_added", r.pictures_added},
                            {"attendance_added", r.attendance_added},  {"events_added", r.events_added},
                            {"consents_added", r.consents_added},      {"embeddings_damaged", r.damaged}};
  if (!options.dry_run) note(database, "archive.import", counts);
  if (options.common.json) {
    json::object result = counts;
    result["conflicts"] = json::value_from(r.conflicts);
    result["dry_run"] = options.dry_run;
    print_json(result);
    return exit_yes;
  }
  fmt::print("{}{} people added, {} known already, {} left out\n",
             options.dry_run ? "nothing was written; it would be: " : "", r.people_added, r.people_known,
             r.conflicts.size() + static_cast<std::size_t>(r.erased_before));
  fmt::print("  {} photos, {} embeddings, {} pictures, {} attendance rows, {} events\n", r.photos_added,
             r.embeddings_added, r.pictures_added, r.attendance_added, r.events_added);
  for (const std::string& conflict : r.conflicts) fmt::print("  {}\n", conflict);
  if (r.erased_before > 0) fmt::print("  {} people were erased from this folder and stay so\n", r.erased_before);
  return exit_yes;
}

int take_backup(const Options& options) {
  const attendance::DataFolder folder(options.common.data);
  const auto report = attendance::restore(folder, options.backup, options.force, bar("copying"));
  if (options.common.json) {
    print_json(json::object{{"people", report.content.people},
                            {"photos", report.content.photos},
                            {"attendance", report.content.attendance},
                            {"erased_again", report.erased_again},
                            {"erasures_known", report.erasures_known}});
    return exit_yes;
  }
  fmt::print("{} people, {} photos, {} attendance rows restored\n", report.content.people, report.content.photos,
             report.content.attendance);
  if (report.erased_again > 0) fmt::print("  {} people erased since the backup stay erased\n", report.erased_again);
  if (!report.erasures_known) {
    fmt::print("  the database that was there could not be read: whoever was erased since the backup is back\n");
  }
  return exit_yes;
}

void print(const Options& options, const BulkReport& report, const std::string& file) {
  if (options.common.json) {
    print_json(json::object{{"people", report.people},
                            {"people_left_out", report.people_left_out},
                            {"photos", report.photos},
                            {"photos_left_out", report.photos_left_out},
                            {"attendance_rows", report.rows},
                            {"events", report.events},
                            {"report", file}});
    return;
  }
  fmt::print("{} people, {} photos enrolled; {} people, {} photos left out\n", report.people, report.photos,
             report.people_left_out, report.photos_left_out);
  if (report.rows > 0 || report.events > 0) {
    fmt::print("{} attendance rows and {} events taken from the log\n", report.rows, report.events);
  }
  fmt::print("what became of every file: {}\n", file);
}

attendance::BookOptions book_options_of(const server::Settings& settings) {
  attendance::BookOptions days;
  days.zone = settings.attendance.zone;
  days.day_start = *attendance::parse_clock(settings.attendance.day_start);
  days.duplicate_window = attendance::Minutes(settings.attendance.duplicate_minutes);
  return days;
}

int take_people(const Options& options) {
  if (!options.original.empty() && !options.csv.empty())
    fail(ErrorKind::usage, "--csv goes with --dir, not --original");
  if (options.original.empty() && options.csv.empty()) fail(ErrorKind::usage, "--dir needs --csv with who is who");
  const server::Settings settings =
      folder_settings(options.common, own_names);  // a slip is told before anything is read
  const attendance::BookOptions days = book_options_of(settings);
  const ImportSource source = options.original.empty() ? attendance::read_staff(options.folder, options.csv)
                                                       : attendance::read_original(options.original);
  const std::string file = options.report.empty() ? "wajah-import.csv" : options.report;
  BulkReport report;
  report.verdicts = source.odd;
  if (!options.dry_run) {
    Attendance attendance(options.common, attendance::Purpose::enrol, settings);
    attendance::SqlitePeopleStore people(attendance.database());
    attendance::SqliteRecordStore records(attendance.database());
    attendance::BulkRules rules;
    rules.force = options.twins ? attendance::Force::yes : attendance::Force::no;
    const attendance::Calendar calendar(records.calendar());
    rules.has_site = [&](std::string_view code) { return calendar.site(code) != nullptr; };
    enrol_source(attendance.service(), people, source, rules, report, bar("photos"));
    import_logs(attendance.store(), records, source, days, report, bar("days of the log"));
    note(attendance.database(), "people.import", {{"people", report.people}, {"photos", report.photos}});
  } else {
    report.people = source.people.size();
    for (const ImportPerson& person : source.people) report.photos += person.photos.size();
  }
  write_verdicts(file, report.verdicts);
  print(options, report, file);
  return report.people == 0 && !source.people.empty() ? exit_input : exit_yes;
}

int run(Arguments arguments) {
  Options options;
  OptionSet set("import FILE.wajah | import --backup FILE | import --original DIR | import --dir DIR --csv FILE",
                "Adds an archive's people and attendance, puts a backup in the place of the database, or takes over an "
                "installation of the original service (train_img and logging) or a folder of photos with a CSV. No "
                "server may be using the folder meanwhile.");
  set.add("backup", options.backup, "FILE", "a copy that 'wajah export --backup' made");
  set.add("original", options.original, "DIR", "the folder the original service ran in");
  set.add("dir", options.folder, "DIR", "photos: DIR/<nik>/..., DIR/<nik>.jpg or DIR/<nik>_1.jpg");
  set.add("csv", options.csv, "FILE", "titles nik and nama, and if there group, site, external_id");
  set.add("passphrase-file", options.passphrase_file, "FILE", "of a sealed archive");
  set.add_setting("zone", "NAME", "IANA time zone of the original's log (attendance.zone) [Asia/Jakarta]");
  set.add_setting("day-start", "HH:MM", "when a day of attendance begins (attendance.day_start) [04:00]");
  set.add_setting("duplicate-minutes", "M", "as attendance.duplicate_minutes [5]");
  set.add_setting("strictness", "off|standard|strict", "how good photos must be (pipeline.strictness) [standard]");
  set.add("twins", options.twins, "a face may resemble somebody who is enrolled");
  set.add_setting("keep-photos", "",
                  "keep the photos, so that another model can learn them again (privacy.keep_originals)");
  set.add("report", options.report, "FILE", "what became of every file, as CSV [wajah-import.csv]");
  set.add("force", options.force, "with --backup: replace the database that is there");
  set.add("dry-run", options.dry_run, "only tell what would be done");
  set.operands(options.files, "FILE", 0, 1);
  set.common(options.common,
             {.device = true, .mtcnn = true, .weights = true, .mirror = true, .data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  const int sources = int{!options.files.empty()} + int{!options.backup.empty()} + int{!options.original.empty()} +
                      int{!options.folder.empty()};
  if (sources != 1) fail(ErrorKind::usage, "name an archive, or one of --backup, --original and --dir");
  if (!options.files.empty()) return take_archive(options);
  if (!options.backup.empty()) return take_backup(options);
  return take_people(options);
}

}  // namespace

const Command import_command{"import", "adds an archive, a backup, or another installation", run};

}  // namespace wajah::cli
