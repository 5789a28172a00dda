// How templates stand in the store: embeddings as float32 little-endian, pictures as they came, each with a checksum
// over the bytes, their photo and their kind, so that neither a flipped bit nor bytes in the wrong row can ever match
// anybody.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace wajah::attendance {

using Checksum = std::array<std::byte, 16>;

// The kind of a kept picture; that of an embedding is its model.
inline constexpr std::string_view picture_kind = "picture";

[[nodiscard]] Checksum checksum_of(std::int64_t photo, std::string_view kind, std::span<const std::byte> bytes);
[[nodiscard]] bool checksum_fits(std::span<const std::byte> checksum, std::int64_t photo, std::string_view kind,
                                 std::span<const std::byte> bytes);

[[nodiscard]] std::span<const std::byte> bytes_of(std::span<const float> values);

// Nothing if they are no whole number of floats, or none, or one is not finite.
[[nodiscard]] std::optional<std::vector<float>> floats_of(std::span<const std::byte> bytes);

}  // namespace wajah::attendance
