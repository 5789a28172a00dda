#include <wajah/draw.hpp>

#include <algorithm>
#include <cmath>

namespace wajah {

namespace {

// Pixel numbers far outside the picture all mean "outside"; clamping keeps the conversion to int defined.
int pixel(double coordinate) { return static_cast<int>(std::lround(std::clamp(coordinate, -1e6, 1e6))); }

void fill(Image& image, int x1, int y1, int x2, int y2, Colour colour) {
  for (int y = std::max(y1, 0); y <= std::min(y2, image.height - 1); ++y) {
    for (int x = std::max(x1, 0); x <= std::min(x2, image.width - 1); ++x) {
      std::copy(colour.begin(), colour.end(), image.row(y) + x * 3);
    }
  }
}

}  // namespace

void draw_box(Image& image, const Box& box, Colour colour, int thickness) {
  const int x1 = pixel(box.x1), y1 = pixel(box.y1), x2 = pixel(box.x2), y2 = pixel(box.y2), inset = thickness - 1;
  fill(image, x1, y1, x2, y1 + inset, colour);
  fill(image, x1, y2 - inset, x2, y2, colour);
  fill(image, x1, y1, x1 + inset, y2, colour);
  fill(image, x2 - inset, y1, x2, y2, colour);
}

void draw_point(Image& image, Point centre, Colour colour, int radius) {
  const int cx = pixel(centre.x), cy = pixel(centre.y);
  for (int dy = -radius; dy <= radius; ++dy) {
    const int half = static_cast<int>(std::sqrt(radius * radius - dy * dy));
    fill(image, cx - half, cy + dy, cx + half, cy + dy, colour);
  }
}

void draw_faces(Image& image, std::span<const Face> faces) {
  const int width = std::max(1, std::min(image.width, image.height) / 360);
  for (const Face& face : faces) {
    draw_box(image, face.box, {0, 220, 60}, width + 1);
    for (const Point& point : face.points) draw_point(image, point, {255, 40, 40}, width);
  }
}

}  // namespace wajah
