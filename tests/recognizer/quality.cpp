// Quality: each measure on pictures whose answer is known, and each limit on a photo spoilt in one way.
#include <wajah/convert/open.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/embed/crop.hpp>
#include <wajah/error.hpp>
#include <wajah/image_io.hpp>
#include <wajah/quality.hpp>

#include "check.hpp"
#include "image/pictures.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

using namespace wajah;
using namespace wajah::test;

namespace {

constexpr QualityIssue every_issue[] = {QualityIssue::unclear, QualityIssue::too_small, QualityIssue::blurred,
                                        QualityIssue::dark,    QualityIssue::bright,    QualityIssue::low_contrast,
                                        QualityIssue::turned,  QualityIssue::cut_off};

// A face whose landmarks lie where the grid of 112 pixels has them, with its corner at x, y.
Face face_at(double x, double y, double zoom = 1) {
  Face face{{x, y, x + 112 * zoom, y + 112 * zoom}, 1, landmark_template(112, 1)};
  for (Point& p : face.points) p = {x + p.x * zoom, y + p.y * zoom};
  return face;
}

Image changed(Image image, const std::function<double(double)>& change) {
  for (auto& value : image.pixels) {
    value = static_cast<std::uint8_t>(std::lround(std::clamp(change(value), 0.0, 255.0)));
  }
  return image;
}

// The mean of a square around each pixel, twice: near to a Gaussian.
Image blurred(const Image& image, int reach) {
  Image out = image;
  for (int pass = 0; pass < 2; ++pass) {
    const Image in = out;
    for (int y = 0; y < in.height; ++y) {
      for (int x = 0; x < in.width; ++x) {
        for (int c = 0; c < 3; ++c) {
          int sum = 0, count = 0;
          for (int v = std::max(0, y - reach); v <= std::min(in.height - 1, y + reach); ++v) {
            for (int u = std::max(0, x - reach); u <= std::min(in.width - 1, x + reach); ++u, ++count) {
              sum += in.row(v)[3 * u + c];
            }
          }
          out.row(y)[3 * x + c] = static_cast<std::uint8_t>(sum / count);
        }
      }
    }
  }
  return out;
}

// The mean face as a camera far away sees it.
Landmarks landmarks_of(const Pose& pose, double zoom = 40) {
  constexpr double mean[5][3] = {
      {-0.5, -0.547, -0.005}, {0.5, -0.547, -0.005}, {0, 0.035, -0.426}, {-0.446, 0.529, 0.219}, {0.446, 0.529, 0.219}};
  const double radians = std::numbers::pi / 180;
  const double yaw = pose.yaw * radians, pitch = pose.pitch * radians, roll = pose.roll * radians;
  Landmarks points;
  for (std::size_t i = 0; i < 5; ++i) {
    const auto [x, y, z] = mean[i];
    // Down by pitch, then to the side by yaw, then tilted: the nose (negative z) goes where the signs say.
    const double y1 = y * std::cos(pitch) - z * std::sin(pitch), z1 = y * std::sin(pitch) + z * std::cos(pitch);
    const double x2 = x * std::cos(yaw) - z1 * std::sin(yaw);
    points[i] = {100 + zoom * (x2 * std::cos(roll) - y1 * std::sin(roll)),
                 100 + zoom * (x2 * std::sin(roll) + y1 * std::cos(roll))};
  }
  return points;
}

}  // namespace

TEST_CASE("a pose is read off the landmarks that show it") {
  for (const Pose& pose : {Pose{0, 0, 0}, Pose{35, 0, 0}, Pose{-35, 0, 0}, Pose{0, 25, 0}, Pose{0, -25, 0},
                           Pose{0, 0, 30}, Pose{0, 0, -80}, Pose{20, 15, 10}, Pose{-45, 20, -30}, Pose{0, 0, 170}}) {
    const Pose read = pose_of(landmarks_of(pose));
    CAPTURE(pose.yaw);
    CAPTURE(pose.pitch);
    CAPTURE(pose.roll);
    // A tilt turns the directions that yaw and pitch are told in; both together must still be the same turn.
    const auto turn = [](const Pose& p) {
      return std::cos(p.yaw * std::numbers::pi / 180) * std::cos(p.pitch * std::numbers::pi / 180);
    };
    CHECK(turn(read) == doctest::Approx(turn(pose)).epsilon(0.001));
    if (pose.roll == 0) {
      CHECK(read.yaw == doctest::Approx(pose.yaw).epsilon(0.01));
      CHECK(read.pitch == doctest::Approx(pose.pitch).epsilon(0.01));
    }
    if (pose.yaw == 0 || pose.pitch == 0) CHECK(read.roll == doctest::Approx(pose.roll).epsilon(0.01));
  }
}

