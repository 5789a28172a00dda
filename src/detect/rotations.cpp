#include <wajah/detect/rotations.hpp>

#include "../image/codecs.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace wajah {

namespace {

constexpr double smallest_share = 0.1;  // of the shorter side
constexpr float sure = 0.995F;          // of a face that makes turning needless
constexpr float least_score = 0.98F;    // of a face in a turned picture

Point turned_back(Point p, int turns, int width, int height) {
  switch (turns) {
    case 1: return {p.y, height - 1 - p.x};
    case 2: return {width - 1 - p.x, height - 1 - p.y};
    case 3: return {width - 1 - p.y, p.x};
    default: return p;
  }
}

std::vector<Face> search(Detector& detector, const Image& picture, const DetectorOptions& options) {
  auto faces = detector.detect(picture, options);
  std::erase_if(faces, [](const Face& face) { return face.score < least_score; });
  return faces;
}

}  // namespace

Image turned(const Image& image, int turns) {
  constexpr std::array<int, 4> orientations{1, 6, 3, 8};  // EXIF's numbers for the same turns
  return codec::upright(image, orientations[static_cast<std::size_t>(turns)]);
}

Face turned_back(const Face& face, int turns, int width, int height) {
  const Point a = turned_back(Point{face.box.x1, face.box.y1}, turns, width, height);
  const Point b = turned_back(Point{face.box.x2, face.box.y2}, turns, width, height);
  Face back = face;
  back.box = {std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.x, b.x), std::max(a.y, b.y)};
  for (Point& p : back.points) p = turned_back(p, turns, width, height);
  return back;
}

TurnedFaces detect_any_rotation(Detector& detector, const Image& image, const DetectorOptions& options) {
  TurnedFaces best{0, detector.detect(image, options)};
  if (!best.faces.empty() && best.faces.front().score >= sure) return best;
  DetectorOptions large = options;
  large.min_size = std::max(options.min_size, smallest_share * std::min(image.width, image.height));
  for (int turns = 1; turns <= 3; ++turns) {
    auto faces = search(detector, turned(image, turns), large);
    if (faces.empty()) continue;
    if (best.faces.empty() || faces.front().score > best.faces.front().score) best = {turns, std::move(faces)};
  }
  return best;
}

}  // namespace wajah
