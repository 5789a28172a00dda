// One face a photo, for photos that should show one person.
#pragma once

#include <wajah/image.hpp>
#include <wajah/recognizer.hpp>

#include <optional>
#include <span>
#include <vector>

namespace wajah::cli {

// Faces of a picture in whichever rotation shows them (detect/rotations.hpp), and the picture so turned.
struct UprightFaces {
  Image turned;  // empty where the picture stands upright already
  int turns = 0;
  std::vector<Face> faces;  // in pixels of of(image)

  [[nodiscard]] const Image& of(const Image& image) const { return turns == 0 ? image : turned; }
};
[[nodiscard]] UprightFaces find_upright(Recognizer& recognizer, const Image& image, const DetectorOptions& options);

// The embedding of the face the photo is about (central_face), found and cut out as for enrolling; nothing if no face
// is found.
[[nodiscard]] std::optional<std::vector<float>> embed_central_face(Recognizer& recognizer, const Image& image);

[[nodiscard]] float cosine(std::span<const float> a, std::span<const float> b);  // of unit vectors

}  // namespace wajah::cli
