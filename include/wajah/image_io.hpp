// Pictures from bytes and back: JPEG, PNG and WebP, told apart by their first bytes. Nothing else enters a decoder.
#pragma once

#include <wajah/image.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace wajah {

// Checked from the header, before memory for pixels is taken.
struct DecodeLimits {
  std::int64_t max_pixels = 40'000'000;
  int max_side = 12'000;
  std::size_t max_bytes = std::size_t{256} << 20;  // of the encoded picture
};

enum class ImageFormat { jpeg, png, webp };

[[nodiscard]] std::string_view name_of(ImageFormat format);

// What a picture's header says. Width and height are those of the upright picture; orientation is EXIF's, 1 to 8, and
// already counted in.
struct ImageInfo {
  ImageFormat format = ImageFormat::jpeg;
  int width = 0, height = 0;
  int orientation = 1;
};

// Reads the header only; decode() makes the same checks. Throws Error (input) when the bytes are not a picture of an
// accepted format (saying what they look like) or the limits are exceeded.
[[nodiscard]] ImageInfo inspect(std::span<const std::byte> bytes, const DecodeLimits& limits = {});

// Whether EXIF's orientation turns a picture upright, or it is taken as it lies.
enum class Orientation { applied, ignored };

// The picture as RGB. Grey, palette, CMYK and 16-bit pictures are converted; an alpha channel is dropped, as the
// original does; of an animation the first frame is taken. Throws Error (input) on a picture that is cut short or
// damaged: never half a picture.
[[nodiscard]] Image decode(std::span<const std::byte> bytes, const DecodeLimits& limits = {},
                           Orientation orientation = Orientation::applied);

// Whether a file's name ends as those of such pictures do: .jpg, .jpeg, .png or .webp, in capitals or not.
[[nodiscard]] bool is_photo_name(const std::filesystem::path& file);

// decode() of a file; messages name it. Throws Error (input) if it cannot be read.
[[nodiscard]] Image read_image(const std::filesystem::path& file, const DecodeLimits& limits = {});

// The picture as a baseline JPEG (quality 1 to 100, 4:2:0 below 90 and 4:4:4 from there) or a PNG, without metadata.
// Throw Error (input) on an empty picture, or one too large for the format.
[[nodiscard]] std::vector<std::byte> encode_jpeg(const Image& image, int quality = 90);
[[nodiscard]] std::vector<std::byte> encode_png(const Image& image);

// Writes a .jpg, .jpeg or .png atomically: a temporary file beside it, then a rename. Throws Error (usage) on any other
// ending, Error (storage) if it cannot be written.
void write_image(const Image& image, const std::filesystem::path& file);

}  // namespace wajah
