// Names for what people send instead of a picture, by the first bytes.
#include "codecs.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace wajah::codec {

namespace {

struct Magic {
  std::string_view bytes;
  std::size_t at;
  std::string_view name;
};

using namespace std::string_view_literals;

constexpr std::array magics{
    Magic{"\xff\xd8\xff"sv, 0, "a JPEG picture"},
    Magic{"\x89PNG\r\n\x1a\n"sv, 0, "a PNG picture"},
    Magic{"WEBP"sv, 8, "a WebP picture"},
    Magic{"GIF8"sv, 0, "a GIF picture"},
    Magic{"BM"sv, 0, "a BMP picture"},
    Magic{"II*\0"sv, 0, "a TIFF picture"},
    Magic{"MM\0*"sv, 0, "a TIFF picture"},
    Magic{"ftypavif"sv, 4, "an AVIF picture"},
    Magic{"ftyphei"sv, 4, "a HEIC picture"},
    Magic{"ftypmif1"sv, 4, "a HEIC picture"},
    Magic{"ftyp"sv, 4, "an MP4 video"},
    Magic{"jP  \r\n"sv, 4, "a JPEG 2000 picture"},
    Magic{"\xff\x0a"sv, 0, "a JPEG XL picture"},
    Magic{"JXL "sv, 4, "a JPEG XL picture"},
    Magic{"8BPS"sv, 0, "a Photoshop document"},
    Magic{"v/1\x01"sv, 0, "an OpenEXR picture"},
    Magic{"%PDF"sv, 0, "a PDF document"},
    Magic{"%!PS"sv, 0, "a PostScript document"},
    Magic{"PK\x03\x04"sv, 0, "a ZIP archive"},
    Magic{"\x1f\x8b"sv, 0, "a gzip archive"},
    Magic{"<"sv, 0, "a web page or SVG drawing"},
};

bool is_netpbm(Bytes bytes) {
  return bytes.size() > 2 && bytes[0] == std::byte{'P'} && bytes[1] >= std::byte{'1'} && bytes[1] <= std::byte{'7'} &&
         (bytes[2] == std::byte{'\n'} || bytes[2] == std::byte{' '});
}

bool is_text(Bytes bytes) {
  return std::ranges::all_of(bytes.first(std::min<std::size_t>(bytes.size(), 512)), [](std::byte b) {
    return b >= std::byte{0x20} || b == std::byte{'\n'} || b == std::byte{'\r'} || b == std::byte{'\t'};
  });
}

}  // namespace

std::string looks_like(Bytes bytes) {
  if (bytes.empty()) return "an empty file";
  for (const Magic& magic : magics) {
    if (starts_with(bytes, magic.bytes, magic.at)) return std::string(magic.name);
  }
  if (is_netpbm(bytes)) return "a Netpbm picture";
  return is_text(bytes) ? "text" : "no picture this program knows";
}

}  // namespace wajah::codec
