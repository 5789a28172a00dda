// BLAKE2b (RFC 7693) of one or several pieces, by libsodium.
#pragma once

#include "attendance/store.hpp"

#include <cstddef>
#include <span>

namespace wajah::attendance {

// 256 bits of a photo's bytes: which photos are the same.
[[nodiscard]] Digest digest_of(std::span<const std::byte> bytes);

// Digest of any length from 16 to 64 bytes over pieces laid end to end.
void hash(std::span<const std::span<const std::byte>> pieces, std::span<std::byte> digest);

}  // namespace wajah::attendance
