#include "cli/verification.hpp"

#include <numeric>

namespace wajah::cli {

std::optional<std::vector<float>> embed_central_face(Recognizer& recognizer, const Image& image) {
  const std::vector<Face> faces = recognizer.detect(image, enrol_options);
  const auto chosen = central_face(faces, image.width, image.height);
  if (!chosen) return std::nullopt;
  return recognizer.embed(image, std::span(faces).subspan(*chosen, 1));
}

float cosine(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
}

}  // namespace wajah::cli
