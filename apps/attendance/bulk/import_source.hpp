// Where people to import come from: the original service's train_img tree, or a folder of photos with a CSV of staff.
#pragma once

#include "attendance/storage/people_store.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

struct ImportPerson {
  std::string nik, name;
  PersonDetails details;  // of a CSV
  std::vector<std::filesystem::path> photos;
};

// What became of a file or folder of the source.
struct Verdict {
  std::string file, nik, name;
  std::string verdict;  // "enrolled", "left_out", "note"
  std::string reason;
};

struct ImportSource {
  std::vector<ImportPerson> people;
  std::vector<Verdict> odd;                 // what is there and was not taken, or taken with a grain of salt
  std::vector<std::filesystem::path> logs;  // of the original, by day
};

// DIR/train_img/<nik>/<nama>/*.jpg and DIR/logging/logging_dd-mm-yyyy.txt. One NIK is one person: of several names the
// newest folder's is taken, and the photos of all. Links are never followed. Throws Error (input) if DIR holds neither.
[[nodiscard]] ImportSource read_original(const std::filesystem::path& folder);

// A CSV with a header that has nik and nama or name, and may have group, site and external_id; photos lie in
// DIR/<nik>/ or as DIR/<nik>.jpg, DIR/<nik>_1.jpg, DIR/<nik>-1.jpg. Throws Error (input) on a CSV that cannot be read,
// naming the line.
[[nodiscard]] ImportSource read_staff(const std::filesystem::path& folder, const std::filesystem::path& csv);

// RFC 4180: rows of fields, quoted or not, separated by commas or, if the first row has more of them, semicolons.
[[nodiscard]] std::vector<std::vector<std::string>> parse_csv(std::string_view text);

}  // namespace wajah::attendance
