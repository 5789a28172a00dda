// JPEG by libjpeg-turbo with its default arithmetic (integer "islow" DCT, smooth chroma), as every common reader
// decodes.
//
// libjpeg leaves through longjmp when a file is bad, so the functions that call it hold no object with a destructor,
// and the C++ around them turns the message into an Error.
#include "codecs.hpp"

#include <wajah/error.hpp>

#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include <jpeglib.h>

#include <jerror.h>  // after jpeglib.h: which messages there are depends on it

namespace wajah::codec {

namespace {

constexpr int max_scans = 100;  // real progressive files have about ten; each one costs a pass over the whole picture

enum Marker : unsigned { tem = 0x01, rst0 = 0xd0, soi = 0xd8, eoi = 0xd9, sos = 0xda, app1 = 0xe1 };

struct Segment {
  unsigned marker = 0;
  Bytes body;  // without the length
};

bool is_frame(unsigned marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

// Walks the marker segments, stepping over entropy-coded data as libjpeg does: up to the next 0xff that is followed by
// neither a stuffed zero nor a restart marker.
class Segments {
 public:
  explicit Segments(Bytes bytes) : bytes_(bytes) {}

  std::optional<Segment> next() {
    while (skip_to_marker()) {
      const unsigned marker = std::to_integer<unsigned>(bytes_[at_++]);
      if (marker == eoi) return std::nullopt;
      if (marker == 0 || marker == tem || (marker >= rst0 && marker <= soi)) continue;
      if (bytes_.size() - at_ < 2) return std::nullopt;
      const std::size_t length = big_endian(bytes_, at_, 2);
      if (length < 2 || length > bytes_.size() - at_) return std::nullopt;
      const Segment segment{marker, bytes_.subspan(at_ + 2, length - 2)};
      at_ += length;
      return segment;
    }
    return std::nullopt;
  }

 private:
  bool skip_to_marker() {
    const void* found = at_ < bytes_.size() ? std::memchr(bytes_.data() + at_, 0xff, bytes_.size() - at_) : nullptr;
    if (found == nullptr) return false;
    at_ = static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes_.data());
    while (at_ < bytes_.size() && bytes_[at_] == std::byte{0xff}) ++at_;
    return at_ < bytes_.size();
  }

  Bytes bytes_;
  std::size_t at_ = 2;  // after the start-of-image marker
};

void check_scans(Bytes bytes) {
  int scans = 0;
  for (Segments segments(bytes); const auto segment = segments.next();) {
    if (segment->marker == sos && ++scans > max_scans) {
      fail(ErrorKind::input, "JPEG picture has more than {} scans; real ones have about ten", max_scans);
    }
  }
}

struct Trouble {
  jpeg_error_mgr manager;  // first, so that a pointer to it is a pointer to this
  std::jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave(j_common_ptr codec) {
  auto* trouble = reinterpret_cast<Trouble*>(codec->err);
  codec->err->format_message(codec, trouble->message);
  std::longjmp(trouble->escape, 1);
}

// Warnings after which libjpeg would invent pixels. The others (unknown colour transform, padding between segments)
// leave the picture whole.
bool means_damage(int code) {
  return code == JWRN_HIT_MARKER || code == JWRN_JPEG_EOF || code == JWRN_HUFF_BAD_CODE ||
         code == JWRN_ARITH_BAD_CODE || code == JWRN_MUST_RESYNC;
}

void on_message(j_common_ptr codec, int level) {
  if (level < 0 && means_damage(codec->err->msg_code)) leave(codec);
}

jpeg_error_mgr* watch(Trouble& trouble) {
  jpeg_std_error(&trouble.manager);
  trouble.manager.error_exit = leave;
  trouble.manager.emit_message = on_message;
  return &trouble.manager;
}

// Adobe programs store the inks inverted and say so in their marker.
void cmyk_to_rgb(const std::uint8_t* from, std::uint8_t* to, std::size_t width, bool inverted) {
  for (std::size_t x = 0; x < width; ++x, from += 4, to += 3) {
    const int light = inverted ? from[3] : 255 - from[3];
    for (int c = 0; c < 3; ++c) {
      const int colour = inverted ? from[c] : 255 - from[c];
      to[c] = static_cast<std::uint8_t>((colour * light + 127) / 255);
    }
  }
}

struct Target {
  std::uint8_t* pixels;
  std::uint8_t* cmyk_row;  // room for one row of four inks
  int width, height;
};

// false: trouble.message says why.
bool read_pixels(jpeg_decompress_struct& codec, Trouble& trouble, Bytes bytes, const Target& target) {
  codec.err = watch(trouble);
  if (setjmp(trouble.escape) != 0) return false;
  jpeg_create_decompress(&codec);
  jpeg_mem_src(&codec, data_of(bytes), static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&codec, TRUE);
  if (codec.image_width != static_cast<JDIMENSION>(target.width) ||
      codec.image_height != static_cast<JDIMENSION>(target.height)) {
    std::strcpy(trouble.message, "its headers contradict each other");
    return false;
  }
  const bool inks = codec.jpeg_color_space == JCS_CMYK || codec.jpeg_color_space == JCS_YCCK;
  codec.out_color_space = inks ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&codec);
  while (codec.output_scanline < codec.output_height) {
    std::uint8_t* row = target.pixels + std::size_t{codec.output_scanline} * codec.output_width * 3;
    JSAMPROW into = inks ? target.cmyk_row : row;
    jpeg_read_scanlines(&codec, &into, 1);
    if (inks) cmyk_to_rgb(target.cmyk_row, row, codec.output_width, codec.saw_Adobe_marker != FALSE);
  }
  jpeg_finish_decompress(&codec);
  return true;
}

struct Memory {
  unsigned char* data = nullptr;
  unsigned long size = 0;
};

bool write_pixels(jpeg_compress_struct& codec, Trouble& trouble, const Image& image, int quality, Memory& memory) {
  codec.err = watch(trouble);
  if (setjmp(trouble.escape) != 0) return false;
  jpeg_create_compress(&codec);
  jpeg_mem_dest(&codec, &memory.data, &memory.size);
  codec.image_width = static_cast<JDIMENSION>(image.width);
  codec.image_height = static_cast<JDIMENSION>(image.height);
  codec.input_components = 3;
  codec.in_color_space = JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, quality, TRUE);
  if (quality >= 90) codec.comp_info[0].h_samp_factor = codec.comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < codec.image_height) {
    auto* row = const_cast<JSAMPROW>(image.row(static_cast<int>(codec.next_scanline)));
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  return true;
}

}  // namespace

