#include <wajah/error.hpp>
#include <wajah/image_io.hpp>

#include "check.hpp"
#include "image/pictures.hpp"
#include "image/writers.hpp"

#include <fstream>

using namespace wajah;

namespace {

Image grey_of_red(Image image) {
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) image.pixels[i + 1] = image.pixels[i + 2] = image.pixels[i];
  return image;
}

// What a picture looks like to somebody who ignores its orientation, given how it should look: EXIF 2.3's table, from
// the place of row 0 and column 0.
Image stored_for(const Image& upright, int orientation) {
  const int w = upright.width, h = upright.height;
  const bool turned = orientation >= 5;
  Image stored(turned ? h : w, turned ? w : h);
  for (int y = 0; y < stored.height; ++y) {
    for (int x = 0; x < stored.width; ++x) {
      int ux = x, uy = y;
      switch (orientation) {
        case 2: ux = w - 1 - x; break;
        case 3: ux = w - 1 - x, uy = h - 1 - y; break;
        case 4: uy = h - 1 - y; break;
        case 5: ux = y, uy = x; break;
        case 6: ux = w - 1 - y, uy = x; break;
        case 7: ux = w - 1 - y, uy = h - 1 - x; break;
        case 8: ux = y, uy = h - 1 - x; break;
        default: break;
      }
      std::copy_n(upright.row(uy) + 3 * ux, 3, stored.row(y) + 3 * x);
    }
  }
  return stored;
}

}  // namespace

TEST_CASE("JPEG of every kind decodes to nearly the picture it was made from") {
  const Image image = test::slopes(83, 61);
  for (const auto kind : {test::JpegKind::baseline, test::JpegKind::progressive, test::JpegKind::arithmetic,
                          test::JpegKind::cmyk, test::JpegKind::ycck}) {
    CAPTURE(static_cast<int>(kind));
    CHECK(test::difference(decode(test::jpeg(image, kind)), image) <= 8);
  }
  const Image grey = grey_of_red(image);
  CHECK(test::difference(decode(test::jpeg(grey, test::JpegKind::grey)), grey) <= 4);
}

TEST_CASE("PNG of every kind decodes to the picture it was made from") {
  const Image image = test::slopes(83, 61);
  for (const auto kind : {test::PngKind::rgb, test::PngKind::rgb16, test::PngKind::interlaced, test::PngKind::rgba}) {
    CAPTURE(static_cast<int>(kind));
    CHECK(test::difference(decode(test::png(image, kind)), image) == 0);
  }
  const Image grey = grey_of_red(image);
  CHECK(test::difference(decode(test::png(image, test::PngKind::grey8)), grey) == 0);
  CHECK(test::difference(decode(test::png(image, test::PngKind::grey16)), grey) == 0);

  Image two_tones = grey, coloured = image;
  for (auto& v : two_tones.pixels) v = v > 127 ? 255 : 0;
  CHECK(test::difference(decode(test::png(image, test::PngKind::grey1)), two_tones) == 0);
  for (std::size_t i = 0; i < coloured.pixels.size(); i += 3) {
    coloured.pixels[i + 1] = static_cast<std::uint8_t>(255 - image.pixels[i]);
    coloured.pixels[i + 2] = image.pixels[i] / 2;
  }
  CHECK(test::difference(decode(test::png(image, test::PngKind::palette)), coloured) == 0);
}

TEST_CASE("WebP of every kind decodes to the picture it was made from") {
  const Image image = test::slopes(83, 61);
  CHECK(test::difference(decode(test::webp(image, test::WebpKind::lossless)), image) == 0);
  CHECK(test::difference(decode(test::webp(image, test::WebpKind::alpha)), image) == 0);
  CHECK(test::difference(decode(test::webp(image, test::WebpKind::lossy)), image) <= 24);

  const Image first = decode(test::webp(image, test::WebpKind::animated));
  REQUIRE(first.width == image.width + 4);
  REQUIRE(first.height == image.height + 4);
  Image expected(first.width, first.height);
  for (int y = 0; y < image.height; ++y) std::copy_n(image.row(y), image.width * 3, expected.row(y + 2) + 6);
  CHECK(test::difference(first, expected) == 0);
}

TEST_CASE("EXIF orientation 1 to 8 gives the upright picture, in either byte order and every format") {
  const Image image = test::slopes(23, 11);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool little : {false, true}) {
      CAPTURE(orientation);
      CAPTURE(little);
      const Image stored = stored_for(image, orientation);
      const test::Bytes tiff = test::exif(orientation, little);
      const test::Bytes png = test::png_with_chunks(encode_png(stored), "eXIf", tiff);
      CHECK(test::difference(decode(png), image) == 0);
      CHECK(test::difference(decode(test::webp_with_exif(stored, tiff)), image) == 0);
      CHECK(test::difference(decode(test::jpeg_with_exif(encode_jpeg(stored, 100), tiff)), image) <= 8);
      const ImageInfo info = inspect(png);
      CHECK(info.width == 23);
      CHECK(info.height == 11);
      CHECK(info.orientation == orientation);
    }
  }
}

TEST_CASE("senseless EXIF leaves the picture as it is") {
  const Image image = test::slopes(23, 11);
  const test::Bytes good = test::exif(6, true);
  std::vector<test::Bytes> senseless{test::exif(0, true), test::exif(9, false), test::bytes_of("II*"),
                                     test::bytes_of("not a TIFF structure")};
  for (std::size_t cut = 0; cut + 16 < good.size(); ++cut) senseless.emplace_back(good.begin(), good.begin() + cut);
  for (const std::size_t far : {std::size_t{4}, std::size_t{24}, std::size_t{26}}) {  // offset, type, count
    senseless.push_back(good);
    std::fill_n(senseless.back().begin() + static_cast<std::ptrdiff_t>(far), 2, std::byte{0xff});
  }
  for (const test::Bytes& tiff : senseless) {
    CHECK(test::difference(decode(test::png_with_chunks(encode_png(image), "eXIf", tiff)), image) == 0);
  }
}

TEST_CASE("pictures of one pixel, one row and one column survive") {
  for (const auto& [width, height] : {std::pair{1, 1}, std::pair{1, 700}, std::pair{9000, 1}}) {
    const Image image = test::plain(width, height, 200, 100, 50);
    CHECK(test::difference(decode(encode_png(image)), image) == 0);
    CHECK(test::difference(decode(encode_jpeg(image, 95)), image) <= 4);
    CHECK(test::difference(decode(test::webp(image, test::WebpKind::lossless)), image) == 0);
  }
}

TEST_CASE("a picture written is the picture read") {
  const Image image = test::slopes(40, 30);
  const auto folder = std::filesystem::temp_directory_path() / "wajah_image_test";
  std::filesystem::create_directories(folder);
  write_image(image, folder / "a.png");
  write_image(image, folder / "b.JPG");
  CHECK(test::difference(read_image(folder / "a.png"), image) == 0);
  CHECK(test::difference(read_image(folder / "b.JPG"), image) <= 12);
  CHECK_THROWS_WITH_AS(write_image(image, folder / "c.gif"),
                       doctest::Contains("pictures are written as .jpg, .jpeg or .png, not \".gif\""), Error);
  CHECK_THROWS_WITH_AS(static_cast<void>(read_image(folder / "missing.png")), doctest::Contains("missing.png"), Error);
  std::filesystem::remove_all(folder);
}
