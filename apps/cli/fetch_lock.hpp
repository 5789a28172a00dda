// FetchLock: one process at a time downloads a model into a folder.
#pragma once

#include "attendance/file_descriptor.hpp"

#include <filesystem>
#include <string_view>

namespace wajah::cli {

class FetchLock {
 public:
  // Locks <folder>/<model>.lock, making the folder if it is not there, until this object goes or the process ends,
  // however that happens. When it goes, so do the lock's file and every folder that was made for it and is empty.
  // Throws Error: input if another process has the lock, storage if it cannot be made.
  FetchLock(const std::filesystem::path& folder, std::string_view model);
  ~FetchLock();
  FetchLock(const FetchLock&) = delete;
  FetchLock& operator=(const FetchLock&) = delete;
  FetchLock(FetchLock&&) = delete;
  FetchLock& operator=(FetchLock&&) = delete;

 private:
  void open();
  [[nodiscard]] bool is_at_its_path() const;

  std::filesystem::path file_, stays_;  // the lock; the folder above it that was there before
  attendance::FileDescriptor lock_;
};

}  // namespace wajah::cli
