// wajah export: everything of a data folder in one archive, or a backup of its database. A server may be using it.
#include "attendance/storage/archive.hpp"
#include "attendance/storage/backup.hpp"
#include "cli/attendance.hpp"
#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/passphrase.hpp"
#include "cli/report.hpp"

#include <wajah/error.hpp>

#include <boost/json.hpp>

namespace wajah::cli {
namespace {

namespace json = boost::json;

struct Options {
  CommonOptions common;
  std::vector<std::string> files;
  std::string backup, passphrase_file;
  bool force = false;
};

// A bar whose length is known when the work has begun.
class LateProgress {
 public:
  explicit LateProgress(std::string what) : what_(std::move(what)) {}
  void operator()(std::size_t done, std::size_t total) {
    if (!progress_) progress_.emplace(what_, total);
    progress_->show(done);
  }

 private:
  std::string what_;
  std::optional<Progress> progress_;
};

int back_up(const Options& options) {
  LateProgress progress("copying");
  const auto report = attendance::back_up(options.common.data, options.backup, options.force, std::ref(progress));
  if (options.common.json) {
    print_json(json::object{{"backup", options.backup},
                            {"people", report.people},
                            {"photos", report.photos},
                            {"attendance", report.attendance},
                            {"damaged", report.damaged}});
  } else {
    fmt::print("{}: {} people, {} photos, {} attendance rows, checked\n", options.backup, report.people, report.photos,
               report.attendance);
    if (report.damaged > 0) fmt::print("  {} damaged templates were copied as they are\n", report.damaged);
    fmt::print("keep server.secret and the key file of templates with it; they are not in it\n");
  }
  return exit_yes;
}

int write_archive(const Options& options) {
  LateProgress progress("exporting");
  attendance::ExportOptions how;
  how.key_file = options.common.storage_key_file;
  how.passphrase = read_passphrase(options.passphrase_file);
  how.replace = options.force;
  how.progress = std::ref(progress);
  const auto report = attendance::export_archive(options.common.data, options.files[0], how);
  json::object parts;
  for (const auto& part : report.parts) parts[part.name] = part.rows;
  if (options.common.json) {
    print_json(json::object{{"archive", options.files[0]},
                            {"sealed", how.passphrase.has_value()},
                            {"rows", parts},
                            {"damaged", report.damaged}});
    return exit_yes;
  }
  fmt::print("{}:", options.files[0]);
  const char* comma = "";
  for (const auto& part : report.parts) {
    if (part.rows == 0) continue;
    fmt::print("{} {} {}", comma, part.rows, part.name);
    comma = ",";
  }
  fmt::print("\n");
  if (report.damaged > 0) fmt::print("  {} damaged templates were left out\n", report.damaged);
  if (!how.passphrase) fmt::print("it is not sealed: whoever has it has everybody's templates (--passphrase-file)\n");
  return exit_yes;
}

int run(Arguments arguments) {
  Options options;
  OptionSet set("export FILE.wajah [options] | export --backup FILE [options]",
                "Writes everything about people and attendance into one archive, or makes a checked copy of the "
                "database. A server may be using the folder meanwhile.");
  set.add("backup", options.backup, "FILE", "copy the database instead");
  set.add("passphrase-file", options.passphrase_file, "FILE", "seal the archive with the passphrase in this file");
  set.add("force", options.force, "replace the file if it is there");
  set.operands(options.files, "FILE", 0, 1);
  set.common(options.common, {.data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  if (options.backup.empty() == options.files.empty()) {
    fail(ErrorKind::usage, "name an archive to write, or a backup with --backup; one of them");
  }
  require_data_folder(options.common);
  return options.backup.empty() ? write_archive(options) : back_up(options);
}

}  // namespace

const Command export_command{"export", "writes an archive or a backup", run};

}  // namespace wajah::cli
