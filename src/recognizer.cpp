#include <wajah/convert/open.hpp>
#include <wajah/recognizer.hpp>

namespace wajah {

std::shared_ptr<const Models> load_models(const std::filesystem::path& mtcnn, const std::filesystem::path& embedder,
                                          const Cpu& cpu, Precision precision) {
  return std::make_shared<const Models>(
      Models{load_detector(open_mtcnn(mtcnn), cpu), load_embedder(open_embedder(embedder), cpu, precision)});
}

Recognizer::Recognizer(std::shared_ptr<const Models> models, const Cpu& cpu)
    : models_(std::move(models)), detector_(models_->detector, cpu), embedder_(models_->embedder, cpu) {}

std::vector<Face> Recognizer::detect(const Image& image, const DetectorOptions& options) {
  return detector_.detect(image, options);
}

TurnedFaces Recognizer::detect_any_rotation(const Image& image, const DetectorOptions& options) {
  return wajah::detect_any_rotation(detector_, image, options);
}

std::vector<float> Recognizer::embed(const Image& image, std::span<const Face> faces, const Crop& crop, CropUse use) {
  std::vector<Image> crops;
  crops.reserve(faces.size());
  for (const Face& face : faces) crops.push_back(make_crop(image, face, crop, use));
  return embedder_.embed(crops, views_of(card().mirror, use));
}

}  // namespace wajah
