// Hashes of files, as hexadecimal digits.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace wajah::cli {

[[nodiscard]] std::string sha256_of(std::span<const std::byte> bytes);

// As Git names a file: the SHA-1 of "blob <size>\0" and the bytes.
[[nodiscard]] std::string git_blob_of(std::span<const std::byte> bytes);

}  // namespace wajah::cli
