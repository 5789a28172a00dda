#include "cli/verification.hpp"

#include <wajah/detect/rotations.hpp>

#include <numeric>
#include <utility>

namespace wajah::cli {

UprightFaces find_upright(Recognizer& recognizer, const Image& image, const DetectorOptions& options) {
  TurnedFaces found = recognizer.detect_any_rotation(image, options);
  return {found.turns == 0 ? Image() : turned(image, found.turns), found.turns, std::move(found.faces)};
}

std::optional<std::vector<float>> embed_central_face(Recognizer& recognizer, const Image& image) {
  const UprightFaces found = find_upright(recognizer, image, enrol_options);
  const Image& upright = found.of(image);
  const auto chosen = central_face(found.faces, upright.width, upright.height);
  if (!chosen) return std::nullopt;
  return recognizer.embed(upright, std::span(found.faces).subspan(*chosen, 1));
}

float cosine(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
}

}  // namespace wajah::cli
