#include "attendance/stored_vector.hpp"

#include "attendance/digest.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace wajah::attendance {

static_assert(std::endian::native == std::endian::little, "vectors are stored as they lie in memory: little-endian");

Checksum checksum_of(std::int64_t photo, std::string_view kind, std::span<const std::byte> bytes) {
  const std::array<std::int64_t, 2> row{photo, static_cast<std::int64_t>(kind.size())};
  const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(row)), std::as_bytes(std::span(kind)), bytes};
  Checksum checksum{};
  hash(pieces, checksum);
  return checksum;
}

bool checksum_fits(std::span<const std::byte> checksum, std::int64_t photo, std::string_view kind,
                   std::span<const std::byte> bytes) {
  return std::ranges::equal(checksum, checksum_of(photo, kind, bytes));
}

std::span<const std::byte> bytes_of(std::span<const float> values) { return std::as_bytes(values); }

std::optional<std::vector<float>> floats_of(std::span<const std::byte> bytes) {
  if (bytes.size() % sizeof(float) != 0 || bytes.empty()) return std::nullopt;
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) return std::nullopt;
  return values;
}

}  // namespace wajah::attendance
