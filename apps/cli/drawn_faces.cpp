#include "cli/drawn_faces.hpp"

#include <wajah/draw.hpp>

#include <cstdint>

namespace wajah::cli {
namespace {

constexpr Colour skin{224, 182, 154}, shade{190, 144, 120}, dark{46, 34, 30}, white{240, 238, 235}, lips{168, 84, 84};

// A background without edges, so that whatever is found is a face.
Image backdrop(int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    std::uint8_t* row = image.row(y);
    for (int x = 0; x < width; ++x) {
      row[3 * x] = static_cast<std::uint8_t>(90 + 60 * y / height);
      row[3 * x + 1] = static_cast<std::uint8_t>(110 + 40 * x / width);
      row[3 * x + 2] = 140;
    }
  }
  return image;
}

// `unit` is a twentieth of the head's width.
Face draw_face(Image& image, Point c, int unit) {
  const auto at = [&](int x, int y) { return Point{c.x + x * unit, c.y + y * unit}; };
  for (int y = -9; y <= -3; ++y) draw_point(image, at(0, y), dark, 11 * unit);
  for (int y = -4; y <= 5; ++y) draw_point(image, at(0, y), skin, 9 * unit);
  for (int y = 5; y <= 7; ++y) draw_point(image, at(0, y), skin, 7 * unit);
  for (const int side : {-1, 1}) {
    for (int x = 2; x <= 6; ++x) draw_point(image, at(side * x, -5), dark, unit * 2 / 3);
    for (int x = 3; x <= 5; ++x) draw_point(image, at(side * x, -2), white, unit * 5 / 4);
    draw_point(image, at(side * 4, -2), dark, unit * 5 / 4);
  }
  for (int y = -2; y <= 3; ++y) draw_point(image, at(-1, y), shade, unit / 2);
  for (int x = -2; x <= 2; ++x) draw_point(image, at(x, 3), shade, unit / 2);
  for (int x = -4; x <= 4; ++x) draw_point(image, at(x, 7), lips, unit);
  Face face;
  face.box = {at(-9, -11).x, at(-9, -11).y, at(9, 13).x, at(9, 13).y};
  face.score = 1;
  face.points = {at(-4, -2), at(4, -2), at(0, 3), at(-4, 7), at(4, 7)};
  return face;
}

}  // namespace

DrawnFaces draw_two_faces() {
  DrawnFaces drawn{backdrop(400, 240), {}};
  drawn.faces = {draw_face(drawn.image, {120, 120}, 6), draw_face(drawn.image, {290, 125}, 4)};
  return drawn;
}

}  // namespace wajah::cli
