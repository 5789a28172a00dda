// Photos and lists that come packed in a zip.
#pragma once

#include "attendance/bulk/import_source.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace wajah::attendance {

// What a zip may unpack to; its own words about sizes are not believed.
struct UnpackLimits {
  std::size_t files = 200'000;
  std::uint64_t bytes = std::uint64_t{8} << 30;        // of all files
  std::uint64_t bytes_each = std::uint64_t{64} << 20;  // a longer one is left out and told
};

// Unpacks photos, CSV files and logs into an empty folder; everything else, and what would come to lie outside of the
// folder, is left out and told. Throws Error (input) on a file that is no zip, is damaged or goes beyond the limits,
// Error (storage).
void unpack(const std::filesystem::path& zip, const std::filesystem::path& folder, std::vector<Verdict>& odd,
            const UnpackLimits& limits = {});

// What to import from an unpacked folder: by `csv`, or else the one CSV that lies in it, or as an installation of the
// original service. A single folder around everything is seen through. Throws Error (input) saying what is missing.
[[nodiscard]] ImportSource read_unpacked(const std::filesystem::path& folder, const std::filesystem::path& csv);

}  // namespace wajah::attendance
