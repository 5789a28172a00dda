// What the original detector found on the shared photos (golden/mtcnn.json).
#pragma once

#include <wajah/detect/detector.hpp>
#include <wajah/image_io.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace wajah::test {

namespace json = boost::json;

inline json::value read_json(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return json::parse(std::string(std::istreambuf_iterator<char>(stream), {}));
}

inline Point point_of(const json::value& pair) {
  return {pair.at(0).to_number<double>(), pair.at(1).to_number<double>()};
}

inline Face face_of(const json::value& recorded) {
  const auto& box = recorded.at("box");
  Face face{{box.at(0).to_number<double>(), box.at(1).to_number<double>(), box.at(2).to_number<double>(),
             box.at(3).to_number<double>()},
            recorded.at("score").to_number<float>(),
            {}};
  for (std::size_t i = 0; i < face.points.size(); ++i) face.points[i] = point_of(recorded.at("landmarks").at(i));
  return face;
}

inline DetectorOptions options_of(const json::value& setting) {
  DetectorOptions options;
  options.min_size = setting.at("minsize").to_number<double>();
  options.factor = setting.at("factor").to_number<double>();
  for (std::size_t i = 0; i < 3; ++i) options.thresholds[i] = setting.at("thresholds").at(i).to_number<float>();
  return options;
}

inline std::vector<Face> faces_of(const json::value& setting) {
  std::vector<Face> faces;
  for (const json::value& recorded : setting.at("faces").as_array()) faces.push_back(face_of(recorded));
  return faces;
}

// Calls test(picture, options, faces) with what was found in each photo by each of the recorded settings.
void for_each_recorded(const std::filesystem::path& data, auto&& test) {
  const json::value recorded = read_json(data / "golden" / "mtcnn.json");
  for (const auto& [photo, facts] : recorded.as_object()) {
    const Image image = read_image(data / "photos" / std::string(photo));
    CHECK(image.width == facts.at("width").as_int64());
    CHECK(image.height == facts.at("height").as_int64());
    for (const auto& [name, setting] : facts.at("settings").as_object()) {
      CAPTURE(std::string(photo));
      CAPTURE(std::string(name));
      test(image, options_of(setting), faces_of(setting));
    }
  }
}

}  // namespace wajah::test
