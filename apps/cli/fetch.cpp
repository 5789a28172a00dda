#include "cli/fetch.hpp"

#include "cli/conversion.hpp"
#include "cli/download.hpp"
#include "cli/fetch_lock.hpp"
#include "cli/report.hpp"

#include <wajah/error.hpp>
#include <wajah/weights.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <system_error>
#include <vector>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_file = std::uint64_t{512} << 20U;

std::string base_address() {
  const char* set = std::getenv("WAJAH_FETCH_BASE");
  return set != nullptr ? set : "https://raw.githubusercontent.com";
}

// What is verified is a copy that nobody else has ever had open: whoever may still write to the part changes nothing
// that is read from here on.
void verify(const PublicFile& file, const fs::path& part, const fs::path& whole) {
  const fs::path checked = fs::path(whole).concat(".checked");
  std::error_code failed, none;
  fs::remove(checked, none);
  fs::copy_file(part, checked, failed);
  if (failed) fail(ErrorKind::storage, "{}: cannot be written: {}", checked.string(), failed.message());
  const std::string fault = fault_of(file, checked);
  if (fault.empty()) fs::rename(checked, whole);
  fs::remove(checked, none);
  fs::remove(part, none);
  if (!fault.empty()) {
    fail(ErrorKind::input, "{}: {}; what was downloaded has been thrown away", file.name(), fault);
  }
}

// The file under its own name is whole and verified; until then it is "<name>.part".
fs::path fetch_file(const PublicFile& file, const fs::path& folder) {
  fs::path whole = folder / file.name();
  std::error_code none;
  if (fs::exists(whole, none) && fault_of(file, whole).empty()) return whole;
  const fs::path part = folder / fmt::format("{}.part", file.name());

  std::optional<Progress> progress;
  download(base_address() + file.location(), part, largest_file, [&](std::uint64_t done, std::uint64_t total) {
    if (!progress) progress.emplace(fmt::format("{} (KiB)", file.name()), total >> 10U);
    progress->show(done >> 10U);
  });
  progress.reset();
  verify(file, part, whole);
  return whole;
}

}  // namespace

Fetched fetch(const PublicModel& model, const fs::path& folder) {
  const fs::path output = folder / model.output;
  std::error_code none;
  if (fs::exists(output, none)) return {output, false};
  const fs::path downloads = folder / "download" / model.name;
  const FetchLock lock(downloads.parent_path(), model.name);
  if (fs::exists(output, none)) return {output, false};  // of whoever had the lock
  std::vector<fs::path> files;
  for (const PublicFile& file : model.files) files.push_back(fetch_file(file, downloads));
  const Weights weights = files.size() > 1 ? convert_detector(files) : convert_embedder(files[0]);
  write_safetensors(weights.with_metadata({{"licence", std::string(model.licence)}}), output);
  fs::remove_all(downloads, none);
  return {output, true};
}

}  // namespace wajah::cli
