#include "attendance/bulk/import_source.hpp"

#include "attendance/original_log.hpp"
#include "attendance/text.hpp"

#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/image_io.hpp>
#include <wajah/text.hpp>

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <system_error>
#include <utility>

namespace wajah::attendance {
namespace {

namespace fs = std::filesystem;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Entries of a folder by name, those that begin with a dot left out. Links are told, never followed: they may lead out
// of the folder.
class Listing {
 public:
  Listing(const fs::path& folder, std::vector<Verdict>& odd) {
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    if (error) {
      odd.push_back({folder.string(), "", "", "left_out", "cannot be read: " + error.message()});
      return;
    }
    for (; entries != fs::directory_iterator(); entries.increment(error)) {
      if (error) break;
      sort_in(*entries, odd);
    }
    std::ranges::sort(folders);
    std::ranges::sort(files);
  }

  std::vector<fs::path> folders, files;

 private:
  void sort_in(const fs::directory_entry& entry, std::vector<Verdict>& odd) {
    const fs::path& path = entry.path();
    if (path.filename().string().starts_with('.')) return;
    std::error_code none;
    const auto status = entry.symlink_status(none);
    if (fs::is_symlink(status)) {
      odd.push_back({path.string(), "", "", "left_out", "a link, which is never followed"});
    } else if (fs::is_directory(status)) {
      folders.push_back(path);
    } else if (fs::is_regular_file(status)) {
      files.push_back(path);
    } else {
      odd.push_back({path.string(), "", "", "left_out", "neither a file nor a folder"});
    }
  }
};

void take_photos(ImportPerson& person, const Listing& listing, std::vector<Verdict>& odd) {
  for (const fs::path& file : listing.files) {
    if (is_photo_name(file)) {
      person.photos.push_back(file);
    } else {
      odd.push_back({file.string(), person.nik, person.name, "left_out", "no photo by its ending"});
    }
  }
}

std::string in_capitals(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

fs::file_time_type time_of(const fs::path& path) {
  std::error_code none;
  return fs::last_write_time(path, none);
}

// The name that was given last: its folder was written last.
std::string name_among(const std::vector<fs::path>& folders, const std::string& nik, std::vector<Verdict>& odd) {
  const auto newest = std::ranges::max_element(folders, [](const fs::path& a, const fs::path& b) {
    return std::pair(time_of(a), b.filename()) < std::pair(time_of(b), a.filename());
  });
  const std::string found = newest->filename().string();
  std::string name = found;
  if (!is_upper(name)) name = in_capitals(name);
  if (folders.size() > 1) {
    std::vector<std::string> names;
    for (const fs::path& folder : folders) names.push_back(folder.filename().string());
    odd.push_back({newest->parent_path().string(), nik, name, "note",
                   fmt::format("one NIK with {} names ({}); {}, the newest, was taken, and the photos of all",
                               names.size(), fmt::join(names, ", "), name)});
  }
  if (name != found) {
    odd.push_back({newest->string(), nik, name, "note", fmt::format("{} was put in capitals", quote(found))});
  }
  return name;
}

void read_person(const fs::path& folder, ImportSource& source) {
  ImportPerson person;
  person.nik = folder.filename().string();
  if (!valid_nik(person.nik)) {
    source.odd.push_back({folder.string(), person.nik, "", "left_out",
                          "no NIK, expected 1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit"});
    return;
  }
  const Listing names(folder, source.odd);
  for (const fs::path& file : names.files) {
    source.odd.push_back({file.string(), person.nik, "", "left_out", "not in a folder with the person's name"});
  }
  if (names.folders.empty()) {
    source.odd.push_back({folder.string(), person.nik, "", "left_out", "no folder with the person's name in it"});
    return;
  }
  person.name = name_among(names.folders, person.nik, source.odd);
  for (const fs::path& name : names.folders) take_photos(person, Listing(name, source.odd), source.odd);
  if (person.photos.empty()) {
    source.odd.push_back({folder.string(), person.nik, person.name, "left_out", "no photos"});
    return;
  }
  source.people.push_back(std::move(person));
}

void read_logs(const fs::path& folder, ImportSource& source) {
  std::map<std::array<int, 3>, fs::path> by_day;
  for (const fs::path& file : Listing(folder, source.odd).files) {
    const auto day = day_of_log(file.filename().string());
    if (!day) {
      source.odd.push_back({file.string(), "", "", "left_out", "no log by its name, expected logging_dd-mm-yyyy.txt"});
    } else {
      by_day[{day->year, day->month, day->day}] = file;
    }
  }
  for (auto& [day, file] : by_day) source.logs.push_back(file);
}

bool is_real_folder(const fs::path& folder) {
  std::error_code none;
  return fs::is_directory(fs::symlink_status(folder, none));
}

std::string text_in(const fs::path& file) {
  const MappedFile mapped(file, ErrorKind::input);
  std::string text(reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size());
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return text;
}

// Which column a header names; the size of `columns` for one that is not known.
struct Columns {
  std::size_t nik, name, group, site, external_id;
};

Columns columns_of(const std::vector<std::string>& header, const fs::path& csv) {
  const auto find = [&](std::initializer_list<std::string_view> names) {
    const auto found = std::ranges::find_if(
        header, [&](const std::string& title) { return std::ranges::find(names, lower(title)) != names.end(); });
    return static_cast<std::size_t>(found - header.begin());
  };
  const Columns columns{find({"nik", "id"}), find({"nama", "name"}), find({"group", "grup", "department"}),
                        find({"site", "lokasi"}), find({"external_id"})};
  if (columns.nik == header.size() || columns.name == header.size()) {
    fail(ErrorKind::input, "{}: the first line is {}, expected titles with nik and nama (or name)", csv.string(),
         quote(fmt::format("{}", fmt::join(header, ","))));
  }
  return columns;
}

// Photos that lie loose in the folder, by the NIK their name begins with.
std::multimap<std::string, fs::path> loose_photos(const Listing& listing) {
  std::multimap<std::string, fs::path> photos;
  for (const fs::path& file : listing.files) {
    if (!is_photo_name(file)) continue;
    const std::string stem = file.stem().string();
    photos.emplace(stem, file);
    for (std::size_t end = stem.find_first_of("_- "); end != std::string::npos;
         end = stem.find_first_of("_- ", end + 1)) {
      photos.emplace(stem.substr(0, end), file);
    }
  }
  return photos;
}

}  // namespace

ImportSource read_original(const fs::path& folder) {
  ImportSource source;
  const fs::path photos = folder / "train_img", logs = folder / "logging";
  if (!is_real_folder(photos) && !is_real_folder(logs)) {
    fail(ErrorKind::input, "{}: neither train_img nor logging is in it; name the folder the original service ran in",
         folder.string());
  }
  if (is_real_folder(photos)) {
    const Listing listing(photos, source.odd);
    for (const fs::path& file : listing.files) {
      source.odd.push_back({file.string(), "", "", "left_out", "not in a folder with a NIK"});
    }
    for (const fs::path& nik : listing.folders) read_person(nik, source);
  }
  if (is_real_folder(logs)) read_logs(logs, source);
  return source;
}

ImportSource read_staff(const fs::path& folder, const fs::path& csv) {
  const auto rows = parse_csv(text_in(csv));
  if (rows.empty()) fail(ErrorKind::input, "{}: is empty", csv.string());
  const Columns columns = columns_of(rows[0], csv);
  if (!is_real_folder(folder)) fail(ErrorKind::input, "{}: no such folder", folder.string());
  ImportSource source;
  const Listing listing(folder, source.odd);
  const auto loose = loose_photos(listing);
  std::set<std::string> seen;
  for (std::size_t row = 1; row < rows.size(); ++row) {
    const auto field = [&](std::size_t column) {
      return column < rows[row].size() ? rows[row][column] : std::string();
    };
    ImportPerson person{field(columns.nik), field(columns.name), {}, {}};
    const std::string where = fmt::format("{}:{}", csv.string(), row + 1);
    if (person.nik.empty() && person.name.empty()) continue;
    if (!seen.insert(person.nik).second) {
      source.odd.push_back({where, person.nik, person.name, "left_out", "the NIK is in an earlier line already"});
      continue;
    }
    person.details.group = field(columns.group);
    person.details.site = field(columns.site);
    if (const auto id = field(columns.external_id); !id.empty()) person.details.external_id = id;
    if (valid_nik(person.nik) && is_real_folder(folder / person.nik)) {
      take_photos(person, Listing(folder / person.nik, source.odd), source.odd);
    }
    for (auto [photo, end] = loose.equal_range(person.nik); photo != end; ++photo)
      person.photos.push_back(photo->second);
    if (person.photos.empty()) {
      source.odd.push_back({where, person.nik, person.name, "left_out", "no photos"});
      continue;
    }
    source.people.push_back(std::move(person));
  }
  for (const fs::path& nik : listing.folders) {
    if (!seen.contains(nik.filename().string())) {
      source.odd.push_back({nik.string(), nik.filename().string(), "", "left_out", "no line of the list has this NIK"});
    }
  }
  return source;
}

std::vector<std::vector<std::string>> parse_csv(std::string_view text) {
  const std::string_view first = text.substr(0, text.find('\n'));
  const char separator = std::ranges::count(first, ';') > std::ranges::count(first, ',') ? ';' : ',';
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        row.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        row.back() += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"' && row.back().empty()) {
      quoted = true;
    } else if (c == separator) {
      row.emplace_back();
    } else if (c == '\n') {
      rows.push_back(std::exchange(row, std::vector<std::string>(1)));
    } else if (c != '\r') {
      row.back() += c;
    }
  }
  if (quoted) fail(ErrorKind::input, "a quoted field of line {} has no end", rows.size() + 1);
  if (row.size() > 1 || !row[0].empty()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace wajah::attendance
