#include "server/spool.hpp"

#include <wajah/error.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace wajah::server {
namespace {

constexpr std::size_t write_size = std::size_t{64} << 10;

bool take(std::atomic<std::size_t>& used, std::size_t bytes, std::size_t limit) {
  if (used.fetch_add(bytes) + bytes <= limit) return true;
  used.fetch_sub(bytes);
  return false;
}

// Not every file system knows O_TMPFILE; there a file is made and its name removed at once.
int open_nameless(const std::filesystem::path& folder) {
  const int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
  std::string name = (folder / "spool-XXXXXX").string();
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

Spool::~Spool() {
  if (mapped_) ::munmap(mapped_, size_);
  if (file_ >= 0) ::close(file_);
  space_.memory_ -= reserved_memory_;
  space_.disk_ -= reserved_disk_;
}

void Spool::append(std::string_view bytes) {
  if (bytes.empty()) return;
  if (file_ < 0 && !reserve_memory(bytes.size())) open_file();
  if (file_ >= 0) {
    if (!take(space_.disk_, bytes.size(), space_.limits_.disk)) {
      fail(ErrorKind::storage, "no space for more request bodies than {} bytes on the disk now", space_.limits_.disk);
    }
    reserved_disk_ += bytes.size();
  }
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  memory_.insert(memory_.end(), data, data + bytes.size());
  size_ += bytes.size();
  if (file_ >= 0 && memory_.size() >= write_size) write_out();
}

bool Spool::reserve_memory(std::size_t bytes) {
  if (size_ + bytes > space_.limits_.memory_each) return false;
  if (!take(space_.memory_, bytes, space_.limits_.memory)) return false;
  reserved_memory_ += bytes;
  return true;
}

void Spool::open_file() {
  if (!take(space_.disk_, size_, space_.limits_.disk)) {
    fail(ErrorKind::storage, "no space for more request bodies than {} bytes on the disk now", space_.limits_.disk);
  }
  reserved_disk_ += size_;
  file_ = open_nameless(space_.folder_);
  if (file_ < 0) fail(ErrorKind::storage, "a request's body cannot be kept on the disk: {}", std::strerror(errno));
  write_out();
  space_.memory_ -= std::exchange(reserved_memory_, 0);
}

void Spool::write_out() {
  const std::byte* data = memory_.data();
  std::size_t left = memory_.size();
  while (left > 0) {
    const auto written = ::write(file_, data, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(ErrorKind::storage, "a request's body cannot be kept on the disk: {}", std::strerror(errno));
    data += written;
    left -= static_cast<std::size_t>(written);
  }
  memory_.clear();
  if (memory_.capacity() > 2 * write_size) memory_.shrink_to_fit();
}

std::span<const std::byte> Spool::view() {
  if (file_ < 0) return memory_;
  write_out();
  if (!mapped_) {
    void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file_, 0);
    if (mapped == MAP_FAILED) fail(ErrorKind::storage, "a request's body cannot be mapped: {}", std::strerror(errno));
    mapped_ = mapped;
  }
  return {static_cast<const std::byte*>(mapped_), size_};
}

}  // namespace wajah::server
