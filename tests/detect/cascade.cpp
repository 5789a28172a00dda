// The cascade around networks made up for the purpose, so that every box can be worked out by hand.
#include <wajah/detect/cascade.hpp>
#include <wajah/error.hpp>

#include "check.hpp"
#include "image/pictures.hpp"

#include <functional>
#include <limits>
#include <vector>

using namespace wajah;

namespace {

// A network whose output for every place is a function of the input there.
class Fake {
 public:
  using Fill = std::function<void(ConstView<float> x, View<float> y)>;

  Fake(Fill fill, int channels) : fill_(std::move(fill)), channels_(channels) {}

  ConstView<float> operator()(ConstView<float> x) {
    ++calls;
    largest = std::max(largest, x.shape.size());
    images += x.shape.n;
    const bool crops = x.shape.h == x.shape.w && channels_ == 16;
    const bool map = channels_ == 6 && x.shape.n == 1 && !small_crops_;
    Shape shape{x.shape.n, 1, 1, channels_};
    if (map && !crops) shape = {1, (x.shape.h + 1) / 2 - 5, (x.shape.w + 1) / 2 - 5, channels_};
    memory_.assign(shape.size(), 0.0F);
    const View<float> y(memory_.data(), shape);
    fill_(x, y);
    return y;
  }

  Fake& for_crops() {
    small_crops_ = true;
    return *this;
  }

  int calls = 0, images = 0;
  std::size_t largest = 0;

 private:
  Fill fill_;
  int channels_;
  bool small_crops_ = false;
  std::vector<float> memory_;
};

// "Face" wherever the window's upper left input pixel is brighter than grey.
void bright_corner(ConstView<float> x, View<float> y) {
  for (int row = 0; row < y.shape.h; ++row) {
    for (int column = 0; column < y.shape.w; ++column) {
      const float value = *x.pixel(0, row * 2, column * 2);
      y.pixel(0, row, column)[1] = value > 0 ? 0.9F + 0.05F * value : 0.0F;
    }
  }
}

void all_pass(ConstView<float>, View<float> y) {
  for (int i = 0; i < y.shape.n; ++i) y.pixel(i, 0, 0)[1] = 0.95F;
}

Networks networks(Fake& p, Fake& r, Fake& o) { return {std::ref(p), {std::ref(r)}, {std::ref(o)}}; }

void light(Image& image, int x, int y, std::uint8_t value = 255) { std::fill_n(image.row(y) + 3 * x, 3, value); }

}  // namespace

TEST_CASE("one bright pixel becomes the box of its window") {
  Image image(60, 48);
  light(image, 20, 14);
  Fake p(bright_corner, 6), r(all_pass, 6), o(all_pass, 16);
  // Min size 12: one level of the picture itself, the next would need 12 / 0.3 pixels.
  const auto faces = Cascade(Cpu(1)).run(image, {.min_size = 12, .factor = 0.2}, networks(p, r.for_crops(), o));
  REQUIRE(faces.size() == 1);
  // Pixels count from 1: the window 20..31 is 21..32, regressed by nothing.
  CHECK(faces[0].box == Box{21, 15, 32, 26});
  CHECK(faces[0].score == 0.95F);
  CHECK(faces[0].points[0] == Point{20, 14});  // 0 of the box, counted from 0
}

TEST_CASE("regressions move boxes as the original counts their sizes") {
  Image image(200, 200);
  light(image, 40, 60);
  light(image, 120, 60);  // two proposals, so that nothing is mirrored
  const auto with = [](std::vector<float> values) {
    return [values](ConstView<float>, View<float> y) {
      for (int i = 0; i < y.shape.n; ++i) {
        y.pixel(i, 0, 0)[1] = 0.95F;
        for (std::size_t c = 0; c < values.size(); ++c) y.pixel(i, 0, 0)[2 + c] = values[c];
      }
    };
  };
  Fake p(
      [](ConstView<float> x, View<float> y) {
        bright_corner(x, y);
        for (int i = 0; i < y.shape.h * y.shape.w; ++i) y.data[i * 6 + 4] = 1.0F;  // x2 + its width of 11
      },
      6);
  Fake r(with({0, 0.5F, 0, 0}), 6), o(with({0.25F, 0, 0, 0, 0.5F, 0, 0, 0, 0, 1.0F, 0, 0, 0, 0}), 16);
  const auto faces = Cascade(Cpu(1)).run(image, {.min_size = 12, .factor = 0.05}, networks(p, r.for_crops(), o));
  REQUIRE(faces.size() == 2);
  // P-Net: 41..52 by 61..72 grows to 41..63 wide, made square about its middle: y 55.5..77.5, cut to 55..77.
  // R-Net: y1 + half of 23 = 66.5, square again: x 41..63, y 66.5 + 5.25 - 11 = 60.75, so 60..82.
  // O-Net: x1 + a quarter of 23.
  const Face& left = faces[0].box.x1 < 100 ? faces[0] : faces[1];
  CHECK(left.box == Box{41 + 23 * 0.25, 60, 63, 82});
  CHECK(left.points[0] == Point{41 + 23 * 0.5 - 1, 60 + 23 - 1});
}

