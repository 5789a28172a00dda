// PNG by libpng. Colours only: of the chunks beside the picture only eXIf is looked at, and by our own reader, so text,
// profiles and their compressed contents are never unpacked.
#include "codecs.hpp"

#include <wajah/error.hpp>

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <png.h>

namespace wajah::codec {

namespace {

constexpr std::size_t signature_size = 8, chunk_frame = 12;  // of a chunk: length, type, checksum

struct Source {
  Bytes rest;
  char message[128];
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::snprintf(source->message, sizeof source->message, "%s", text);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep into, std::size_t count) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (count > source->rest.size()) png_error(png, "the file ends too early");
  std::memcpy(into, source->rest.data(), count);
  source->rest = source->rest.subspan(count);
}

void ignore_extras(png_structp png) {
  static constexpr png_byte extras[] =
      "bKGD\0cHRM\0cICP\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0tEXt\0tIME\0zTXt";
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, extras, static_cast<int>(sizeof extras / 5));
}

// Whatever the file holds becomes 8 bits of red, green and blue.
void ask_for_rgb(png_structp png) {
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  png_set_strip_alpha(png);
}

// false: source.message says why. libpng leaves through longjmp, so no object with a destructor lives here.
bool read_rows(png_structp png, png_infop info, Source& source, const Header& header, png_bytepp rows) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_read_fn(png, &source, on_read);
  png_set_user_limits(png, static_cast<png_uint_32>(header.width), static_cast<png_uint_32>(header.height));
  png_set_chunk_malloc_max(png, 1U << 20);
  ignore_extras(png);
  png_read_info(png, info);
  ask_for_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_image_width(png, info) != static_cast<png_uint_32>(header.width) ||
      png_get_image_height(png, info) != static_cast<png_uint_32>(header.height) ||
      png_get_rowbytes(png, info) != static_cast<std::size_t>(header.width) * 3) {
    png_error(png, "its headers contradict each other");
  }
  png_read_image(png, rows);
  png_read_end(png, nullptr);
  return true;
}

}  // namespace

Header png_header(Bytes bytes) {
  if (!starts_with(bytes, "IHDR", signature_size + 4) || bytes.size() < signature_size + chunk_frame + 13) {
    fail(ErrorKind::input, "PNG picture is damaged or cut short: its header is not there");
  }
  Header header;
  const std::uint32_t width = big_endian(bytes, 16, 4), height = big_endian(bytes, 20, 4);
  if (width == 0 || height == 0 || width > 0x7fffffff || height > 0x7fffffff) {
    fail(ErrorKind::input, "PNG picture is damaged: its header says {} x {} pixels", width, height);
  }
  header.width = static_cast<int>(width);
  header.height = static_cast<int>(height);
  for (std::size_t at = signature_size; bytes.size() - at >= chunk_frame;) {
    const std::size_t length = big_endian(bytes, at, 4);
    if (length > bytes.size() - at - chunk_frame) break;
    if (starts_with(bytes, "eXIf", at + 4)) {
      header.orientation = exif_orientation(bytes.subspan(at + 8, length));
      break;
    }
    at += chunk_frame + length;
  }
  return header;
}

Image decode_png(Bytes bytes, const Header& header) {
  Image image(header.width, header.height);
  std::vector<png_bytep> rows(static_cast<std::size_t>(header.height));
  for (int y = 0; y < header.height; ++y) rows[static_cast<std::size_t>(y)] = image.row(y);

  Source source{bytes, {}};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, on_error, on_warning);
  if (png == nullptr) fail(ErrorKind::input, "libpng of this machine is not the one wajah was built with");
  png_infop info = png_create_info_struct(png);
  const bool read = info != nullptr && read_rows(png, info, source, header, rows.data());
  png_destroy_read_struct(&png, &info, nullptr);
  if (!read) fail(ErrorKind::input, "PNG picture is damaged or cut short: {}", source.message);
  return image;
}

}  // namespace wajah::codec

namespace wajah {

std::vector<std::byte> encode_png(const Image& image) {
  if (image.empty()) fail(ErrorKind::input, "an empty picture cannot be written as PNG");
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::vector<std::byte> bytes(size);
  if (png_image_write_to_memory(&png, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0) {
    fail(ErrorKind::input, "the picture cannot be written as PNG: {}", png.message);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace wajah
