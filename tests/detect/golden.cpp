// The genuine MTCNN weights on real photos, against every box, score and landmark of the original detector.
#include <wajah/convert/open.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/image_io.hpp>

#include "check.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace json = boost::json;
using namespace wajah;

namespace {

json::value read_json(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return json::parse(std::string(std::istreambuf_iterator<char>(stream), {}));
}

Point point_of(const json::value& pair) { return {pair.at(0).to_number<double>(), pair.at(1).to_number<double>()}; }

Face face_of(const json::value& recorded) {
  const auto& box = recorded.at("box");
  Face face{{box.at(0).to_number<double>(), box.at(1).to_number<double>(), box.at(2).to_number<double>(),
             box.at(3).to_number<double>()},
            recorded.at("score").to_number<float>(),
            {}};
  for (std::size_t i = 0; i < face.points.size(); ++i) face.points[i] = point_of(recorded.at("landmarks").at(i));
  return face;
}

DetectorOptions options_of(const json::value& setting) {
  DetectorOptions options;
  options.min_size = setting.at("minsize").to_number<double>();
  options.factor = setting.at("factor").to_number<double>();
  for (std::size_t i = 0; i < 3; ++i) options.thresholds[i] = setting.at("thresholds").at(i).to_number<float>();
  return options;
}

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
  const json::value recorded = read_json(*data / "golden" / "mtcnn.json");
  Distance worst;
  for (const auto& [photo, facts] : recorded.as_object()) {
    const Image image = read_image(*data / "photos" / std::string(photo));
    CHECK(image.width == facts.at("width").as_int64());
    CHECK(image.height == facts.at("height").as_int64());
    for (const auto& [name, setting] : facts.at("settings").as_object()) {
      CAPTURE(std::string(photo));
      CAPTURE(std::string(name));
      const std::vector<Face> faces = detector.detect(image, options_of(setting));
      const json::array& expected = setting.at("faces").as_array();
      REQUIRE(faces.size() == expected.size());
      for (std::size_t i = 0; i < faces.size(); ++i) {
        const Distance d = distance(faces[i], face_of(expected[i]));
        CHECK(d.box < 0.001);
        CHECK(d.points < 0.001);
        CHECK(d.score < 1e-5);
        worst = {std::max(worst.box, d.box), std::max(worst.points, d.points), std::max(worst.score, d.score)};
      }
    }
  }
  MESSAGE("worst difference: box " << worst.box << " px, landmark " << worst.points << " px, score " << worst.score);
}
