#include "cli/fetch_lock.hpp"

#include <wajah/error.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;

constexpr int attempts = 100;

// `folder` itself goes when it is empty, whoever made it; what is above it only if it was not there.
fs::path staying_above(const fs::path& folder) {
  std::error_code none;
  fs::path stays = folder.parent_path();
  while (!stays.empty() && !fs::exists(stays, none)) stays = stays.parent_path();
  return stays;
}

}  // namespace

// Between opening and locking, the last owner may have removed the file: a lock on a file without a name locks nobody
// out.
FetchLock::FetchLock(const fs::path& folder, std::string_view model)
    : file_(folder / fmt::format("{}.lock", model)), stays_(staying_above(folder)) {
  for (int i = 0; i < attempts; ++i) {
    open();
    if (!lock_) continue;
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK)
        fail(ErrorKind::storage, "{}: cannot be locked: {}", file_.string(), std::strerror(errno));
      fail(ErrorKind::input, "another fetch of {} is running in this data folder; wait until it has ended", model);
    }
    if (is_at_its_path()) return;
  }
  fail(ErrorKind::storage, "{}: is removed again and again by others", file_.string());
}

FetchLock::~FetchLock() {
  ::unlink(file_.c_str());  // still locked: whoever waits for it finds it gone
  std::error_code none;
  for (fs::path folder = file_.parent_path(); folder != stays_; folder = folder.parent_path()) {
    if (!fs::remove(folder, none)) return;
  }
}

void FetchLock::open() {
  std::error_code failed;
  const fs::path folder = file_.parent_path();
  fs::create_directories(folder, failed);
  if (failed) fail(ErrorKind::storage, "{}: cannot be made: {}", folder.string(), failed.message());
  lock_ = attendance::FileDescriptor(::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  // The folder may have been empty, and gone, since.
  if (!lock_ && errno != ENOENT) {
    fail(ErrorKind::storage, "{}: cannot be written: {}", file_.string(), std::strerror(errno));
  }
}

bool FetchLock::is_at_its_path() const {
  struct stat held {
  }, named{};
  return ::fstat(lock_.get(), &held) == 0 && ::stat(file_.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
         held.st_ino == named.st_ino;
}

}  // namespace wajah::cli
