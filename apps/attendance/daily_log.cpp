#include "attendance/daily_log.hpp"

#include "attendance/file_descriptor.hpp"
#include "attendance/original_log.hpp"
#include "attendance/storage/files.hpp"
#include "attendance/text.hpp"

#include <wajah/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <span>
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

// What stands in the place of a NIK and a name that were erased.
constexpr std::string_view erased = "-";

std::string without(const std::string& line, std::string_view nik) {
  const auto found = parse_log_line(line, LocalTime{});
  if (!found || found->nik != nik) return line;
  return log_line(found->at, {erased, erased, found->accuracy, found->matched});
}

void forget_in(const std::filesystem::path& path, std::string_view nik) {
  std::string text;
  bool found = false;
  {
    std::ifstream in(path, std::ios::binary);
    for (std::string line; std::getline(in, line);) {
      const auto kept = without(line, nik);
      found = found || kept != line;
      text += kept;
      if (!in.eof()) text += '\n';
    }
    if (in.bad()) fail(ErrorKind::storage, "{}: cannot be read", path.string());
  }
  if (!found) return;
  if (const auto error = replace_file(path, std::as_bytes(std::span(text)), Lasting::yes)) {
    fail(ErrorKind::storage, "{}: cannot be written: {}", path.string(), error.message());
  }
  sync_folder(std::filesystem::absolute(path).parent_path());
}

}  // namespace

std::string log_line(const LocalTime& at, const LogEntry& entry) {
  return fmt::format("{:02}:{:02}:{:02} - NIK: {}, Name: {}, Accuracy: {}, Matched: {}", at.hour, at.minute, at.second,
                     escape(entry.nik, ","), escape(entry.name), python_float(entry.accuracy),
                     entry.matched ? "True" : "False");
}

DailyLog::DailyLog(std::filesystem::path folder, const Zone& zone) : folder_(std::move(folder)), zone_(zone) {}

std::filesystem::path DailyLog::file_of(Time at) const { return folder_ / file_name(zone_.local(at)); }

void DailyLog::forget(std::string_view nik) {
  const std::lock_guard lock(mutex_);
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, none)) {
    if (day_of_log(entry.path().filename().string())) forget_in(entry.path(), nik);
  }
}

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
