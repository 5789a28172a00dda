#include <wajah/embed/crop.hpp>
#include <wajah/error.hpp>

#include "check.hpp"
#include "image/pictures.hpp"

#include <vector>

#ifdef WAJAH_HAVE_OPENCV
#include <opencv2/imgproc.hpp>
#endif

using namespace wajah;

namespace {

std::uint64_t fingerprint(const Image& image) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const std::uint8_t b : image.pixels) hash = (hash ^ b) * 1099511628211U;
  return hash;
}

Face face_at(double x1, double y1, double x2, double y2) {
  Face face{{x1, y1, x2, y2}, 1, {}};
  for (std::size_t i = 0; i < face.points.size(); ++i) {
    const Point p = landmark_template(112)[i];
    face.points[i] = {x1 + p.x / 112 * (x2 - x1), y1 + p.y / 112 * (y2 - y1)};
  }
  return face;
}

}  // namespace

TEST_CASE("the template is ArcFace's, enlarged about the centre") {
  CHECK(landmark_template(112)[0] == Point{38.2946, 51.6963});
  CHECK(landmark_template(160)[2].x == doctest::Approx(56.0252 * 160 / 112));
  const Point student = landmark_template(160, 1.25, 3)[4];
  CHECK(student.x == doctest::Approx((70.7299 - 56) * 1.25 + 80));
  CHECK(student.y == doctest::Approx((92.2041 - 56) * 1.25 + 80 + 3));
}

TEST_CASE("a crop's text reads back as the same value") {
  for (const Crop& crop : {aligned_crop(112), aligned_crop(160, 1.25, -3.3), margin_crop(160, 0.22), original_crop()}) {
    CHECK(parse_crop(to_string(crop)) == crop);
  }
  CHECK(to_string(margin_crop(160, 0.22)) == "margin 160 0.22");
  CHECK(to_string(original_crop()) == "original 160");
  CHECK(parse_crop("  margin   96 0 ") == margin_crop(96, 0));
  CHECK_FALSE(aligned_crop(112) == aligned_crop(160));
}

TEST_CASE("text that is no crop is refused with a reason") {
  const auto reason = [](std::string_view text) -> std::string {
    try {
      static_cast<void>(parse_crop(text));
      return "";
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::model);
      return error.what();
    }
  };
  const auto says = [&](std::string_view text, std::string_view words) {
    return reason(text).find(words) != std::string::npos;
  };
  CHECK(says("", "profile and size are missing"));
  CHECK(says("margin", "profile and size are missing"));
  CHECK(says("square 160", "the profile is unknown"));
  CHECK(says("original 15", "not a whole number of 16 to 1024"));
  CHECK(says("original 160.5", "not a whole number of 16 to 1024"));
  CHECK(says("original 1e9", "not a whole number of 16 to 1024"));
  CHECK(says("margin 160", "the number of values is wrong"));
  CHECK(says("margin 160 0.2 0.3", "the number of values is wrong"));
  CHECK(says("margin 160 x", "a number is malformed"));
  CHECK(says("margin 160 nan", "a number is malformed"));
  CHECK(says("margin 160 -0.1", "the margin is not within 0 to 4"));
  CHECK(says("aligned 112 1 1 1 1 1 1 1 1 1 1", "the landmarks lie in one place"));
  CHECK(says("aligned 112 1 2 3", "the number of values is wrong"));
}

TEST_CASE("an aligned crop lays the landmarks on the template") {
  const Crop crop = aligned_crop(112);
  Image photo = test::plain(300, 300, 20, 20, 20);
  Face face = face_at(60, 80, 200, 220);
  for (Point& p : face.points) {  // turned by 30 degrees
    const double dx = p.x - 130, dy = p.y - 150;
    p = {130 + 0.866 * dx - 0.5 * dy, 150 + 0.5 * dx + 0.866 * dy};
  }
  for (const Point& p : face.points) {  // a white blot on each
    for (int dy = -2; dy <= 2; ++dy) {
      for (int dx = -2; dx <= 2; ++dx) {
        std::fill_n(photo.row(static_cast<int>(std::lround(p.y)) + dy) + 3 * (std::lround(p.x) + dx), 3,
                    std::uint8_t{255});
      }
    }
  }
  const Image cut = make_crop(photo, face, crop);
  REQUIRE(cut.width == 112);
  REQUIRE(cut.height == 112);
  for (const Point& p : crop.points) {
    CHECK(cut.row(static_cast<int>(std::lround(p.y)))[3 * std::lround(p.x)] > 200);
  }
  CHECK(cut.row(5)[15] == 20);
}

