// wajah enrol: adds people and their photos to the data folder, or says what is wrong with photos.
#include "cli/attendance.hpp"
#include "cli/commands.hpp"
#include "cli/enrol_check.hpp"
#include "cli/folder_settings.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"

#include <wajah/error.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <filesystem>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t photos_at_once = 100;  // of one upload: bounds the memory their bytes take
constexpr std::array own_names{OwnName{"keep-photos", "privacy.keep_originals"}};

struct Options {
  CommonOptions common;
  std::string nik, name, folder;
  std::vector<std::string> photos;
  bool force = false, check = false;
};

struct Newcomer {
  std::string nik, name;
  std::vector<std::string> photos;
};

struct Enrolled {
  std::size_t stored = 0;
  std::vector<attendance::SkippedFile> skipped;
};

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with('.')) entries.push_back(entry.path());
  }
  std::ranges::sort(entries);
  return entries;
}

// DIR/<nik>/<nama>/<photos>, as the original service keeps them in train_img.
std::vector<Newcomer> read_folder(const fs::path& folder) try {
  std::vector<Newcomer> people;
  for (const fs::path& nik : sorted_entries(folder)) {
    if (!fs::is_directory(nik)) continue;
    for (const fs::path& name : sorted_entries(nik)) {
      if (!fs::is_directory(name)) continue;
      Newcomer person{nik.filename().string(), name.filename().string(), {}};
      for (const fs::path& photo : sorted_entries(name)) person.photos.push_back(photo.string());
      if (!person.photos.empty()) people.push_back(std::move(person));
    }
  }
  if (people.empty())
    fail(ErrorKind::input, "{}: no photos, expected {}/<nik>/<nama>/<photo>", folder.string(), folder.string());
  return people;
} catch (const fs::filesystem_error& error) {
  fail(ErrorKind::input, "{}: {}", error.path1().string(), error.code().message());
}

Enrolled enrol(attendance::Service& service, const Newcomer& person, attendance::Force force) {
  Enrolled sum;
  for (std::size_t first = 0; first < person.photos.size(); first += photos_at_once) {
    const auto photos = std::span(person.photos).subspan(first, std::min(photos_at_once, person.photos.size() - first));
    std::vector<std::vector<std::byte>> bytes;
    std::vector<attendance::File> files;
    bytes.reserve(photos.size());
    for (const std::string& photo : photos) files.push_back({photo, bytes.emplace_back(read_photo(photo))});
    const attendance::UploadResult result = service.upload(person.nik, person.name, files, force);
    sum.stored += result.stored;
    sum.skipped.insert(sum.skipped.end(), result.skipped.begin(), result.skipped.end());
  }
  return sum;
}

// A line for every person, also for one who was refused: then with the reason.
void print_as_json(const Newcomer& person, const Enrolled& enrolled, const json::value& error) {
  json::array skipped;
  for (const auto& file : enrolled.skipped) {
    skipped.push_back(json::object{{"image", file.filename}, {"fault", name_of(file.fault)}, {"reason", file.reason}});
  }
  print_json(json::object{{"nik", person.nik},
                          {"name", person.name},
                          {"stored", enrolled.stored},
                          {"skipped", std::move(skipped)},
                          {"error", error}});
}

void report(const Options& options, const Newcomer& person, const Enrolled& enrolled) {
  if (options.common.json) return print_as_json(person, enrolled, nullptr);
  fmt::print("{} ({}): {} photo{} stored, {} left out\n", person.name, person.nik, enrolled.stored,
             enrolled.stored == 1 ? "" : "s", enrolled.skipped.size());
  for (const auto& file : enrolled.skipped) {
    fmt::print("  {}: {}: {}\n", file.filename, name_of(file.fault), file.reason);
  }
}