Header jpeg_header(Bytes bytes) {
  Header header;
  bool oriented = false;
  for (Segments segments(bytes); const auto segment = segments.next();) {
    if (segment->marker == sos) break;
    if (segment->marker == app1 && !oriented && starts_with(segment->body, {"Exif\0\0", 6})) {
      header.orientation = exif_orientation(segment->body.subspan(6));
      oriented = true;
    }
    if (is_frame(segment->marker) && segment->body.size() >= 5) {
      header.height = static_cast<int>(big_endian(segment->body, 1, 2));
      header.width = static_cast<int>(big_endian(segment->body, 3, 2));
    }
  }
  if (header.width == 0 || header.height == 0) {
    fail(ErrorKind::input, "JPEG picture is damaged or cut short: its header gives no size");
  }
  return header;
}

Image decode_jpeg(Bytes bytes, const Header& header) {
  check_scans(bytes);
  Image image(header.width, header.height);
  std::vector<std::uint8_t> cmyk_row(static_cast<std::size_t>(header.width) * 4);
  const Target target{image.pixels.data(), cmyk_row.data(), header.width, header.height};
  jpeg_decompress_struct codec{};
  Trouble trouble{};
  const bool read = read_pixels(codec, trouble, bytes, target);
  jpeg_destroy_decompress(&codec);
  if (!read) fail(ErrorKind::input, "JPEG picture is damaged or cut short: {}", trouble.message);
  return image;
}

}  // namespace wajah::codec

namespace wajah {

std::vector<std::byte> encode_jpeg(const Image& image, int quality) {
  if (image.empty()) fail(ErrorKind::input, "an empty picture cannot be written as JPEG");
  if (quality < 1 || quality > 100) fail(ErrorKind::usage, "JPEG quality {} is outside 1 to 100", quality);
  jpeg_compress_struct codec{};
  codec::Trouble trouble{};
  codec::Memory memory;
  const bool written = codec::write_pixels(codec, trouble, image, quality, memory);
  jpeg_destroy_compress(&codec);
  const std::unique_ptr<unsigned char, decltype(&std::free)> owner(memory.data, std::free);
  if (!written) fail(ErrorKind::input, "the picture cannot be written as JPEG: {}", trouble.message);
  const auto* first = reinterpret_cast<const std::byte*>(memory.data);
  return {first, first + memory.size};
}

}  // namespace wajah
