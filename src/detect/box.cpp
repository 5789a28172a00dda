#include <wajah/detect/box.hpp>

#include <algorithm>
#include <cmath>

namespace wajah {

double intersection_over_union(const Box& a, const Box& b) {
  const double width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  const double height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  const double common = width * height;
  return common / (a.width() * a.height() + b.width() * b.height() - common);
}

std::optional<std::size_t> central_face(std::span<const Face> faces, int width, int height) {
  std::optional<std::size_t> best;
  double best_merit = 0;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const Box& box = faces[i].box;
    const Point centre = box.centre();
    const double dx = centre.x - width / 2.0, dy = centre.y - height / 2.0;
    const double merit = box.width() * box.height() - 2 * (dx * dx + dy * dy);
    if (!best || merit > best_merit) {
      best = i;
      best_merit = merit;
    }
  }
  return best;
}

double prominence(const Face& face, int width, int height) {
  const Point centre = face.box.centre();
  const double side = std::min(width, height), dx = (centre.x - width / 2.0) / side,
               dy = (centre.y - height / 2.0) / side;
  return face.box.width() * face.box.height() * std::exp(-8 * (dx * dx + dy * dy));
}

}  // namespace wajah
