#include "server/compat_tree.hpp"

#include <wajah/embed/crop.hpp>
#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/image_io.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

namespace wajah::server {
namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 2> trees{"train_img", "aligned_img"};
constexpr int original_quality = 75;  // Pillow's default

// A name may hold a slash; as part of a path it must not.
std::string file_name(std::string_view name) {
  std::string result(name);
  std::ranges::replace(result, '/', '_');
  return result;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(ErrorKind::storage, "{}: {}", folder.string(), error.message());
}

}  // namespace

fs::path CompatTree::place(std::string_view tree, std::string_view nik, std::string_view name) const {
  return folder_ / tree / nik / file_name(name);
}

void CompatTree::store(attendance::Service& service, const attendance::Person& person,
                       const std::optional<std::string>& former_name, std::span<const attendance::File> files,
                       Orientation orientation) const {
  for (const auto tree : trees) {
    const auto folder = place(tree, person.nik, person.name);
    std::error_code nothing_to_rename;
    if (former_name) fs::rename(place(tree, person.nik, *former_name), folder, nothing_to_rename);
    make_folder(folder);
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto analysis = service.look(files[i].bytes, attendance::Purpose::enrol);
    if (analysis.faces.empty()) continue;
    const auto photo = decode(files[i].bytes, {}, orientation);
    const auto name = fmt::format("{} ({})", file_name(person.name), i + 1);
    const auto aligned = make_crop(photo, analysis.faces.front().face, original_crop(), CropUse::enrol);
    const auto jpeg = encode_jpeg(photo, original_quality);
    const std::array<std::span<const std::byte>, 1> bytes{jpeg};
    write_file(place(trees[0], person.nik, person.name) / (name + ".jpg"), bytes);
    write_image(aligned, place(trees[1], person.nik, person.name) / (name + ".png"));
  }
}

void CompatTree::remove(std::string_view nik) const {
  for (const auto tree : trees) {
    std::error_code ignored;
    fs::remove_all(folder_ / tree / nik, ignored);
  }
}

}  // namespace wajah::server
