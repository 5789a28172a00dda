// DataFolder: the folder everything is kept in, owned by one process at a time.
#pragma once

#include "attendance/file_descriptor.hpp"

#include <filesystem>

namespace wajah::attendance {

class DataFolder {
 public:
  // Makes the folder if it is not there (for its owner alone) and locks it for as long as this object lives; the lock
  // ends with the process, however that ends. Throws Error (storage) if the folder cannot be made or written, or if
  // another process has it.
  explicit DataFolder(std::filesystem::path folder);

  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }
  [[nodiscard]] std::filesystem::path database() const { return folder_ / "wajah.db"; }
  [[nodiscard]] std::filesystem::path log_folder() const { return folder_ / "logging"; }

 private:
  std::filesystem::path folder_;
  FileDescriptor lock_;
};

}  // namespace wajah::attendance
