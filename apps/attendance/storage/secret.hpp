// Secret: 256 random bits and the file they live in, beside the database but never inside it.
#pragma once

#include "attendance/store.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace wajah::attendance {

// Overwritten at the end of its life.
class Secret {
 public:
  explicit Secret(const std::array<std::byte, 32>& bytes) : bytes_(bytes) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret();

  [[nodiscard]] static Secret random();

  // The secret in a file of one line, "<label> 1 <64 hex digits>". Throws Error (storage) with one sentence if the file
  // is not there or holds something else.
  [[nodiscard]] static Secret read(const std::filesystem::path& file, std::string_view label);

  // Writes that file for its owner alone, whole or not at all. Throws Error (storage), also if something has that name.
  void write(const std::filesystem::path& file, std::string_view label) const;

  [[nodiscard]] const std::array<std::byte, 32>& bytes() const { return bytes_; }
  [[nodiscard]] std::string id() const;  // 16 hex digits that tell secrets apart and nothing else about them

  // HMAC-SHA-256 (RFC 2104) of the pieces, `what` first: one secret never signs two kinds of things alike.
  [[nodiscard]] Digest mac(std::string_view what, std::string_view text) const;

 private:
  std::array<std::byte, 32> bytes_;
};

// `bytes` random bytes as lower-case hex digits.
[[nodiscard]] std::string random_hex(std::size_t bytes);

// Takes the same time wherever they differ.
[[nodiscard]] bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b);

// The data folder's secret behind keys and sessions (server.secret), made when it is not there.
[[nodiscard]] Secret server_secret(const std::filesystem::path& data_folder);

}  // namespace wajah::attendance
