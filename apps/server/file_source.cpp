#include "server/file_source.hpp"

#include <wajah/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

namespace wajah::server {
namespace {

constexpr std::size_t block = std::size_t{64} << 10;

}  // namespace

FileSource::FileSource(const std::filesystem::path& file) : file_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (file_.get() < 0) fail(ErrorKind::storage, "{}: cannot be read: {}", file.string(), std::strerror(errno));
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) fail(ErrorKind::storage, "{}: {}", file.string(), std::strerror(errno));
  size_ = static_cast<std::uint64_t>(status.st_size);
  std::error_code none;
  std::filesystem::remove(file, none);
}

// An answer that breaks off is what tells the client that the file did not come whole.
BodySource::Piece FileSource::next() {
  std::string bytes(block, '\0');
  ssize_t got = 0;
  do {
    got = ::read(file_.get(), bytes.data(), bytes.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) fail(ErrorKind::storage, "a file that is being sent cannot be read: {}", std::strerror(errno));
  if (got == 0 && sent_ < size_) fail(ErrorKind::storage, "a file that is being sent was cut");
  bytes.resize(static_cast<std::size_t>(got));
  sent_ += bytes.size();
  return {std::move(bytes), sent_ >= size_};
}

}  // namespace wajah::server
