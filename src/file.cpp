#include <wajah/file.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace wajah {
namespace {

std::string reason(int code) { return std::generic_category().message(code); }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// The new file until it has its final name; removed if anything throws before that.
class Unfinished {
 public:
  explicit Unfinished(const std::filesystem::path& target);
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  ~Unfinished() {
    if (fd_ >= 0) ::close(fd_);
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  void write(std::span<const std::byte> bytes);
  void rename_to_target();

 private:
  [[noreturn]] void fail_with(int code) const {
    fail(ErrorKind::storage, "{}: cannot be written: {}", target_.string(), reason(code));
  }

  std::filesystem::path target_;
  std::string path_;
  int fd_ = -1;
};

// O_EXCL and a counted name instead of mkstemp: mkstemp's mode 0600 would hide the file from the service's user.
Unfinished::Unfinished(const std::filesystem::path& target) : target_(target) {
  for (int i = 0; fd_ < 0 && i < 1000; ++i) {
    path_ = fmt::format("{}.{}-{}.new", target.string(), ::getpid(), i);
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0 && errno != EEXIST) break;
  }
  if (fd_ < 0) {
    const int code = errno;
    path_.clear();
    fail_with(code);
  }
}

void Unfinished::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_with(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void Unfinished::rename_to_target() {
  if (::fsync(fd_) != 0) fail_with(errno);
  if (::rename(path_.c_str(), target_.c_str()) != 0) fail_with(errno);
  path_.clear();
  const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) fail_with(errno);
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& file, ErrorKind kind) : name_(file.string()) {
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) fail(kind, "{}: cannot be opened: {}", name_, reason(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) fail(kind, "{}: cannot be read: {}", name_, reason(errno));
  if (!S_ISREG(status.st_mode)) {
    fail(kind, "{}: is {}, expected a file", name_, S_ISDIR(status.st_mode) ? "a folder" : "no regular file");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return;  // mmap refuses a length of 0
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) fail(kind, "{}: cannot be mapped: {}", name_, reason(errno));
  bytes_ = {static_cast<const std::byte*>(data), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void check_writable(const std::filesystem::path& file) {
  std::error_code none;
  if (std::filesystem::is_directory(file, none)) {
    fail(ErrorKind::storage, "{}: cannot be written: is a folder", file.string());
  }
  const Unfinished unfinished(file);
}

void write_file(const std::filesystem::path& file, std::span<const std::span<const std::byte>> parts) {
  Unfinished unfinished(file);
  for (const std::span<const std::byte> part : parts) unfinished.write(part);
  unfinished.rename_to_target();
}

}  // namespace wajah
