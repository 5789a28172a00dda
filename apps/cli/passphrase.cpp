#include "cli/passphrase.hpp"

#include "attendance/storage/archive.hpp"
#include "attendance/storage/files.hpp"

#include <wajah/error.hpp>

#include <algorithm>

namespace wajah::cli {
namespace {

constexpr std::size_t most_bytes = 4096;

}  // namespace

std::optional<std::string> read_passphrase(const std::string& file) {
  if (file.empty()) return std::nullopt;
  std::string passphrase = attendance::read_small_file(file, most_bytes);
  passphrase.erase(std::min(passphrase.find_first_of("\r\n"), passphrase.size()));
  if (passphrase.size() < attendance::least_passphrase) {
    fail(ErrorKind::usage, "{}: a passphrase of {} characters, expected {} or more", file, passphrase.size(),
         attendance::least_passphrase);
  }
  return passphrase;
}

}  // namespace wajah::cli
