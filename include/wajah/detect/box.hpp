// Box, Point, Face: what a detector finds, in pixels of the upright picture.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

namespace wajah {

struct Point {
  double x = 0, y = 0;

  friend bool operator==(const Point&, const Point&) = default;
};

// Corners; x2 and y2 are the last pixel's own coordinates, as MTCNN counts (a box of one pixel has x1 == x2), except in
// the boxes a detector returns, which are regressed and real-valued. Corners may lie outside the picture.
struct Box {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;

  [[nodiscard]] double width() const { return x2 - x1; }
  [[nodiscard]] double height() const { return y2 - y1; }
  [[nodiscard]] Point centre() const { return {(x1 + x2) / 2, (y1 + y2) / 2}; }

  friend bool operator==(const Box&, const Box&) = default;
};

using Landmarks =
    std::array<Point, 5>;  // left eye, right eye, nose, left and right mouth corner, as seen in the picture

struct Face {
  Box box;
  float score = 0;  // probability of the last network, 0 to 1
  Landmarks points{};
};

// Overlap of two real-valued boxes: intersection over union, 0 to 1.
[[nodiscard]] double intersection_over_union(const Box& a, const Box& b);

// Index of the face meant when a photo should show one person: the greatest area - 2 * (distance to the picture's
// centre)^2, as davidsandberg/facenet's align_dataset_mtcnn chooses. Nothing for no faces.
[[nodiscard]] std::optional<std::size_t> central_face(std::span<const Face> faces, int width, int height);

// How much a face catches the eye: its area, halved at 0.29 of the picture's shorter side from the centre. Two people
// side by side are equally prominent; a passer-by at the edge is not, however near to the camera.
[[nodiscard]] double prominence(const Face& face, int width, int height);

}  // namespace wajah
