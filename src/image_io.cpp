#include <wajah/image_io.hpp>

#include "image/codecs.hpp"

#include <wajah/error.hpp>
#include <wajah/file.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <string>

namespace wajah {

namespace {

using codec::Bytes;
using codec::Header;

// In small letters, with its dot.
std::string ending_of(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

ImageFormat format_of(Bytes bytes) {
  if (codec::starts_with(bytes, "\xff\xd8\xff")) return ImageFormat::jpeg;
  if (codec::starts_with(bytes, "\x89PNG\r\n\x1a\n")) return ImageFormat::png;
  if (codec::starts_with(bytes, "RIFF") && codec::starts_with(bytes, "WEBP", 8)) return ImageFormat::webp;
  fail(ErrorKind::input, "this looks like {}; JPEG, PNG and WebP pictures are accepted", codec::looks_like(bytes));
}

Header header_of(ImageFormat format, Bytes bytes) {
  switch (format) {
    case ImageFormat::jpeg: return codec::jpeg_header(bytes);
    case ImageFormat::png: return codec::png_header(bytes);
    case ImageFormat::webp: return codec::webp_header(bytes);
  }
  fail(ErrorKind::input, "unknown picture format");
}

Header checked_header(ImageFormat format, Bytes bytes, const DecodeLimits& limits) {
  const Header header = header_of(format, bytes);
  const std::int64_t pixels = std::int64_t{header.width} * header.height;
  if (header.width > limits.max_side || header.height > limits.max_side || pixels > limits.max_pixels) {
    fail(ErrorKind::input, "{} picture of {} x {} pixels is too large: at most {} megapixels and {} pixels a side",
         name_of(format), header.width, header.height, static_cast<double>(limits.max_pixels) / 1e6, limits.max_side);
  }
  return header;
}

void check_bytes(std::size_t size, const DecodeLimits& limits) {
  if (size > limits.max_bytes) {
    fail(ErrorKind::input, "the file is larger than {} bytes, the limit for a picture", limits.max_bytes);
  }
}

Image decode_as(ImageFormat format, Bytes bytes, const Header& header) {
  switch (format) {
    case ImageFormat::jpeg: return codec::decode_jpeg(bytes, header);
    case ImageFormat::png: return codec::decode_png(bytes, header);
    case ImageFormat::webp: return codec::decode_webp(bytes, header);
  }
  fail(ErrorKind::input, "unknown picture format");
}

std::vector<std::byte> read_bytes(const std::filesystem::path& file, const DecodeLimits& limits) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file)) {
    fail(ErrorKind::input, "the file cannot be read; does it exist, and may you read it?");
  }
  std::vector<std::byte> bytes;
  std::array<char, 1 << 16> block;
  while (stream.read(block.data(), block.size()), stream.gcount() > 0) {
    const auto* first = reinterpret_cast<const std::byte*>(block.data());
    bytes.insert(bytes.end(), first, first + stream.gcount());
    check_bytes(bytes.size(), limits);
  }
  return bytes;
}

}  // namespace

std::string_view name_of(ImageFormat format) {
  switch (format) {
    case ImageFormat::jpeg: return "JPEG";
    case ImageFormat::png: return "PNG";
    case ImageFormat::webp: return "WebP";
  }
  return "unknown";
}

ImageInfo inspect(std::span<const std::byte> bytes, const DecodeLimits& limits) {
  check_bytes(bytes.size(), limits);
  const ImageFormat format = format_of(bytes);
  const Header header = checked_header(format, bytes, limits);
  const bool turned = header.orientation >= 5;
  return {format, turned ? header.height : header.width, turned ? header.width : header.height, header.orientation};
}

Image decode(std::span<const std::byte> bytes, const DecodeLimits& limits, Orientation orientation) {
  check_bytes(bytes.size(), limits);
  const ImageFormat format = format_of(bytes);
  const Header header = checked_header(format, bytes, limits);
  return codec::upright(decode_as(format, bytes, header), orientation == Orientation::applied ? header.orientation : 1);
}

bool is_photo_name(const std::filesystem::path& file) {
  static constexpr std::array<std::string_view, 4> endings{".jpg", ".jpeg", ".png", ".webp"};
  return std::ranges::find(endings, ending_of(file)) != endings.end();
}

Image read_image(const std::filesystem::path& file, const DecodeLimits& limits) {
  try {
    return decode(read_bytes(file, limits), limits);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", file.string(), error.what()));
  }
}

void write_image(const Image& image, const std::filesystem::path& file) {
  const std::string ending = ending_of(file);
  const bool jpeg = ending == ".jpg" || ending == ".jpeg";
  if (!jpeg && ending != ".png") {
    fail(ErrorKind::usage, "{}: pictures are written as .jpg, .jpeg or .png, not \"{}\"", file.string(), ending);
  }
  const std::vector<std::byte> bytes = jpeg ? encode_jpeg(image) : encode_png(image);
  const std::array<std::span<const std::byte>, 1> parts{bytes};
  write_file(file, parts);
}

}  // namespace wajah
