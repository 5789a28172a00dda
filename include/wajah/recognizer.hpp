// Recognizer: detector + embedder in one object, from a picture to faces and embeddings; with a Classifier, to people.
#pragma once

#include <wajah/classifier.hpp>
#include <wajah/cpu.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/detect/rotations.hpp>
#include <wajah/embed/embedder.hpp>
#include <wajah/image.hpp>

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace wajah {

// Both networks loaded for one device; shared by all threads.
struct Models {
  std::shared_ptr<const DetectorModel> detector;
  std::shared_ptr<const EmbedderModel> embedder;

  [[nodiscard]] const ModelCard& card() const { return card_of(*embedder); }
};

// Opens and loads both (formats: see convert/open.hpp), the embedder to compute in `precision`. Throws Error (model)
// naming file and tensor.
[[nodiscard]] std::shared_ptr<const Models> load_models(const std::filesystem::path& mtcnn,
                                                        const std::filesystem::path& embedder, const Cpu& cpu,
                                                        Precision precision = Precision::fp32);

// One thread's pipeline. Copying the models pointer is cheap; a Recognizer keeps its scratch memory between calls.
class Recognizer {
 public:
  Recognizer(std::shared_ptr<const Models> models, const Cpu& cpu);

  [[nodiscard]] const ModelCard& card() const { return embedder_.card(); }

  // Faces of an upright picture, best first. Throws Error (input) on options out of range.
  [[nodiscard]] std::vector<Face> detect(const Image& image, const DetectorOptions& options);

  // The same in whichever rotation shows faces (detect/rotations.hpp); they are in pixels of turned(image, turns).
  [[nodiscard]] TurnedFaces detect_any_rotation(const Image& image, const DetectorOptions& options);

  // Embeddings of the given faces, row by row: faces.size() x card().dimension floats of unit length. `crop` is the
  // card's unless the caller wants another profile; the views of each face are those card().mirror says for `use`.
  [[nodiscard]] std::vector<float> embed(const Image& image, std::span<const Face> faces, const Crop& crop,
                                         CropUse use = CropUse::recognise);
  [[nodiscard]] std::vector<float> embed(const Image& image, std::span<const Face> faces) {
    return embed(image, faces, card().crop);
  }

 private:
  std::shared_ptr<const Models> models_;
  Detector detector_;
  Embedder embedder_;
};

}  // namespace wajah
