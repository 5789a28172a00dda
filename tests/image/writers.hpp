// Encoded pictures of the kinds that wajah reads but does not write, for tests.
#pragma once

#include <wajah/image.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::test {

using Bytes = std::vector<std::byte>;

enum class JpegKind { baseline, progressive, arithmetic, grey, cmyk, ycck };
// Quality 95 without chroma subsampling. The inks of cmyk and ycck are inverted, as Adobe's marker says.
[[nodiscard]] Bytes jpeg(const Image& image, JpegKind kind);

enum class PngKind { rgb, rgba, rgb16, grey8, grey1, grey16, palette, interlaced };
// Alpha runs from 0 to 255 along each row. grey1 shows red above 127.
[[nodiscard]] Bytes png(const Image& image, PngKind kind);

enum class WebpKind { lossless, lossy, alpha, animated };
// animated: two frames; the first is the picture, laid 2 pixels off the corner of a canvas 4 pixels larger each way.
[[nodiscard]] Bytes webp(const Image& image, WebpKind kind);

// A TIFF structure with nothing but an orientation.
[[nodiscard]] Bytes exif(int orientation, bool little_endian);

// Copies of encoded pictures with an orientation where their format keeps it.
[[nodiscard]] Bytes jpeg_with_exif(std::span<const std::byte> jpeg, std::span<const std::byte> tiff);
[[nodiscard]] Bytes png_with_chunks(std::span<const std::byte> png, std::string_view type,
                                    std::span<const std::byte> body, int times = 1);
[[nodiscard]] Bytes webp_with_exif(const Image& image, std::span<const std::byte> tiff);

// Headers of pictures of any size, with hardly anything behind them.
[[nodiscard]] Bytes png_header(std::uint32_t width, std::uint32_t height);
[[nodiscard]] Bytes jpeg_header(unsigned width, unsigned height);
[[nodiscard]] Bytes webp_header(unsigned width, unsigned height);

[[nodiscard]] Bytes bytes_of(std::string_view text);

}  // namespace wajah::test