std::vector<Newcomer> newcomers(const Options& options) {
  if (!options.folder.empty()) {
    if (!options.nik.empty() || !options.name.empty() || !options.photos.empty()) {
      fail(ErrorKind::usage, "--dir says who is enrolled; --nik, --nama and photos do not go with it");
    }
    return read_folder(options.folder);
  }
  if (options.nik.empty()) fail(ErrorKind::usage, "--nik is missing (or --dir with many people)");
  if (options.name.empty()) fail(ErrorKind::usage, "--nama is missing");
  if (options.photos.empty()) fail(ErrorKind::usage, "no PHOTO given");
  return {{options.nik, options.name, options.photos}};
}

// Who enrols here may read everybody's data anyway, so the person that a face belongs to is named.
std::string whose_face(attendance::Service& service, const attendance::Refusal& refusal) {
  for (const auto& file : refusal.skipped()) {
    if (!file.resembles) continue;
    for (const auto& [person, photos, enrolled_at, active] : service.people()) {
      if (person.id != *file.resembles) continue;
      return fmt::format("; it is {} ({}). --force enrols all the same, for twins", person.name, person.nik);
    }
  }
  return "";
}

// Tells it where there are others to go on with; throws the error where this is the only one.
void refuse(const Options& options, const std::vector<Newcomer>& people, const Newcomer& person, const Error& error,
            std::vector<attendance::SkippedFile> skipped) {
  if (options.common.json) print_as_json(person, {0, std::move(skipped)}, json::value(error.what()));
  if (people.size() == 1) throw Error(error);
  fmt::print(stderr, "wajah enrol: {} ({}): {}\n", person.name, person.nik, error.what());
}

// One person whose photos are of no use does not keep the others of a folder out.
int enrol_all(const Options& options, const std::vector<Newcomer>& people) {
  const auto force = options.force ? attendance::Force::yes : attendance::Force::no;
  Attendance attendance(options.common, attendance::Purpose::enrol, folder_settings(options.common, own_names));
  Progress progress("enrolling", people.size() > 1 ? people.size() : 0);
  int status = exit_yes;
  for (std::size_t i = 0; i < people.size(); ++i) {
    try {
      report(options, people[i], enrol(attendance.service(), people[i], force));
    } catch (const attendance::Refusal& refusal) {
      const Error error(refusal.kind(), refusal.what() + whose_face(attendance.service(), refusal));
      refuse(options, people, people[i], error, refusal.skipped());
      status = exit_input;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::storage) throw;
      refuse(options, people, people[i], error, {});
      status = exit_input;
    }
    progress.show(i + 1);
  }
  return status;
}

int run(Arguments arguments) {
  Options options;
  OptionSet set("enrol --nik NIK --nama NAME [options] PHOTO... | enrol --dir DIR [options] | enrol --check PHOTO...",
                "Enrols a person from photos, or all people of a folder DIR/<nik>/<nama>/<photos>. Photos that fail a "
                "check are left out, with the reason.");
  set.add("nik", options.nik, "NIK", "the person's number");
  set.add("nama", options.name, "NAME", "the person's name, in capital letters");
  set.add("dir", options.folder, "DIR", "a folder of many people");
  set.add_setting("strictness", "off|standard|strict", "how good photos must be (pipeline.strictness) [standard]");
  set.add("force", options.force, "twins and relatives: a face may resemble somebody who is enrolled");
  set.add_setting("keep-photos", "",
                  "keep the photos, so that another model can learn them again (privacy.keep_originals)");
  set.add("check", options.check, "only tell whether the photos (or all in a folder) can be used; enrol nobody");
  set.operands(options.photos, "PHOTO", 0, std::size_t(-1));
  set.common(options.common,
             {.device = true, .mtcnn = true, .weights = true, .mirror = true, .data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  if (!options.check) return enrol_all(options, newcomers(options));
  if (options.photos.empty()) fail(ErrorKind::usage, "no PHOTO given to check");
  return check_photos(options.common, options.photos, folder_settings(options.common, own_names));
}

}  // namespace

const Command enrol_command{"enrol", "adds people from photos", run};

}  // namespace wajah::cli
