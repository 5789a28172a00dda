#include "attendance/analyser.hpp"

#include "attendance/digest.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <span>
#include <string>
#include <utility>

namespace wajah::attendance {
namespace {

template <class Work>
auto timed(double& milliseconds, Work work) {
  const auto begun = std::chrono::steady_clock::now();
  auto result = work();
  milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
  return result;
}

class RecognizerAnalyser final : public Analyser {
 public:
  RecognizerAnalyser(const std::shared_ptr<const Models>& models, const Cpu& cpu, const AnalyserOptions& options)
      : recognizer_(models, cpu), options_(options), crop_(options.crop.value_or(models->card().crop)) {}

  [[nodiscard]] std::string model() const override { return model_id(recognizer_.card(), crop_); }

  [[nodiscard]] Analysis analyse(Bytes picture, Purpose purpose) override {
    Analysis analysis;
    const Image image = timed(analysis.times.decode, [&] { return decode(picture, options_.limits); });
    analysis.width = image.width;
    analysis.height = image.height;
    auto found = timed(analysis.times.detect, [&] { return detect(image, purpose); });
    const Image other_way_up = found.turns == 0 ? Image() : turned(image, found.turns);
    const Image& upright = found.turns == 0 ? image : other_way_up;
    if (purpose == Purpose::enrol) analysis.rival = leave_one(found.faces, upright);
    analysis.faces = timed(analysis.times.embed, [&] { return embedded(upright, found.faces, purpose); });
    for (FaceEmbedding& face : analysis.faces) {
      face.measures = measure_face(upright, face.face);
      face.face = turned_back(face.face, found.turns, image.width, image.height);
    }
    analysis.turns = found.turns;
    if (purpose == Purpose::enrol && options_.keep_pictures && !analysis.faces.empty()) {
      analysis.picture = encode_jpeg(image, options_.picture_quality);
    }
    return analysis;
  }

 private:
  TurnedFaces detect(const Image& image, Purpose purpose) {
    auto found =
        recognizer_.detect_any_rotation(image, purpose == Purpose::enrol ? options_.enrol : options_.recognise);
    if (purpose == Purpose::recognise) found.faces.resize(std::min(found.faces.size(), options_.max_faces));
    return found;
  }

  // Leaves the face the photo is about, and says how prominent the next one is beside it. Doubtful finds, which the
  // settings for enrolling let through, are nobody's rival.
  static double leave_one(std::vector<Face>& faces, const Image& image) {
    constexpr float sure = 0.9F;
    const auto chosen = central_face(faces, image.width, image.height);
    if (!chosen) return 0;
    double next = 0;
    for (std::size_t i = 0; i < faces.size(); ++i) {
      if (i == *chosen || faces[i].score < sure) continue;
      next = std::max(next, prominence(faces[i], image.width, image.height));
    }
    faces = {faces[*chosen]};
    return next / prominence(faces.front(), image.width, image.height);
  }

  std::vector<FaceEmbedding> embedded(const Image& image, std::span<const Face> faces, Purpose purpose) {
    if (faces.empty()) return {};
    const auto use = purpose == Purpose::enrol ? CropUse::enrol : CropUse::recognise;
    const auto rows = recognizer_.embed(image, faces, crop_, use);
    const auto dimension = rows.size() / faces.size();
    std::vector<FaceEmbedding> embeddings;
    for (std::size_t i = 0; i < faces.size(); ++i) {
      const auto row = std::span(rows).subspan(i * dimension, dimension);
      // Stored once, it would make every later training fail.
      if (!std::ranges::all_of(row, [](float value) { return std::isfinite(value); })) {
        fail(ErrorKind::device, "embedding: holds a value that is not finite; check the weights with wajah doctor");
      }
      embeddings.push_back({faces[i], {row.begin(), row.end()}, {}});
    }
    return embeddings;
  }

  Recognizer recognizer_;
  AnalyserOptions options_;
  Crop crop_;
};

}  // namespace

std::string model_id(const ModelCard& card, const Crop& crop) {
  const std::string text = to_string(crop);
  std::array<std::byte, 16> digest{};
  hash({{std::as_bytes(std::span(text))}}, digest);
  return fmt::format("{}+{:02x}{:02x}{:02x}{:02x}", card.id, digest[0], digest[1], digest[2], digest[3]);
}

std::vector<std::unique_ptr<Analyser>> make_analysers(const std::shared_ptr<const Models>& models, const Cpu& cpu,
                                                      std::size_t workers, const AnalyserOptions& options) {
  std::vector<std::unique_ptr<Analyser>> analysers;
  for (std::size_t i = 0; i < workers; ++i) {
    analysers.push_back(std::make_unique<RecognizerAnalyser>(models, cpu, options));
  }
  return analysers;
}

}  // namespace wajah::attendance
