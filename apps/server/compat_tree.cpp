#include "server/compat_tree.hpp"

#include "attendance/storage/files.hpp"
#include "attendance/text.hpp"

#include <wajah/embed/crop.hpp>
#include <wajah/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <system_error>
#include <vector>

namespace wajah::server {
namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 2> trees{"train_img", "aligned_img"};
constexpr int original_quality = 75;  // Pillow's default

// A name may hold a slash, or be what stands for a folder; as part of a path it must not.
std::string file_name(std::string_view name) {
  std::string result(name);
  std::ranges::replace(result, '/', '_');
  if (result == "." || result == "..") result.insert(0, "_");
  return result;
}

[[noreturn]] void fail_with(std::string_view tree, std::string_view what, const std::error_code& error) {
  fail(ErrorKind::storage, "{}: {}: {}", tree, what, error.message());
}

void make_folder(std::string_view tree, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail_with(tree, "a folder cannot be made", error);
}

void write_photo(std::string_view tree, const fs::path& file, std::span<const std::byte> bytes) {
  if (const auto error = attendance::replace_file(file, bytes, attendance::Lasting::no))
    fail_with(tree, "a photo cannot be written", error);
}

}  // namespace

// The NIK is the only part of a path that is removed with all below it: it must name a folder in the tree and nothing
// else, wherever it came from.
fs::path CompatTree::folder_of(std::string_view tree, std::string_view nik) const {
  if (!attendance::valid_nik(nik)) fail(ErrorKind::storage, "{}: the NIK names no folder", tree);
  return folder_ / tree / nik;
}

fs::path CompatTree::place(std::string_view tree, const attendance::Person& person) const {
  return folder_of(tree, person.nik) / file_name(person.name);
}

void CompatTree::store(attendance::Service& service, const Who& who, std::span<const attendance::File> files,
                       Orientation orientation) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto analysis = service.look(files[i].bytes, attendance::Purpose::enrol);
    if (analysis.faces.empty()) continue;
    const auto photo = decode(files[i].bytes, {}, orientation);
    const auto aligned = make_crop(photo, analysis.faces.front().face, original_crop(), CropUse::enrol);
    const std::array<std::vector<std::byte>, 2> pictures{encode_jpeg(photo, original_quality), encode_png(aligned)};
    constexpr std::array<std::string_view, 2> endings{"jpg", "png"};
    const std::lock_guard lock(mutex_);
    const auto person = who();
    if (!person) return;
    const auto stem = fmt::format("{} ({})", file_name(person->name), i + 1);
    for (std::size_t tree = 0; tree < trees.size(); ++tree) {
      const auto folder = place(trees[tree], *person);
      make_folder(trees[tree], folder);
      write_photo(trees[tree], folder / fmt::format("{}.{}", stem, endings[tree]), pictures[tree]);
    }
  }
}

void CompatTree::rename(const attendance::Person& person, std::string_view former_name) {
  const std::lock_guard lock(mutex_);
  for (const auto tree : trees) {
    const auto former = place(tree, {person.id, person.nik, std::string(former_name)});
    std::error_code error;
    if (!fs::exists(former, error)) continue;
    fs::rename(former, place(tree, person), error);
    if (error) fail_with(tree, "a folder cannot be renamed", error);
  }
}

void CompatTree::remove(std::string_view nik) {
  const std::lock_guard lock(mutex_);
  std::error_code first;
  std::string_view where;
  for (const auto tree : trees) {
    std::error_code error;
    fs::remove_all(folder_of(tree, nik), error);
    if (error && !first) first = error, where = tree;
  }
  if (first) fail_with(where, "a folder cannot be removed", first);
}

}  // namespace wajah::server