TEST_CASE("a margin crop shows the box and the margin around it") {
  Image photo(200, 200);
  for (int y = 50; y < 150; ++y) std::fill_n(photo.row(y) + 3 * 50, 3 * 100, std::uint8_t{180});
  const Image tight = make_crop(photo, face_at(50, 50, 150, 150), margin_crop(100, 0));
  CHECK(std::ranges::all_of(tight.pixels, [](std::uint8_t v) { return v == 180; }));
  const Image wide = make_crop(photo, face_at(50, 50, 150, 150), margin_crop(100, 1));
  CHECK(wide.row(50)[3 * 24] == 0);
  CHECK(wide.row(50)[3 * 26] == 180);
  CHECK(wide.row(50)[3 * 73] == 180);
  CHECK(wide.row(50)[3 * 76] == 0);
  const Image beyond = make_crop(photo, face_at(190, 190, 210, 210), margin_crop(100, 0));
  CHECK(beyond.pixels.back() == 0);
}

TEST_CASE("the original's enrolment crop is Pillow's bicubic, bit for bit") {
  struct Known {
    int width, height;
    std::uint64_t hash;
  };
  // numpy.asarray(Image.fromarray(noise).resize((182, 182))) with Pillow 13.
  const std::vector<Known> known{{182, 182, 657310025334206084U},   {90, 140, 2194434958424531877U},
                                 {400, 333, 15509279562504471194U}, {182, 50, 11724812399551807005U},
                                 {1, 1, 17159430169815810821U},     {700, 100, 9154560379801801837U}};
  for (const auto& [width, height, hash] : known) {
    CAPTURE(width);
    CAPTURE(height);
    const Image photo = test::noise(width, height, 7);
    // The margin reaches beyond the photo everywhere and is clipped to it.
    const Image crop = make_crop(photo, face_at(0, 0, width, height), original_crop(), CropUse::enrol);
    CHECK(crop.width == 182);
    CHECK(fingerprint(crop) == hash);
  }
}

TEST_CASE("the original cuts wide for enrolling and tight for recognising") {
  Image photo(300, 300);
  for (int y = 100; y < 200; ++y) std::fill_n(photo.row(y) + 3 * 100, 3 * 100, std::uint8_t{180});
  const Face face = face_at(100.9, 100.9, 200.9, 200.9);
  const Image enrolled = make_crop(photo, face, original_crop(), CropUse::enrol);  // 78 to 222
  CHECK(enrolled.row(91)[3 * 25] == 0);
  CHECK(enrolled.row(91)[3 * 31] == 180);
  const Image recognised = make_crop(photo, face, original_crop(), CropUse::recognise);
  CHECK(recognised.width == 160);
  CHECK(std::ranges::all_of(recognised.pixels, [](std::uint8_t v) { return v == 180; }));
}

TEST_CASE("faces that cannot be cut are refused") {
  const Image photo = test::noise(50, 50);
  const Face flat = face_at(10, 10, 10, 20), outside = face_at(60, 60, 90, 90), broken = face_at(NAN, 0, 10, 10);
  for (const Face& face : {flat, broken}) {
    CHECK_THROWS_AS(static_cast<void>(make_crop(photo, face, margin_crop(160, 0.2))), Error);
  }
  Face one_point = flat;
  one_point.points.fill({20, 20});
  CHECK_THROWS_WITH_AS(static_cast<void>(make_crop(photo, one_point, aligned_crop(112))),
                       doctest::Contains("cannot be aligned"), Error);
  for (const Face& face : {flat, outside, broken}) {
    CHECK_THROWS_AS(static_cast<void>(make_crop(photo, face, original_crop())), Error);
  }
  CHECK_THROWS_AS(static_cast<void>(make_crop({}, face_at(0, 0, 5, 5), margin_crop(160, 0))), Error);
}

#ifdef WAJAH_HAVE_OPENCV
TEST_CASE("the original's recognition crop is that resized by OpenCV's bicubic") {
  for (const auto& [width, height] : {std::pair{90, 120}, {182, 182}, {300, 250}}) {
    const Image photo = test::noise(width, height, 7);
    // Enrolling with a box shrunk by the margin cuts the whole photo as well.
    const Image large = make_crop(photo, face_at(0, 0, width, height), original_crop(), CropUse::enrol);
    const Image small = make_crop(photo, face_at(0, 0, width, height), original_crop(), CropUse::recognise);
    const cv::Mat from(182, 182, CV_8UC3, const_cast<std::uint8_t*>(large.pixels.data()));
    cv::Mat to;
    cv::resize(from, to, {160, 160}, 0, 0, cv::INTER_CUBIC);
    int different = 0;
    for (std::size_t i = 0; i < small.pixels.size(); ++i) {
      CHECK(std::abs(small.pixels[i] - to.data[i]) <= 1);
      different += small.pixels[i] != to.data[i] ? 1 : 0;
    }
    CHECK(different < 80);  // OpenCV's vector code sums in float where its scalar code uses integers
  }
}
#endif