TEST_CASE("the only proposal of a level takes the regression from the mirrored place") {
  Image image(60, 48);
  light(image, 20, 14);
  const auto slanted = [](ConstView<float> x, View<float> y) {
    bright_corner(x, y);
    for (int row = 0; row < y.shape.h; ++row) {
      for (int column = 0; column < y.shape.w; ++column) y.pixel(0, row, column)[2] = static_cast<float>(column);
    }
  };
  Fake p(slanted, 6), r(all_pass, 6), o(all_pass, 16);
  const auto faces = Cascade(Cpu(1)).run(image, {.min_size = 12, .factor = 0.2}, networks(p, r.for_crops(), o));
  REQUIRE(faces.size() == 1);
  // Column 10 of 25: the mirrored one is 14. 21 + 14 * 11 = 175: width 32 - 175 is negative, the height of 11 rules.
  CHECK(faces[0].box.width() == 11);
  CHECK(faces[0].box.centre().x == doctest::Approx((175 + 32) / 2.0).epsilon(0.01));
}

TEST_CASE("strips of a large level find what the whole would") {
  Image image(1500, 1401);
  std::vector<Point> lit;
  for (int y = 0; y < 1388; y += 86) {
    for (int x = (y / 86 % 2) * 40; x < 1480; x += 148) {
      light(image, x, y, static_cast<std::uint8_t>(140 + (x + y) % 100));
      lit.push_back({static_cast<double>(x) + 1, static_cast<double>(y) + 1});
    }
  }
  Fake p(bright_corner, 6), r(all_pass, 6), o(all_pass, 16);
  const auto faces = Cascade(Cpu(2)).run(image, {.min_size = 12, .factor = 0.01}, networks(p, r.for_crops(), o));
  CHECK(p.calls > 3);
  CHECK(p.largest <= (std::size_t{1} << 19) * 3 + 1500 * 3 * 12);
  REQUIRE(faces.size() == lit.size());
  for (const Point& corner : lit) {
    CHECK(std::ranges::any_of(faces,
                              [&](const Face& face) { return face.box.x1 == corner.x && face.box.y1 == corner.y; }));
  }
}

TEST_CASE("thousands of proposals go through in batches") {
  const Image image = test::plain(900, 900, 255, 255, 255);
  Fake p(bright_corner, 6), r(all_pass, 6), o(all_pass, 16);
  const auto faces = Cascade(Cpu(2)).run(image, {.min_size = 12}, networks(p, r.for_crops(), o));
  CHECK(r.images > 4000);
  CHECK(r.largest <= 64 * 24 * 24 * 3);
  CHECK(o.largest <= 64 * 48 * 48 * 3);
  CHECK(faces.size() > 100);
}

TEST_CASE("no network is asked about a picture without levels") {
  Fake p(bright_corner, 6), r(all_pass, 6), o(all_pass, 16);
  Cascade cascade(Cpu(1));
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 5000}, {5000, 1}, {19, 19}}) {
    CHECK(cascade.run(test::plain(width, height, 255, 255, 255), {}, networks(p, r.for_crops(), o)).empty());
  }
  CHECK(p.calls + r.calls + o.calls == 0);
  CHECK_THROWS_WITH_AS(static_cast<void>(cascade.run({}, {}, networks(p, r, o))), doctest::Contains("is empty"), Error);
}

TEST_CASE("the smallest pictures pass, enlarged") {
  Fake p(bright_corner, 6), r(all_pass, 6), o(all_pass, 16);
  Cascade cascade(Cpu(1));
  for (const auto& [width, height] : {std::pair{1, 1}, {2, 1}, {3, 40}}) {
    CHECK_FALSE(
        cascade.run(test::plain(width, height, 255, 255, 255), {.min_size = 1}, networks(p, r.for_crops(), o)).empty());
  }
}

TEST_CASE("networks that answer nonsense yield no face and no crash") {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const Image image = test::noise(100, 80);
  for (const float value : {nan, inf, -inf, 1e30F, -1e30F, 1e7F}) {
    const auto nonsense = [value](ConstView<float>, View<float> y) {
      for (std::size_t i = 0; i < y.shape.size(); ++i)
        y.data[i] = i % static_cast<std::size_t>(y.shape.c) == 1 ? 0.9F : value;
    };
    for (int stage = 0; stage < 3; ++stage) {
      Fake p(stage == 0 ? Fake::Fill(nonsense) : bright_corner, 6), r(stage == 1 ? Fake::Fill(nonsense) : all_pass, 6),
          o(stage == 2 ? Fake::Fill(nonsense) : all_pass, 16);
      const auto faces = Cascade(Cpu(1)).run(image, {}, networks(p, r.for_crops(), o));
      for (const Face& face : faces) CHECK(std::isfinite(face.box.x1 + face.box.y1 + face.box.x2 + face.box.y2));
    }
  }
}
