#include "server/api/scratch.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>
#include <stdlib.h>  // mkdtemp

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <system_error>

namespace wajah::server {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "temporary-";

}  // namespace

ScratchFolder::ScratchFolder(const fs::path& parent, std::string_view purpose) {
  auto name = (parent / fmt::format("{}{}-XXXXXX", prefix, purpose)).string();
  if (!::mkdtemp(name.data())) fail(ErrorKind::storage, "{}: cannot be made: {}", name, std::strerror(errno));
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code none;
  fs::remove_all(path_, none);
}

void remove_scratch_folders(const fs::path& parent) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(parent, none)) {
    if (entry.path().filename().string().starts_with(prefix)) fs::remove_all(entry.path(), none);
  }
}

void write_whole(const fs::path& file, std::span<const std::byte> bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) fail(ErrorKind::storage, "{}: cannot be written; is the disk full?", file.string());
}

}  // namespace wajah::server
