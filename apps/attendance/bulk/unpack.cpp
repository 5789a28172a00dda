#include "attendance/bulk/unpack.hpp"

#include "attendance/text.hpp"

#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <fmt/format.h>
#include <minizip/unzip.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace wajah::attendance {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> endings{".jpg", ".jpeg", ".png", ".webp", ".csv", ".txt"};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Where a file comes to lie below the folder; nothing for what must not lie there.
std::optional<fs::path> place_of(std::string_view name) {
  constexpr std::size_t longest_step = 200, most_steps = 6;
  fs::path place;
  std::size_t steps = 0;
  for (std::size_t begin = 0; begin <= name.size(); ++steps) {
    const auto end = std::min(name.find('/', begin), name.size());
    const auto step = name.substr(begin, end - begin);
    const bool odd = std::ranges::any_of(step, [](unsigned char c) { return c < 0x20 || c == '\\' || c == 0x7F; });
    if (step.empty() || step.front() == '.' || step.size() > longest_step || odd || !is_utf8(step)) return std::nullopt;
    place /= step;
    begin = end + 1;
  }
  if (steps > most_steps || std::ranges::find(endings, lower(place.extension().string())) == endings.end()) {
    return std::nullopt;
  }
  return place;
}

class Zip {
 public:
  explicit Zip(const fs::path& file) : zip_(unzOpen64(file.c_str())) {
    if (!zip_) fail(ErrorKind::input, "the file is no zip, or it is cut");
  }

  // The name of each entry in turn; nothing after the last.
  std::optional<std::string> next() {
    const int moved = begun_ ? unzGoToNextFile(zip_.get()) : unzGoToFirstFile(zip_.get());
    begun_ = true;
    if (moved == UNZ_END_OF_LIST_OF_FILE) return std::nullopt;
    unz_file_info64 info{};
    std::array<char, 4096> name{};
    if (moved != UNZ_OK ||
        unzGetCurrentFileInfo64(zip_.get(), &info, name.data(), name.size() - 1, nullptr, 0, nullptr, 0) != UNZ_OK) {
      fail(ErrorKind::input, "the zip's list of files is damaged");
    }
    return std::string(name.data());
  }

  // Writes the entry to a file; false if it is longer than it may be. Adds what it wrote to `bytes`.
  bool write(const fs::path& file, std::uint64_t most, std::uint64_t& bytes) {
    if (unzOpenCurrentFile(zip_.get()) != UNZ_OK) damaged(file);
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    std::array<char, std::size_t{64} << 10> buffer{};
    std::uint64_t written = 0;
    int read = 0;
    while (written <= most && (read = unzReadCurrentFile(zip_.get(), buffer.data(), buffer.size())) > 0) {
      out.write(buffer.data(), read);
      written += static_cast<std::uint64_t>(read);
    }
    bytes += written;
    const bool whole = unzCloseCurrentFile(zip_.get()) == UNZ_OK && read >= 0;
    if (written > most) return false;
    if (!whole) damaged(file);
    out.close();
    if (!out) fail(ErrorKind::storage, "{}: cannot be written; is the disk full?", file.string());
    return true;
  }

 private:
  [[noreturn]] static void damaged(const fs::path& file) {
    fail(ErrorKind::input, "{}: is damaged in the zip, or sealed with a password", file.filename().string());
  }
  struct Closer {
    void operator()(void* zip) const { unzClose(zip); }
  };
  std::unique_ptr<void, Closer> zip_;
  bool begun_ = false;
};

// False where a file of the zip is in the way, or a folder has the name.
bool make_room_for(const fs::path& file) {
  std::error_code none;
  if (fs::is_directory(file, none)) return false;
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  if (!error) return true;
  if (error == std::errc::not_a_directory || error == std::errc::file_exists) return false;
  fail(ErrorKind::storage, "{}: cannot be made: {}", file.parent_path().string(), error.message());
}

struct Contents {
  std::vector<fs::path> folders, tables;
  bool files = false;
};

Contents contents_of(const fs::path& folder) {
  Contents contents;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) {
      contents.folders.push_back(entry.path());
    } else {
      contents.files = true;
      if (lower(entry.path().extension().string()) == ".csv") contents.tables.push_back(entry.path());
    }
  }
  return contents;
}

bool is_original(const fs::path& folder) {
  return fs::is_directory(folder / "train_img") || fs::is_directory(folder / "logging");
}

}  // namespace

void unpack(const fs::path& zip_file, const fs::path& folder, std::vector<Verdict>& odd, const UnpackLimits& limits) {
  Zip zip(zip_file);
  std::uint64_t bytes = 0;
  std::size_t files = 0;
  while (const auto name = zip.next()) {
    if (++files > limits.files) fail(ErrorKind::input, "the zip holds more than {} files", limits.files);
    if (name->ends_with('/') || name->starts_with("__MACOSX/")) continue;
    const auto place = place_of(*name);
    if (!place) {
      odd.push_back({quote(*name), "", "", "left_out", "neither a photo, a CSV nor a log by its name"});
      continue;
    }
    const fs::path file = folder / *place;
    if (!make_room_for(file)) {
      odd.push_back({place->string(), "", "", "left_out", "a file and a folder of the zip have the same name"});
      continue;
    }
    if (!zip.write(file, std::min(limits.bytes_each, limits.bytes - std::min(bytes, limits.bytes)), bytes)) {
      fs::remove(file);
      if (bytes > limits.bytes) fail(ErrorKind::input, "the zip unpacks to more than {} MiB", limits.bytes >> 20);
      odd.push_back({place->string(), "", "", "left_out", fmt::format("more than {} MiB", limits.bytes_each >> 20)});
    }
  }
}

ImportSource read_unpacked(const fs::path& folder, const fs::path& csv) {
  fs::path root = folder;
  Contents contents = contents_of(root);
  while (!contents.files && contents.folders.size() == 1 && !is_original(root)) {
    const Contents inner = contents_of(contents.folders.front());
    // A folder of photos alone is a person's.
    if (inner.folders.empty() && inner.tables.empty()) break;
    root = contents.folders.front();
    contents = inner;
  }
  if (!csv.empty()) return read_staff(root, csv);
  if (contents.tables.size() == 1) return read_staff(root, contents.tables.front());
  if (contents.tables.empty() && is_original(root)) return read_original(root);
  fail(ErrorKind::input, "{} CSV files lie in the zip, expected one with the titles nik and nama (or name)",
       contents.tables.size());
}

}  // namespace wajah::attendance
