// CompatTree: the original service's folders, for those whose other programs read them:
// train_img/<nik>/<nama>/<nama> (i).jpg and aligned_img/<nik>/<nama>/<nama> (i).png. A mirror that nothing is read
// from. Any number of threads. What it throws names no file, because files are named for people.
#pragma once

#include "attendance/service.hpp"

#include <wajah/image_io.hpp>

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace wajah::server {

class CompatTree {
 public:
  explicit CompatTree(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Who the photos are of, asked before each: they may be renamed meanwhile; nothing once they are gone.
  using Who = std::function<std::optional<attendance::Person>()>;

  // Writes the photos that show a face, numbered by their place in the upload, over those of an earlier one, readable
  // for their owner alone. Throws Error (storage).
  void store(attendance::Service& service, const Who& who, std::span<const attendance::File> files,
             Orientation orientation);

  // Gives the person's folders the new name. Throws Error (storage).
  void rename(const attendance::Person& person, std::string_view former_name);

  // Removes the person's folders; there may be none. Throws Error (storage), after it has tried each.
  void remove(std::string_view nik);

 private:
  [[nodiscard]] std::filesystem::path folder_of(std::string_view tree, std::string_view nik) const;
  [[nodiscard]] std::filesystem::path place(std::string_view tree, const attendance::Person& person) const;

  std::filesystem::path folder_;
  std::mutex mutex_;  // from asking who until the photo is written, or one might follow a removal
};

}  // namespace wajah::server
