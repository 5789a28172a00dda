// Turning pictures and finding faces in turned ones.
#include <wajah/convert/open.hpp>
#include <wajah/detect/rotations.hpp>
#include <wajah/image_io.hpp>

#include "check.hpp"
#include "image/pictures.hpp"

#include <algorithm>

using namespace wajah;
using namespace wajah::test;

TEST_CASE("a picture turns clockwise, and four quarters are none") {
  Image image = slopes(7, 4);
  const Image quarter = turned(image, 1);
  CHECK(quarter.width == 4);
  CHECK(quarter.height == 7);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      // The upper left corner goes to the upper right.
      CHECK(std::equal(image.row(y) + 3 * x, image.row(y) + 3 * x + 3, quarter.row(x) + 3 * (image.height - 1 - y)));
    }
  }
  CHECK(difference(turned(image, 0), image) == 0);
  CHECK(difference(turned(turned(turned(quarter, 1), 1), 1), image) == 0);
  CHECK(difference(turned(image, 2), turned(quarter, 1)) == 0);
  CHECK(difference(turned(image, 3), turned(turned(image, 2), 1)) == 0);
}

TEST_CASE("what is found in a turned picture is told in pixels of the picture") {
  constexpr int width = 40, height = 30;
  // One marked pixel; wherever it comes to lie, it must be brought back.
  Image image = plain(width, height, 0, 0, 0);
  *(image.row(8) + 3 * 5) = 255;
  for (int turns = 0; turns < 4; ++turns) {
    CAPTURE(turns);
    const Image view = turned(image, turns);
    const auto at = (std::ranges::find(view.pixels, 255) - view.pixels.begin()) / 3;
    const Point seen{static_cast<double>(at % view.width), static_cast<double>(at / view.width)};
    Face face{{seen.x - 2, seen.y - 1, seen.x + 2, seen.y + 1}, 0.5F, {}};
    face.points.fill(seen);
    face.points[1].x += 2;
    const Face back = turned_back(face, turns, width, height);
    CHECK(back.points[0] == Point{5, 8});
    CHECK(back.box.centre() == Point{5, 8});
    CHECK((turns % 2 == 0 ? back.box.width() : back.box.height()) == 4);
    CHECK(back.score == 0.5F);
    // The right eye keeps its place in the order, wherever it lies.
    const Point right[] = {{7, 8}, {5, 6}, {3, 8}, {5, 10}};
    CHECK(back.points[1] == right[turns]);
  }
}

TEST_CASE("a face is found whichever way the photo lies, and upright it is the detector's own") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const Cpu cpu(1);
  Detector detector(load_detector(open_mtcnn(*data / "mtcnn"), cpu), cpu);
  for (const char* name : {"phone_720x1080.jpg", "multiface.jpg"}) {
    const Image photo = read_image(*data / "photos" / name);
    const auto exact = detector.detect(photo, recognise_options);
    REQUIRE(!exact.empty());
    const auto same_as_exact = [&](const Face& face, double overlap) {
      return std::ranges::any_of(exact,
                                 [&](const Face& e) { return intersection_over_union(e.box, face.box) >= overlap; });
    };
    for (int turns = 0; turns < 4; ++turns) {
      CAPTURE(name);
      CAPTURE(turns);
      const TurnedFaces found = detect_any_rotation(detector, turned(photo, turns), recognise_options);
      CHECK(found.turns == (4 - turns) % 4);
      REQUIRE(!found.faces.empty());
      for (const Face& face : found.faces) CHECK(same_as_exact(face, turns == 0 ? 1 : 0.8));
    }
  }
}

TEST_CASE("where there is no face, no turn finds one") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const Cpu cpu(1);
  Detector detector(load_detector(open_mtcnn(*data / "mtcnn"), cpu), cpu);
  for (const Image& picture : {noise(300, 200), slopes(300, 200), plain(300, 200, 90, 90, 90), plain(1, 1, 0, 0, 0)}) {
    CHECK(detect_any_rotation(detector, picture, recognise_options).faces.empty());
  }
}
