// What the three decoders share with decode(); private to the library.
#pragma once

#include <wajah/image_io.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace wajah::codec {

using Bytes = std::span<const std::byte>;

// As stored: before EXIF orientation turns the picture.
struct Header {
  int width = 0, height = 0;
  int orientation = 1;
};

// Each throws Error (input) on bytes that are no such picture. Decoders are given a header that passed the limits.
[[nodiscard]] Header jpeg_header(Bytes bytes);
[[nodiscard]] Header png_header(Bytes bytes);
[[nodiscard]] Header webp_header(Bytes bytes);
[[nodiscard]] Image decode_jpeg(Bytes bytes, const Header& header);
[[nodiscard]] Image decode_png(Bytes bytes, const Header& header);
[[nodiscard]] Image decode_webp(Bytes bytes, const Header& header);

// Tag 0x0112 of a TIFF structure, 1 to 8; 1 when it is absent or the structure makes no sense.
[[nodiscard]] int exif_orientation(Bytes tiff);

// Turns a picture stored with an EXIF orientation upright.
[[nodiscard]] Image upright(Image stored, int orientation);

// "a GIF picture", "text", "nothing": for the sentence that refuses it.
[[nodiscard]] std::string looks_like(Bytes bytes);

[[nodiscard]] inline bool starts_with(Bytes bytes, std::string_view magic, std::size_t at = 0) {
  if (bytes.size() < at + magic.size()) return false;
  for (std::size_t i = 0; i < magic.size(); ++i) {
    if (bytes[at + i] != static_cast<std::byte>(magic[i])) return false;
  }
  return true;
}

// Unsigned numbers of 2, 3 or 4 bytes; the caller has checked that they are there.
[[nodiscard]] inline std::uint32_t big_endian(Bytes bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + i]);
  return value;
}

[[nodiscard]] inline std::uint32_t little_endian(Bytes bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + i]);
  return value;
}

[[nodiscard]] inline const std::uint8_t* data_of(Bytes bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

}  // namespace wajah::codec
