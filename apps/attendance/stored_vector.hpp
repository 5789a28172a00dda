// How an embedding stands in the store: float32 little-endian, with a checksum over it, its photo and its model, so
// that neither a flipped bit nor a vector in the wrong row can ever match anybody.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace wajah::attendance {

struct StoredVector {
  std::vector<std::byte> bytes;
  std::array<std::byte, 16> checksum{};
};

[[nodiscard]] StoredVector encode_vector(std::int64_t photo, std::string_view model, std::span<const float> values);

// Nothing if the checksum does not fit.
[[nodiscard]] std::optional<std::vector<float>> decode_vector(std::int64_t photo, std::string_view model,
                                                              std::span<const std::byte> bytes,
                                                              std::span<const std::byte> checksum);

}  // namespace wajah::attendance
