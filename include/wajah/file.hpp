// Whole files: mapped for reading, replaced atomically when written.
#pragma once

#include <wajah/error.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace wajah {

// A regular file mapped read-only. The bytes stay what they were when another file is renamed over this one; a file
// that is truncated in place while mapped faults, so whoever replaces a model must rename (write_file does).
class MappedFile {
 public:
  // Throws Error of the given kind if `file` cannot be opened or is no regular file (a FIFO is refused, not waited
  // for).
  explicit MappedFile(const std::filesystem::path& file, ErrorKind kind = ErrorKind::model);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::span<const std::byte> bytes_;
};

// For who will write_file() after long work: fails now where that would fail, as far as can be known. Leaves nothing
// behind. Throws Error (storage).
void check_writable(const std::filesystem::path& file);

// Writes the parts one after the other to `file`, which afterwards holds either all of them or what it held before:
// a new file beside it, fsync, rename, fsync of the folder. Throws Error (storage).
void write_file(const std::filesystem::path& file, std::span<const std::span<const std::byte>> parts);

}  // namespace wajah
