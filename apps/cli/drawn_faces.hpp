// A picture that needs no file: two faces as a child draws them, which MTCNN takes for faces.
#pragma once

#include <wajah/detect/box.hpp>
#include <wajah/image.hpp>

#include <array>

namespace wajah::cli {

struct DrawnFaces {
  Image image;
  std::array<Face, 2> faces;  // where they were drawn
};

[[nodiscard]] DrawnFaces draw_two_faces();

}  // namespace wajah::cli
