#include <wajah/detect/box.hpp>
#include <wajah/draw.hpp>

#include "check.hpp"
#include "image/pictures.hpp"

using namespace wajah;

TEST_CASE("intersection over union") {
  CHECK(intersection_over_union({0, 0, 10, 10}, {0, 0, 10, 10}) == 1);
  CHECK(intersection_over_union({0, 0, 10, 10}, {5, 0, 15, 10}) == doctest::Approx(1.0 / 3));
  CHECK(intersection_over_union({0, 0, 10, 10}, {10, 0, 20, 10}) == 0);
  CHECK(intersection_over_union({0, 0, 10, 10}, {30, 30, 40, 40}) == 0);
}

TEST_CASE("the central face is large and near the middle") {
  const std::vector<Face> faces{
      {{0, 0, 60, 60}, 0.9F, {}}, {{80, 80, 130, 130}, 0.8F, {}}, {{90, 90, 100, 100}, 1.0F, {}}};
  CHECK(central_face(faces, 200, 200) == 1);
  CHECK(central_face(std::span(faces).first(1), 200, 200) == 0);
  CHECK_FALSE(central_face({}, 200, 200));
}

TEST_CASE("boxes and points are drawn where they are, and nowhere else") {
  Image image(30, 20);
  draw_box(image, {5, 4, 20, 15}, {1, 2, 3}, 2);
  const auto painted = [&](int x, int y) { return image.row(y)[3 * x + 2] == 3; };
  CHECK(painted(5, 4));
  CHECK(painted(20, 15));
  CHECK(painted(6, 10));
  CHECK_FALSE(painted(7, 10));
  CHECK_FALSE(painted(4, 4));
  CHECK_FALSE(painted(21, 15));
  draw_point(image, {12, 10}, {1, 2, 3}, 1);
  CHECK(painted(12, 10));
  CHECK(painted(13, 10));
  CHECK_FALSE(painted(14, 10));
}

TEST_CASE("drawing outside the picture does nothing") {
  Image image(8, 8);
  const Image before = image;
  draw_box(image, {-1e12, -1e12, -5, 1e12}, {9, 9, 9});
  draw_box(image, {100, 100, 200, 200}, {9, 9, 9}, 5);
  draw_point(image, {NAN, 3}, {0, 0, 0});
  draw_point(image, {-50, 3}, {9, 9, 9}, 4);
  CHECK(test::difference(image, before) == 0);
  draw_faces(image, std::vector<Face>{{{1, 1, 6, 6}, 1, {}}});
  CHECK(test::difference(image, before) > 0);
}
