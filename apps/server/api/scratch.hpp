// Files and folders that a request or a job needs for a while. They hold personal data, so whatever a process that was
// killed has left is removed at the next start.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace wajah::server {

// A folder of its own below `parent`, for its owner alone, removed with this object. Throws Error (storage).
class ScratchFolder {
 public:
  ScratchFolder(const std::filesystem::path& parent, std::string_view purpose);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ScratchFolder(ScratchFolder&&) = delete;
  ScratchFolder& operator=(ScratchFolder&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Removes all such folders below `parent`; nobody may be using one.
void remove_scratch_folders(const std::filesystem::path& parent);

// Throws Error (storage).
void write_whole(const std::filesystem::path& file, std::span<const std::byte> bytes);

}  // namespace wajah::server
