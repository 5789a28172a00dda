// EXIF is a TIFF file inside the picture; all wajah wants of it is which way is up (EXIF 2.3, tag 0x0112). Every offset
// comes from the file and is checked before use; nonsense means upright, as viewers take it.
#include "codecs.hpp"

#include <array>
#include <cstring>
#include <utility>

namespace wajah::codec {

namespace {

constexpr std::uint32_t orientation_tag = 0x0112, short_type = 3;
constexpr std::size_t entry_size = 12;

using Read = std::uint32_t (*)(Bytes, std::size_t, std::size_t);

int orientation_in_directory(Bytes tiff, std::size_t at, Read read) {
  if (at > tiff.size() || tiff.size() - at < 2) return 1;
  const std::size_t entries = read(tiff, at, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = at + 2 + i * entry_size;
    if (entry + entry_size > tiff.size()) return 1;
    if (read(tiff, entry, 2) != orientation_tag) continue;
    const std::uint32_t type = read(tiff, entry + 2, 2), count = read(tiff, entry + 4, 4);
    const std::uint32_t value = read(tiff, entry + 8, 2);
    return type == short_type && count == 1 && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

// Where the pixel at the upper left comes from, and where one step right and one step down lead, in stored pixels.
struct Walk {
  std::ptrdiff_t start, right, down;
};

Walk walk_of(int orientation, std::ptrdiff_t w, std::ptrdiff_t h) {
  const std::ptrdiff_t last_column = w - 1, last_row = (h - 1) * w;
  const std::array<Walk, 9> walks{{{0, 1, w},
                                   {0, 1, w},
                                   {last_column, -1, w},
                                   {last_row + last_column, -1, -w},
                                   {last_row, 1, -w},
                                   {0, w, 1},
                                   {last_row, -w, 1},
                                   {last_row + last_column, -w, -1},
                                   {last_column, w, -1}}};
  return walks[static_cast<std::size_t>(orientation)];
}

}  // namespace

int exif_orientation(Bytes tiff) {
  if (tiff.size() < 8) return 1;
  const bool little = starts_with(tiff, {"II*\0", 4}), big = starts_with(tiff, {"MM\0*", 4});
  if (!little && !big) return 1;
  const Read read = little ? little_endian : big_endian;
  return orientation_in_directory(tiff, read(tiff, 4, 4), read);
}

Image upright(Image stored, int orientation) {
  if (orientation == 1) return stored;
  const bool turned = orientation >= 5;
  Image image(turned ? stored.height : stored.width, turned ? stored.width : stored.height);
  const Walk walk = walk_of(orientation, stored.width, stored.height);
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* from = stored.pixels.data() + 3 * (walk.start + y * walk.down);
    std::uint8_t* to = image.row(y);
    for (int x = 0; x < image.width; ++x, from += 3 * walk.right, to += 3) std::memcpy(to, from, 3);
  }
  return image;
}

}  // namespace wajah::codec
