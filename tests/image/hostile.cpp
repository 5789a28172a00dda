// Files that are not what they say. Every one must end in an Error of kind input, or a whole picture; never a crash.
#include <wajah/error.hpp>
#include <wajah/image_io.hpp>

#include "check.hpp"
#include "image/pictures.hpp"
#include "image/writers.hpp"

#include <ctime>
#include <optional>
#include <random>

using namespace wajah;

namespace {

// The message, or nothing if the bytes decoded.
std::optional<std::string> refusal(std::span<const std::byte> bytes, const DecodeLimits& limits = {}) {
  try {
    static_cast<void>(decode(bytes, limits));
    return std::nullopt;
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    return error.what();
  }
}

bool refused_with(std::span<const std::byte> bytes, std::string_view words) {
  const auto message = refusal(bytes);
  if (message && message->find(words) != std::string::npos) return true;
  MESSAGE("expected \"" << std::string(words) << "\", got \"" << message.value_or("a picture") << "\"");
  return false;
}

std::vector<test::Bytes> samples() {
  const Image image = test::slopes(37, 23);
  return {test::jpeg(image, test::JpegKind::baseline),
          test::jpeg(image, test::JpegKind::progressive),
          test::jpeg(image, test::JpegKind::arithmetic),
          test::png(image, test::PngKind::rgb),
          test::png(image, test::PngKind::interlaced),
          test::png(image, test::PngKind::palette),
          test::webp(image, test::WebpKind::lossless),
          test::webp(image, test::WebpKind::lossy),
          test::webp(image, test::WebpKind::animated),
          test::webp_with_exif(image, test::exif(6, true)),
          test::jpeg_with_exif(encode_jpeg(image), test::exif(6, false))};
}

double cpu_ms() { return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

TEST_CASE("other files are named, and never enter a decoder") {
  const std::vector<std::pair<std::string, std::string>> files{
      {"", "an empty file"},
      {"Lorem ipsum dolor sit amet, and so on", "text"},
      {"GIF89a\x01\x01", "a GIF picture"},
      {"BM\x36\x10", "a BMP picture"},
      {std::string("II*\0\x08\0\0\0", 8), "a TIFF picture"},
      {std::string("\0\0\0\x18"
                   "ftypheic\0\0\0\0",
                   16),
       "a HEIC picture"},
      {std::string("\0\0\0\x18"
                   "ftypavif\0\0\0\0",
                   16),
       "an AVIF picture"},
      {"%PDF-1.7", "a PDF document"},
      {"PK\x03\x04", "a ZIP archive"},
      {"<svg xmlns=", "a web page or SVG drawing"},
      {"P6\n3 2\n255\n", "a Netpbm picture"},
      {std::string(64, '\x07'), "no picture this program knows"}};
  for (const auto& [content, name] : files) {
    CHECK(refused_with(test::bytes_of(content),
                       "this looks like " + name + "; JPEG, PNG and WebP pictures are accepted"));
  }
}

TEST_CASE("a header that promises too much is refused at once") {
  for (const test::Bytes& bytes : {test::png_header(40'000, 40'000), test::png_header(2'000'000'000, 1),
                                   test::jpeg_header(65'500, 65'500), test::webp_header(16'383, 16'383)}) {
    const double before = cpu_ms();
    CHECK(refused_with(bytes, "is too large: at most 40 megapixels and 12000 pixels a side"));
    CHECK(cpu_ms() - before < 10);
  }
  CHECK(refused_with(test::png_header(0, 5), "0 x 5"));
  CHECK(refused_with(test::png_header(0xffffffff, 5), "4294967295 x 5"));
  CHECK(refused_with(test::jpeg_header(0, 5), "gives no size"));
}

TEST_CASE("limits are the caller's") {
  const test::Bytes bytes = encode_png(test::slopes(100, 50));
  CHECK_FALSE(refusal(bytes, {.max_pixels = 5000, .max_side = 100}));
  CHECK(refusal(bytes, {.max_pixels = 4999}));
  CHECK(refusal(bytes, {.max_side = 99}));
  CHECK(refusal(bytes, {.max_bytes = bytes.size() - 1}));
  CHECK_THROWS_AS(static_cast<void>(inspect(bytes, {.max_side = 99})), Error);
}

TEST_CASE("a picture whose header lies about its size is refused") {
  test::Bytes taller = encode_png(test::slopes(30, 20));
  test::Bytes cut = test::png_header(30, 21);
  std::copy_n(cut.begin(), 33, taller.begin());
  CHECK(refused_with(taller, "PNG picture is damaged or cut short"));

  test::Bytes jpeg = encode_jpeg(test::slopes(30, 20));
  const auto frame = std::ranges::search(jpeg, test::bytes_of("\xff\xc0")).begin();
  frame[6] = std::byte{90};  // 90 rows, data for 20
  CHECK(refused_with(jpeg, "JPEG picture is damaged or cut short"));
}

TEST_CASE("no beginning of a picture passes for the picture") {
  for (const test::Bytes& whole : samples()) {
    REQUIRE_FALSE(refusal(whole));
    const Image image = decode(whole);
    std::size_t accepted = 0;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto cut = std::span(whole).first(size);
      if (refusal(cut)) continue;
      ++accepted;
      // Only metadata and further frames, which nobody sees, may be missing.
      CHECK(test::difference(decode(cut), image) == 0);
    }
    CAPTURE(whole.size());
    CHECK(accepted * 2 < whole.size());
  }
}

TEST_CASE("flipped bytes end in a picture or an error") {
  std::mt19937 random(11);
  int refused = 0;
  for (const test::Bytes& whole : samples()) {
    for (int i = 0; i < 400; ++i) {
      test::Bytes bytes = whole;
      for (int flips = 1 + i % 3; flips > 0; --flips)
        bytes[random() % bytes.size()] ^= static_cast<std::byte>(1 + random() % 255);
      refused += refusal(bytes) ? 1 : 0;
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("random bytes behind a good beginning end in an error") {
  std::mt19937 random(12);
  for (const test::Bytes& whole : samples()) {
    for (const std::size_t keep : {std::size_t{16}, std::size_t{40}, whole.size() / 2}) {
      test::Bytes bytes = whole;
      for (std::size_t i = keep; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(random());
      static_cast<void>(refusal(bytes));
    }
  }
}

TEST_CASE("a JPEG of more scans than any camera makes is refused before decoding") {
  const test::Bytes jpeg = test::jpeg(test::slopes(400, 300), test::JpegKind::progressive);
  const auto scan = std::ranges::search(jpeg, test::bytes_of("\xff\xda")).begin();
  const auto next =
      std::ranges::search(std::ranges::subrange(scan + 2, jpeg.end()), test::bytes_of("\xff\xda")).begin();
  REQUIRE(next != jpeg.end());
  test::Bytes many(jpeg.begin(), next);
  for (int i = 0; i < 5000; ++i) many.insert(many.end(), scan, next);
  many.insert(many.end(), next, jpeg.end());
  const double before = cpu_ms();
  CHECK(refused_with(many, "more than 100 scans"));
  CHECK(cpu_ms() - before < 200);
}

TEST_CASE("a hundred thousand needless segments or chunks cost little") {
  const Image image = test::slopes(40, 30);
  const test::Bytes text = test::bytes_of("k");
  const test::Bytes png = test::png_with_chunks(encode_png(image), "tEXt", text, 100'000);
  test::Bytes jpeg = encode_jpeg(image, 100), segment = test::bytes_of({"\xff\xe5\x00\x03k", 5}), segments;
  for (int i = 0; i < 100'000; ++i) segments.insert(segments.end(), segment.begin(), segment.end());
  jpeg.insert(jpeg.begin() + 2, segments.begin(), segments.end());
  const double before = cpu_ms();
  CHECK(test::difference(decode(png), image) == 0);
  CHECK(test::difference(decode(jpeg), image) <= 8);
  CHECK(cpu_ms() - before < 400);
}
