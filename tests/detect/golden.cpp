// The genuine MTCNN weights on real photos, against every box, score and landmark of the original detector.
#include <wajah/convert/open.hpp>
#include <wajah/detect/detector.hpp>

#include "check.hpp"
#include "detect/recorded.hpp"

#include <algorithm>
#include <vector>

using namespace wajah;
using namespace wajah::test;

namespace {

struct Distance {
  double box = 0, points = 0, score = 0;
};

Distance distance(const Face& a, const Face& b) {
  Distance d{0, 0, std::abs(static_cast<double>(a.score) - static_cast<double>(b.score))};
  d.box = std::max({std::abs(a.box.x1 - b.box.x1), std::abs(a.box.y1 - b.box.y1), std::abs(a.box.x2 - b.box.x2),
                    std::abs(a.box.y2 - b.box.y2)});
  for (std::size_t i = 0; i < a.points.size(); ++i) {
    d.points = std::max({d.points, std::abs(a.points[i].x - b.points[i].x), std::abs(a.points[i].y - b.points[i].y)});
  }
  return d;
}

}  // namespace

TEST_CASE("the genuine weights find the original detector's faces in every photo and setting") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data beside the source tree");
    return;
  }
  const Cpu cpu(2);
  Detector detector(load_detector(open_mtcnn(*data / "mtcnn"), cpu), cpu);
  Distance worst;
  for_each_recorded(*data, [&](const Image& image, const DetectorOptions& options, const std::vector<Face>& expected) {
    const std::vector<Face> faces = detector.detect(image, options);
    REQUIRE(faces.size() == expected.size());
    for (std::size_t i = 0; i < faces.size(); ++i) {
      const Distance d = distance(faces[i], expected[i]);
      CHECK(d.box < 0.001);
      CHECK(d.points < 0.001);
      CHECK(d.score < 1e-5);
      worst = {std::max(worst.box, d.box), std::max(worst.points, d.points), std::max(worst.score, d.score)};
    }
  });
  MESSAGE("worst difference: box " << worst.box << " px, landmark " << worst.points << " px, score " << worst.score);
}
