// CompatTree: the original service's folders, for those whose other programs read them:
// train_img/<nik>/<nama>/<nama> (i).jpg and aligned_img/<nik>/<nama>/<nama> (i).png. A mirror that nothing is read
// from.
#pragma once

#include "attendance/service.hpp"

#include <wajah/image_io.hpp>

#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

namespace wajah::server {

class CompatTree {
 public:
  explicit CompatTree(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Writes the photos that show a face, numbered by their place in the upload, over those of an earlier one. NIK and
  // name must have passed the service's rules. Throws Error (storage).
  void store(attendance::Service& service, const attendance::Person& person,
             const std::optional<std::string>& former_name, std::span<const attendance::File> files,
             Orientation orientation) const;

  // Removes the person's folders.
  void remove(std::string_view nik) const;

 private:
  [[nodiscard]] std::filesystem::path place(std::string_view tree, std::string_view nik, std::string_view name) const;

  std::filesystem::path folder_;
};

}  // namespace wajah::server
