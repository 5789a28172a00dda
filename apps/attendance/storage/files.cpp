#include "attendance/storage/files.hpp"

#include "attendance/file_descriptor.hpp"

#include <wajah/error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace wajah::attendance {
namespace {

[[noreturn]] void fail_with(const std::filesystem::path& file, const char* what) {
  fail(ErrorKind::storage, "{}: {}: {}", file.string(), what, std::strerror(errno));
}

// A file or folder that is there already, written to the disk.
void sync(const std::filesystem::path& path, int flags) {
  const FileDescriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
  if (!opened || ::fsync(opened.get()) != 0) fail_with(path, "cannot be written to the disk");
}

// False, with errno, if not all could be.
bool write_all(const FileDescriptor& file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string read_small_file(const std::filesystem::path& file, std::size_t most) {
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) fail_with(file, "cannot be read");
  std::string text(most + 1, '\0');
  std::size_t size = 0;
  for (ssize_t read = 1; read > 0 && size < text.size();) {
    read = ::read(opened.get(), text.data() + size, text.size() - size);
    if (read < 0) fail_with(file, "cannot be read");
    size += static_cast<std::size_t>(read);
  }
  if (size > most) fail(ErrorKind::storage, "{}: more than {} bytes, expected fewer", file.string(), most);
  text.resize(size);
  return text;
}

void write_new_file(const std::filesystem::path& file, std::span<const std::byte> bytes) {
  // Under its own name only when whole: link(2) refuses to replace, unlike rename(2).
  const std::filesystem::path unfinished = file.string() + ".new";
  std::error_code none;
  std::filesystem::remove(unfinished, none);
  {
    const FileDescriptor opened(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!opened) fail_with(file, "cannot be made");
    if (!write_all(opened, bytes)) fail_with(file, "cannot be written");
    if (::fsync(opened.get()) != 0) fail_with(file, "cannot be written to the disk");
  }
  const bool named = ::link(unfinished.c_str(), file.c_str()) == 0;
  const int error = errno;
  std::filesystem::remove(unfinished, none);
  errno = error;
  if (!named) fail_with(file, "cannot be made");
  sync_folder(std::filesystem::absolute(file).parent_path());
}

std::error_code replace_file(const std::filesystem::path& file, std::span<const std::byte> bytes, Lasting lasting) {
  const std::filesystem::path unfinished = file.string() + ".new";
  std::error_code none;
  std::filesystem::remove(unfinished, none);
  {
    const FileDescriptor opened(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!opened || !write_all(opened, bytes)) return {errno, std::generic_category()};
    if (lasting == Lasting::yes && ::fsync(opened.get()) != 0) return {errno, std::generic_category()};
  }
  if (::rename(unfinished.c_str(), file.c_str()) != 0) return {errno, std::generic_category()};
  return {};
}

void rename_into_place(const std::filesystem::path& finished, const std::filesystem::path& name) {
  sync(finished, 0);
  if (::rename(finished.c_str(), name.c_str()) != 0) fail_with(name, "cannot be made");
  sync_folder(std::filesystem::absolute(name).parent_path());
}

void sync_file(const std::filesystem::path& file) { sync(file, 0); }
void sync_folder(const std::filesystem::path& folder) { sync(folder, O_DIRECTORY); }

}  // namespace wajah::attendance
