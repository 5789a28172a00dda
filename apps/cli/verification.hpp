// One face a photo, for photos that should show one person.
#pragma once

#include <wajah/image.hpp>
#include <wajah/recognizer.hpp>

#include <optional>
#include <span>
#include <vector>

namespace wajah::cli {

// The embedding of the face the photo is about (central_face), found and cut out as for enrolling; nothing if no face
// is found.
[[nodiscard]] std::optional<std::vector<float>> embed_central_face(Recognizer& recognizer, const Image& image);

[[nodiscard]] float cosine(std::span<const float> a, std::span<const float> b);  // of unit vectors

}  // namespace wajah::cli