TEST_CASE("signs: the nose to the right and below is positive, and size does not matter") {
  Landmarks points = landmark_template(112);
  CHECK(std::abs(pose_of(points).yaw) < 1);
  CHECK(std::abs(pose_of(points).pitch) < 8);
  points[2].x += 10;
  CHECK(pose_of(points).yaw > 15);
  points[2] = landmark_template(112)[2];
  points[2].y += 8;
  CHECK(pose_of(points).pitch > 15);
  points = landmark_template(112);
  points[1].y += 20, points[4].y += 20;
  CHECK(pose_of(points).roll > 10);
  CHECK(pose_of(landmarks_of({30, 0, 0}, 400)).yaw == doctest::Approx(pose_of(landmarks_of({30, 0, 0}, 4)).yaw));
}

TEST_CASE("landmarks without a shape have no pose") {
  Landmarks one{}, line{};
  for (std::size_t i = 0; i < 5; ++i) line[i] = {10.0 * static_cast<double>(i), 0};
  for (const Landmarks& points : {one, line}) {
    const Pose pose = pose_of(points);
    CHECK(std::isfinite(pose.yaw + pose.pitch + pose.roll));
  }
  CHECK_THROWS_AS((void)measure_face(noise(100, 100), Face{{0, 0, 50, 50}, 1, one}), Error);
  CHECK_THROWS_AS((void)measure_face(Image(), face_at(0, 0)), Error);
}

TEST_CASE("light is told in percentiles of the face, not of its surroundings") {
  Image image = plain(212, 212, 200, 200, 200);
  for (int y = 75; y < 165; ++y) {
    for (int x = 65; x < 150; ++x) std::fill_n(image.row(y) + 3 * x, 3, static_cast<std::uint8_t>(x < 132 ? 90 : 30));
  }
  const FaceMeasures measures = measure_face(image, face_at(50, 50));
  CHECK(measures.p50 == 90);
  CHECK(measures.p95 == 90);
  CHECK(measures.p5 == 30);
  CHECK(measures.contrast() == 60);
}

TEST_CASE("what lies beyond the edge is counted") {
  const Image image = noise(112, 112);
  CHECK(measure_face(image, face_at(0, 0)).outside < 0.01);
  CHECK(measure_face(image, face_at(28, 0)).outside == doctest::Approx(0.25).epsilon(0.05));
  CHECK(measure_face(image, face_at(0, -56)).outside == doctest::Approx(0.5).epsilon(0.05));
  CHECK(measure_face(image, face_at(500, 0)).outside == 1);
}

TEST_CASE("sharpness falls with blur and does not depend on light or contrast") {
  const Image sharp = noise(212, 212);
  const Face face = face_at(50, 50);
  const double at_first = measure_face(sharp, face).sharpness;
  CHECK(at_first > 0.5);
  double before = at_first;
  for (const int reach : {1, 2, 4}) {
    const double now = measure_face(blurred(sharp, reach), face).sharpness;
    CHECK(now < before);
    before = now;
  }
  CHECK(before < at_first / 2);
  const Image pale = changed(sharp, [](double v) { return 100 + v / 4; });
  CHECK(measure_face(pale, face).sharpness == doctest::Approx(at_first).epsilon(0.02));
  CHECK(measure_face(plain(212, 212, 50, 50, 50), face).sharpness == 0);
}

