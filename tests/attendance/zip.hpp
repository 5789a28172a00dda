// A zip with its files stored as they are, byte by byte: also with names that no honest program would write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wajah::attendance::testing {

using ZipFiles = std::vector<std::pair<std::string, std::string>>;  // name and bytes

inline std::uint32_t crc32_of(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

inline std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += i < 8 ? static_cast<char>(value >> (8 * i)) : '\0';
  return text;
}

inline std::string stored_zip(const ZipFiles& files) {
  std::string body, directory;
  for (const auto& [name, bytes] : files) {
    const auto size = little_endian(static_cast<std::uint32_t>(bytes.size()), 4);
    const auto facts = little_endian(10, 2) + little_endian(0, 8) + little_endian(crc32_of(bytes), 4) + size + size +
                       little_endian(static_cast<std::uint32_t>(name.size()), 2) + little_endian(0, 2);
    directory += "PK\x01\x02" + little_endian(10, 2) + facts + little_endian(0, 10) +
                 little_endian(static_cast<std::uint32_t>(body.size()), 4) + name;
    body += "PK\x03\x04" + facts + name + bytes;
  }
  const auto count = little_endian(static_cast<std::uint32_t>(files.size()), 2);
  return body + directory + "PK\x05\x06" + little_endian(0, 4) + count + count +
         little_endian(static_cast<std::uint32_t>(directory.size()), 4) +
         little_endian(static_cast<std::uint32_t>(body.size()), 4) + little_endian(0, 2);
}

}  // namespace wajah::attendance::testing
