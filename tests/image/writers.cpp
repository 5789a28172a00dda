#include "image/writers.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>

namespace wajah::test {

namespace {

void append(Bytes& to, std::span<const std::byte> part) { to.insert(to.end(), part.begin(), part.end()); }

void append_number(Bytes& to, std::uint64_t value, int count, bool little_endian) {
  for (int i = 0; i < count; ++i) {
    const int shift = 8 * (little_endian ? i : count - 1 - i);
    to.push_back(static_cast<std::byte>(value >> shift & 0xff));
  }
}

std::vector<std::uint8_t> inverted_inks(const std::uint8_t* rgb, int width) {
  std::vector<std::uint8_t> inks;
  for (int x = 0; x < width; ++x) {
    inks.insert(inks.end(), rgb + 3 * x, rgb + 3 * x + 3);  // no black: inverted C, M, Y are R, G, B
    inks.push_back(255);
  }
  return inks;
}

struct PngLayout {
  int depth, colour, interlace;
};

PngLayout layout_of(PngKind kind) {
  switch (kind) {
    case PngKind::rgba: return {8, PNG_COLOR_TYPE_RGB_ALPHA, PNG_INTERLACE_NONE};
    case PngKind::rgb16: return {16, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE};
    case PngKind::grey8: return {8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE};
    case PngKind::grey1: return {1, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE};
    case PngKind::grey16: return {16, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE};
    case PngKind::palette: return {8, PNG_COLOR_TYPE_PALETTE, PNG_INTERLACE_NONE};
    case PngKind::interlaced: return {8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_ADAM7};
    case PngKind::rgb: break;
  }
  return {8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE};
}

// A row as the layout stores it. Sixteen bits repeat the byte, so that scaling gives it back.
std::vector<std::uint8_t> png_row(const Image& image, int y, PngKind kind) {
  std::vector<std::uint8_t> row;
  const std::uint8_t* pixels = image.row(y);
  if (kind == PngKind::grey1) row.resize(static_cast<std::size_t>(image.width + 7) / 8);
  for (int x = 0; x < image.width; ++x) {
    const std::uint8_t* p = pixels + 3 * x;
    switch (kind) {
      case PngKind::grey1:
        row[static_cast<std::size_t>(x) / 8] |= static_cast<std::uint8_t>(p[0] > 127 ? 0x80 >> x % 8 : 0);
        break;
      case PngKind::grey8: row.push_back(p[0]); break;
      case PngKind::grey16: row.insert(row.end(), {p[0], p[0]}); break;
      case PngKind::rgb16: row.insert(row.end(), {p[0], p[0], p[1], p[1], p[2], p[2]}); break;
      case PngKind::palette: row.push_back(p[0]); break;
      case PngKind::rgba:
        row.insert(row.end(), {p[0], p[1], p[2], static_cast<std::uint8_t>(255 * x / std::max(1, image.width - 1))});
        break;
      default: row.insert(row.end(), p, p + 3);
    }
  }
  return row;
}

void chunk(Bytes& to, std::string_view type, std::span<const std::byte> body) {
  append_number(to, static_cast<std::uint32_t>(body.size()), 4, false);
  Bytes checked = bytes_of(type);
  append(checked, body);
  append(to, checked);
  std::uint32_t crc = 0xffffffff;  // PNG's checksum, bit by bit
  for (const std::byte b : checked) {
    crc ^= std::to_integer<std::uint32_t>(b);
    for (int i = 0; i < 8; ++i) crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
  }
  append_number(to, ~crc, 4, false);
}

void riff_chunk(Bytes& to, std::string_view type, std::span<const std::byte> body) {
  append(to, bytes_of(type));
  append_number(to, static_cast<std::uint32_t>(body.size()), 4, true);
  append(to, body);
  if (body.size() % 2 == 1) to.push_back(std::byte{0});
}

Bytes riff(std::span<const std::byte> chunks) {
  Bytes file = bytes_of("RIFF");
  append_number(file, static_cast<std::uint32_t>(chunks.size()) + 4, 4, true);
  append(file, bytes_of("WEBP"));
  append(file, chunks);
  return file;
}

void extended_header(Bytes& to, unsigned flags, unsigned width, unsigned height) {
  Bytes body;
  append_number(body, flags, 4, true);
  append_number(body, width - 1, 3, true);
  append_number(body, height - 1, 3, true);
  riff_chunk(to, "VP8X", body);
}

Bytes animated(const Image& image) {
  constexpr unsigned offset = 2, extra = 4, animation = 2;
  const auto width = static_cast<unsigned>(image.width), height = static_cast<unsigned>(image.height);
  Bytes chunks;
  extended_header(chunks, animation, width + extra, height + extra);
  Bytes control;
  append_number(control, 0, 6, true);
  riff_chunk(chunks, "ANIM", control);
  Image other(image.width, image.height);
  for (const Image* frame : {&image, static_cast<const Image*>(&other)}) {
    Bytes body;
    append_number(body, offset / 2, 3, true);
    append_number(body, offset / 2, 3, true);
    append_number(body, width - 1, 3, true);
    append_number(body, height - 1, 3, true);
    append_number(body, 100, 4, true);  // milliseconds, then flags
    const Bytes still = webp(*frame, WebpKind::lossless);
    append(body, std::span(still).subspan(12));
    riff_chunk(chunks, "ANMF", body);
  }
  return riff(chunks);
}

}  // namespace

Bytes bytes_of(std::string_view text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

Bytes jpeg(const Image& image, JpegKind kind) {
  jpeg_compress_struct codec{};
  jpeg_error_mgr errors{};
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &memory, &size);
  const bool inks = kind == JpegKind::cmyk || kind == JpegKind::ycck;
  codec.image_width = static_cast<JDIMENSION>(image.width);
  codec.image_height = static_cast<JDIMENSION>(image.height);
  codec.input_components = inks ? 4 : 3;
  codec.in_color_space = inks ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&codec);
  if (kind == JpegKind::grey) jpeg_set_colorspace(&codec, JCS_GRAYSCALE);
  if (kind == JpegKind::cmyk) jpeg_set_colorspace(&codec, JCS_CMYK);
  if (kind == JpegKind::ycck) jpeg_set_colorspace(&codec, JCS_YCCK);
  if (inks) codec.write_Adobe_marker = TRUE;
  jpeg_set_quality(&codec, 95, TRUE);
  codec.comp_info[0].h_samp_factor = codec.comp_info[0].v_samp_factor = 1;
  if (kind == JpegKind::ycck) codec.comp_info[3].h_samp_factor = codec.comp_info[3].v_samp_factor = 1;
  if (kind == JpegKind::progressive) jpeg_simple_progression(&codec);
  codec.arith_code = kind == JpegKind::arithmetic ? TRUE : FALSE;
  jpeg_start_compress(&codec, TRUE);
  for (int y = 0; y < image.height; ++y) {
    std::vector<std::uint8_t> four = inverted_inks(image.row(y), image.width);
    JSAMPROW row = inks ? four.data() : const_cast<JSAMPROW>(image.row(y));
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  const auto* first = reinterpret_cast<const std::byte*>(memory);
  Bytes bytes(first, first + size);
  std::free(memory);
  return bytes;
}

Bytes png(const Image& image, PngKind kind) {
  Bytes bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  const auto write = [](png_structp p, png_bytep data, std::size_t count) {
    append(*static_cast<Bytes*>(png_get_io_ptr(p)), {reinterpret_cast<const std::byte*>(data), count});
  };
  png_set_write_fn(png, &bytes, write, nullptr);
  const PngLayout layout = layout_of(kind);
  png_set_IHDR(png, info, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height), layout.depth,
               layout.colour, layout.interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  std::array<png_color, 256> palette;
  for (std::size_t i = 0; i < palette.size(); ++i) {
    palette[i] = {static_cast<png_byte>(i), static_cast<png_byte>(255 - i), static_cast<png_byte>(i / 2)};
  }
  if (kind == PngKind::palette) png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  png_write_info(png, info);
  std::vector<std::vector<std::uint8_t>> rows;
  std::vector<png_bytep> pointers;
  for (int y = 0; y < image.height; ++y) rows.push_back(png_row(image, y, kind));
  for (auto& row : rows) pointers.push_back(row.data());
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

Bytes webp(const Image& image, WebpKind kind) {
  if (kind == WebpKind::animated) return animated(image);
  std::uint8_t* memory = nullptr;
  std::size_t size = 0;
  const int stride = image.width * 3;
  if (kind == WebpKind::lossless) {
    size = WebPEncodeLosslessRGB(image.pixels.data(), image.width, image.height, stride, &memory);
  } else if (kind == WebpKind::lossy) {
    size = WebPEncodeRGB(image.pixels.data(), image.width, image.height, stride, 95, &memory);
  } else {
    std::vector<std::uint8_t> rgba;
    for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
      rgba.insert(rgba.end(), {image.pixels[i], image.pixels[i + 1], image.pixels[i + 2], 200});
    }
    size = WebPEncodeLosslessRGBA(rgba.data(), image.width, image.height, image.width * 4, &memory);
  }
  if (size == 0) throw std::runtime_error("libwebp could not encode");
  const auto* first = reinterpret_cast<const std::byte*>(memory);
  Bytes bytes(first, first + size);
  WebPFree(memory);
  return bytes;
}

Bytes exif(int orientation, bool little_endian) {
  Bytes tiff = bytes_of(little_endian ? std::string_view("II*\0", 4) : std::string_view("MM\0*", 4));
  append_number(tiff, 8, 4, little_endian);
  append_number(tiff, 2, 2, little_endian);
  for (const auto& [tag, value] : {std::pair{0x0100, 640}, std::pair{0x0112, orientation}}) {
    append_number(tiff, static_cast<std::uint32_t>(tag), 2, little_endian);
    append_number(tiff, 3, 2, little_endian);
    append_number(tiff, 1, 4, little_endian);
    append_number(tiff, static_cast<std::uint32_t>(value), 2, little_endian);
    append_number(tiff, 0, 2, little_endian);
  }
  append_number(tiff, 0, 4, little_endian);
  return tiff;
}

Bytes jpeg_with_exif(std::span<const std::byte> jpeg, std::span<const std::byte> tiff) {
  Bytes bytes(jpeg.begin(), jpeg.begin() + 2);
  append(bytes, bytes_of("\xff\xe1"));
  append_number(bytes, static_cast<std::uint32_t>(tiff.size()) + 8, 2, false);
  append(bytes, bytes_of({"Exif\0\0", 6}));
  append(bytes, tiff);
  append(bytes, jpeg.subspan(2));
  return bytes;
}

Bytes png_with_chunks(std::span<const std::byte> png, std::string_view type, std::span<const std::byte> body,
                      int times) {
  constexpr std::size_t after_header = 33;
  Bytes bytes(png.begin(), png.begin() + after_header);
  for (int i = 0; i < times; ++i) chunk(bytes, type, body);
  append(bytes, png.subspan(after_header));
  return bytes;
}

Bytes webp_with_exif(const Image& image, std::span<const std::byte> tiff) {
  constexpr unsigned has_exif = 8;
  Bytes chunks;
  extended_header(chunks, has_exif, static_cast<unsigned>(image.width), static_cast<unsigned>(image.height));
  const Bytes still = webp(image, WebpKind::lossless);
  append(chunks, std::span(still).subspan(12));
  riff_chunk(chunks, "EXIF", tiff);
  return riff(chunks);
}

Bytes png_header(std::uint32_t width, std::uint32_t height) {
  Bytes bytes = bytes_of("\x89PNG\r\n\x1a\n"), body;
  append_number(body, width, 4, false);
  append_number(body, height, 4, false);
  append(body, bytes_of({"\x08\x02\0\0\0", 5}));
  chunk(bytes, "IHDR", body);
  chunk(bytes, "IDAT", {});
  chunk(bytes, "IEND", {});
  return bytes;
}

Bytes jpeg_header(unsigned width, unsigned height) {
  Bytes bytes = bytes_of({"\xff\xd8\xff\xc0\x00\x11\x08", 7});
  append_number(bytes, height, 2, false);
  append_number(bytes, width, 2, false);
  append(bytes, bytes_of({"\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00\xff\xd9", 12}));
  return bytes;
}

Bytes webp_header(unsigned width, unsigned height) {
  Bytes body = bytes_of("\x2f"), chunks;
  append_number(body, (width - 1) | (height - 1) << 14, 4, true);
  append_number(body, 0, 3, true);
  riff_chunk(chunks, "VP8L", body);
  return riff(chunks);
}

}  // namespace wajah::test