TEST_CASE("a limit is missed only beyond it, and each issue has a name and a reason of its own") {
  FaceMeasures good;
  good.size = 100, good.detection = 1, good.sharpness = 0.4, good.p5 = 50, good.p50 = 120, good.p95 = 180;
  CHECK(judge(good, standard_limits).issues.empty());
  CHECK(judge(good, strict_limits).issues.empty());
  CHECK(judge(good, standard_limits).score > 0.8);
  CHECK(judge(FaceMeasures{}, QualityLimits{}).issues.empty());
  CHECK(judge(FaceMeasures{}, QualityLimits{}).score == 0);

  using Change = std::function<void(FaceMeasures&)>;
  const std::pair<Change, QualityIssue> changes[] = {
      {[](auto& m) { m.detection = 0.7; }, QualityIssue::unclear},
      {[](auto& m) { m.size = 39; }, QualityIssue::too_small},
      {[](auto& m) { m.sharpness = 0.18; }, QualityIssue::blurred},
      {[](auto& m) { m.p5 = 5, m.p50 = 30, m.p95 = 69; }, QualityIssue::dark},
      {[](auto& m) { m.p50 = 216, m.p95 = 255; }, QualityIssue::bright},
      {[](auto& m) { m.p5 = 100, m.p50 = 120, m.p95 = 139; }, QualityIssue::low_contrast},
      {[](auto& m) { m.pose.yaw = -51; }, QualityIssue::turned},
      {[](auto& m) { m.pose.pitch = 41; }, QualityIssue::turned},
      {[](auto& m) { m.pose.roll = -46; }, QualityIssue::turned},
      {[](auto& m) { m.outside = 0.16; }, QualityIssue::cut_off},
  };
  for (const auto& [change, issue] : changes) {
    FaceMeasures spoilt = good;
    change(spoilt);
    const Quality quality = judge(spoilt, standard_limits);
    CAPTURE(name_of(issue));
    REQUIRE(quality.issues.size() == 1);
    CHECK(quality.issues[0] == issue);
    CHECK(quality.score < 0.7);
    CHECK(judge(spoilt, {}).issues.empty());
    CHECK(judge(spoilt, {}).score == quality.score);
    CHECK(reason_of(issue, spoilt, standard_limits).size() > 20);
  }
  for (const auto a : every_issue) {
    for (const auto b : every_issue) CHECK((name_of(a) == name_of(b)) == (a == b));
  }
  FaceMeasures sideways = good;
  sideways.pose = {51, 0, 0};
  CHECK(reason_of(QualityIssue::turned, sideways, standard_limits) ==
        "the face looks 51 degrees to the side, expected 50 or less; look into the camera");
  sideways.pose = {0, -41, 0};
  CHECK(reason_of(QualityIssue::turned, sideways, standard_limits).starts_with("the face looks 41 degrees up"));
}

TEST_CASE("strict refuses whatever standard refuses") {
  CHECK(strict_limits.detection > standard_limits.detection);
  CHECK(strict_limits.size > standard_limits.size);
  CHECK(strict_limits.sharpness > standard_limits.sharpness);
  CHECK(strict_limits.p95 > standard_limits.p95);
  CHECK(strict_limits.p50 < standard_limits.p50);
  CHECK(strict_limits.contrast > standard_limits.contrast);
  CHECK(strict_limits.yaw < standard_limits.yaw);
  CHECK(strict_limits.pitch < standard_limits.pitch);
  CHECK(strict_limits.roll < standard_limits.roll);
  CHECK(strict_limits.outside < standard_limits.outside);
}

TEST_CASE("a real portrait passes, and spoilt in one way it misses just that") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const Cpu cpu(1);
  Detector detector(load_detector(open_mtcnn(*data / "mtcnn"), cpu), cpu);
  for (const char* name : {"phone_720x1080.jpg", "portrait_1638x2048.jpg", "portrait_1665x2048.jpg"}) {
    CAPTURE(name);
    const Image photo = read_image(*data / "photos" / name);
    const auto faces = detector.detect(photo, enrol_options);
    const auto central = central_face(faces, photo.width, photo.height);
    REQUIRE(central);
    const Face face = faces[*central];
    const auto issues = [&](const Image& image) { return judge(measure_face(image, face), standard_limits).issues; };
    const std::vector<QualityIssue> none, dark{QualityIssue::dark}, bright{QualityIssue::bright},
        pale{QualityIssue::low_contrast}, soft{QualityIssue::blurred};
    CHECK(issues(photo) == none);
    CHECK(judge(measure_face(photo, face), strict_limits).score > 0.5);
    CHECK(issues(changed(photo, [](double v) { return v * 0.8; })) == none);
    CHECK(std::ranges::count(issues(changed(photo, [](double v) { return v * 0.25; })), QualityIssue::dark) == 1);
    CHECK(std::ranges::count(issues(changed(photo, [](double v) { return 140 + v; })), QualityIssue::bright) == 1);
    CHECK(issues(changed(photo, [](double v) { return 100 + v * 0.1; })) == pale);
    CHECK(issues(blurred(photo, static_cast<int>(face.box.width() / 25))) == soft);
  }
}
