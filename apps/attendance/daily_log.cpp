#include "attendance/daily_log.hpp"

#include "attendance/file_descriptor.hpp"
#include "attendance/text.hpp"

#include <wajah/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace wajah::attendance {
namespace {

std::string file_name(const LocalTime& at) {
  return fmt::format("logging_{:02}-{:02}-{:04}.txt", at.day, at.month, at.year);
}

off_t size_of(const FileDescriptor& file) {
  struct stat status {};
  return ::fstat(file.get(), &status) == 0 ? status.st_size : 0;
}

// A process that was killed, or a disk that was full, may have left a line without its end.
bool ends_in_a_torn_line(const FileDescriptor& file, off_t size) {
  char last = '\n';
  return size > 0 && ::pread(file.get(), &last, 1, size - 1) == 1 && last != '\n';
}

ssize_t write_once(const FileDescriptor& file, const std::string& text) {
  ssize_t written = 0;
  do {
    written = ::write(file.get(), text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  return written;
}

}  // namespace

std::string log_line(const LocalTime& at, const LogEntry& entry) {
  return fmt::format("{:02}:{:02}:{:02} - NIK: {}, Name: {}, Accuracy: {}, Matched: {}", at.hour, at.minute, at.second,
                     escape(entry.nik, ","), escape(entry.name), python_float(entry.accuracy),
                     entry.matched ? "True" : "False");
}

DailyLog::DailyLog(std::filesystem::path folder, const Zone& zone) : folder_(std::move(folder)), zone_(zone) {}

std::filesystem::path DailyLog::file_of(Time at) const { return folder_ / file_name(zone_.local(at)); }

void DailyLog::append(Time at, const LogEntry& entry) {
  const LocalTime local = zone_.local(at);  // once: the file's date and the line's time can never be of two moments
  const auto path = folder_ / file_name(local);
  auto line = log_line(local, entry) + "\n";

  const std::lock_guard lock(mutex_);
  std::error_code ignored;  // open() below tells what is wrong
  std::filesystem::create_directories(folder_, ignored);
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!file) fail(ErrorKind::storage, "{}: cannot be opened: {}", path.string(), std::strerror(errno));
  const off_t size = size_of(file);
  if (ends_in_a_torn_line(file, size)) line.insert(0, "\n");
  const ssize_t written = write_once(file, line);
  if (written == static_cast<ssize_t>(line.size())) return;
  const int error = written < 0 ? errno : ENOSPC;
  if (written > 0 && ::ftruncate(file.get(), size) != 0) {
    fail(ErrorKind::storage, "{}: half a line was written and cannot be taken back: {}", path.string(),
         std::strerror(errno));
  }
  fail(ErrorKind::storage, "{}: cannot be written: {}", path.string(), std::strerror(error));
}

}  // namespace wajah::attendance
