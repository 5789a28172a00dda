#include "attendance/stored_vector.hpp"

#include "attendance/digest.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace wajah::attendance {
namespace {

static_assert(std::endian::native == std::endian::little, "vectors are stored as they lie in memory: little-endian");

std::array<std::byte, 16> checksum_of(std::int64_t photo, std::string_view model, std::span<const std::byte> bytes) {
  const std::array<std::int64_t, 2> row{photo, static_cast<std::int64_t>(model.size())};
  const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(row)), std::as_bytes(std::span(model)), bytes};
  std::array<std::byte, 16> checksum{};
  hash(pieces, checksum);
  return checksum;
}

}  // namespace

StoredVector encode_vector(std::int64_t photo, std::string_view model, std::span<const float> values) {
  const auto bytes = std::as_bytes(values);
  return {{bytes.begin(), bytes.end()}, checksum_of(photo, model, bytes)};
}

std::optional<std::vector<float>> decode_vector(std::int64_t photo, std::string_view model,
                                                std::span<const std::byte> bytes, std::span<const std::byte> checksum) {
  if (bytes.size() % sizeof(float) != 0 || bytes.empty()) return std::nullopt;
  if (!std::ranges::equal(checksum, checksum_of(photo, model, bytes))) return std::nullopt;
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace wajah::attendance
