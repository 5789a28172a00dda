#include <wajah/embed/align.hpp>
#include <wajah/embed/crop.hpp>
#include <wajah/error.hpp>

#include "check.hpp"
#include "image/pictures.hpp"

#include <array>
#include <vector>

#ifdef WAJAH_HAVE_OPENCV
#include <opencv2/imgproc.hpp>
#endif

using namespace wajah;

namespace {

double squared_error(const Affine& transform, std::span<const Point> from, std::span<const Point> to) {
  double sum = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const Point p = transform(from[i]);
    sum += (p.x - to[i].x) * (p.x - to[i].x) + (p.y - to[i].y) * (p.y - to[i].y);
  }
  return sum;
}

}  // namespace

TEST_CASE("a similarity that exists is found") {
  const Affine truth = Affine::similarity(1.3, -0.7, 25, -4);
  const Landmarks from = landmark_template(112);
  Landmarks to;
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = truth(from[i]);
  const Affine found = fit_similarity(from, to);
  CHECK(found.xx == doctest::Approx(1.3));
  CHECK(found.yx == doctest::Approx(-0.7));
  CHECK(found.tx == doctest::Approx(25));
  CHECK(found.ty == doctest::Approx(-4));
  const Point back = found.inverse()(found({3, 5}));
  CHECK(back.x == doctest::Approx(3));
  CHECK(back.y == doctest::Approx(5));
}

TEST_CASE("no similarity near the fitted one lies closer") {
  std::mt19937 random(8);
  std::uniform_real_distribution<double> number(-40, 160);
  for (int round = 0; round < 20; ++round) {
    std::array<Point, 5> from, to;
    for (Point& p : from) p = {number(random), number(random)};
    for (Point& p : to) p = {number(random), number(random)};
    const Affine best = fit_similarity(from, to);
    const double least = squared_error(best, from, to);
    for (const auto& [da, db, dx, dy] :
         {std::array{0.01, 0.0, 0.0, 0.0}, {0.0, 0.01, 0.0, 0.0}, {0.0, 0.0, 0.5, 0.0}, {0.0, 0.0, 0.0, 0.5}}) {
      for (const double sign : {1.0, -1.0}) {
        const Affine other =
            Affine::similarity(best.xx + sign * da, best.yx + sign * db, best.tx + sign * dx, best.ty + sign * dy);
        CHECK(squared_error(other, from, to) > least);
      }
    }
  }
}

TEST_CASE("landmarks that say nothing are refused") {
  const std::vector<Point> same(5, Point{7, 7}), broken{{NAN, 1}, {2, 3}};
  CHECK_THROWS_WITH_AS(static_cast<void>(fit_similarity(same, landmark_template(112))),
                       doctest::Contains("in one place"), Error);
  CHECK_THROWS_AS(static_cast<void>(fit_similarity(broken, std::vector<Point>{{0, 0}, {1, 1}})), Error);
  CHECK_THROWS_AS(static_cast<void>(fit_similarity(broken, landmark_template(112))), Error);
  CHECK_THROWS_AS(static_cast<void>(Affine::similarity(0, 0, 1, 1).inverse()), Error);
}

TEST_CASE("warping by whole pixels copies them, and shows black outside") {
  const Image photo = test::noise(20, 15);
  const Image shifted = warp(photo, Affine::similarity(1, 0, 3, -2), 20, 15);
  for (int y = 0; y < 15; ++y) {
    for (int x = 0; x < 20; ++x) {
      const bool inside = x + 3 < 20 && y - 2 >= 0;
      CHECK(shifted.row(y)[3 * x] == (inside ? photo.row(y - 2)[3 * (x + 3)] : 0));
    }
  }
  const Image away = warp(photo, Affine::similarity(1, 0, 1e9, NAN), 4, 4);
  CHECK(test::difference(away, Image(4, 4)) == 0);
}

TEST_CASE("half a pixel away lies the mean of two") {
  Image photo(4, 1);
  photo.row(0)[0] = 100;
  photo.row(0)[3] = 50;
  CHECK(warp(photo, Affine::similarity(1, 0, 0.5, 0), 1, 1).pixels[0] == 75);
  CHECK(warp(photo, Affine::similarity(1, 0, -0.5, 0), 1, 1).pixels[0] == 50);  // half of it outside
}

TEST_CASE("shrinking averages what a pixel covers") {
  Image stripes(160, 160);  // one column in four is lit: sampling would show all or nothing
  for (int y = 0; y < 160; ++y) {
    for (int x = 0; x < 160; x += 4) std::fill_n(stripes.row(y) + 3 * x, 3, std::uint8_t{200});
  }
  const Image small = warp(stripes, Affine::similarity(4, 0, 1.5, 1.5), 38, 38);
  for (const std::uint8_t v : small.pixels) CHECK(std::abs(v - 50) <= 1);
}

#ifdef WAJAH_HAVE_OPENCV
TEST_CASE("warping agrees with cv::warpAffine within its coarser positions") {
  const Image photo = test::slopes(120, 90);
  for (const Affine& t :
       {Affine::similarity(0.8, 0.3, 5, -7), Affine::similarity(-0.5, 0.9, 60, 10), Affine{1.2, 0, 3.3, 0, 0.7, 8.1}}) {
    const Image ours = warp(photo, t, 64, 64);
    const cv::Mat from(photo.height, photo.width, CV_8UC3, const_cast<std::uint8_t*>(photo.pixels.data()));
    const cv::Mat matrix = (cv::Mat_<double>(2, 3) << t.xx, t.xy, t.tx, t.yx, t.yy, t.ty);
    cv::Mat to;
    cv::warpAffine(from, to, matrix, {64, 64}, cv::INTER_LINEAR | cv::WARP_INVERSE_MAP);
    int worst = 0;
    for (std::size_t i = 0; i < ours.pixels.size(); ++i) worst = std::max(worst, std::abs(ours.pixels[i] - to.data[i]));
    CHECK(worst <= 9);  // OpenCV rounds positions to 32nds, which shows at the edge of the photo
  }
}
#endif
