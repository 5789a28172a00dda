#include "attendance/data_folder.hpp"

#include <wajah/error.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace wajah::attendance {
namespace {

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder)) {
    fail(ErrorKind::storage, "data folder {}: cannot be made: {}; name another with --data", folder.string(),
         error ? error.message() : "something else has that name");
  }
  // Only a folder we made: the rights of one that was there are its owner's business.
  if (made) ::chmod(folder.c_str(), S_IRWXU);
}

std::string holder_of(int lock) {
  std::array<char, 32> text{};
  const auto length = ::pread(lock, text.data(), text.size(), 0);
  return length > 0 ? " (process " + std::string(text.data(), static_cast<std::size_t>(length)) + ")" : std::string();
}

FileDescriptor locked(const std::filesystem::path& folder) {
  const auto path = folder / "wajah.lock";
  FileDescriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) {
    fail(ErrorKind::storage, "data folder {}: cannot be written: {}", folder.string(), std::strerror(errno));
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail(ErrorKind::storage, "{}: cannot be locked: {}", path.string(), std::strerror(errno));
    fail(ErrorKind::storage, "data folder {}: another wajah is using it{}; stop it or name another folder with --data",
         folder.string(), holder_of(lock.get()));
  }
  const auto id = std::to_string(::getpid());
  if (::ftruncate(lock.get(), 0) != 0 || ::pwrite(lock.get(), id.data(), id.size(), 0) < 0) {
    fail(ErrorKind::storage, "{}: cannot be written: {}", path.string(), std::strerror(errno));
  }
  return lock;
}

}  // namespace

DataFolder::DataFolder(std::filesystem::path folder) : folder_(std::move(folder)) {
  make_folder(folder_);
  lock_ = locked(folder_);
}

}  // namespace wajah::attendance
