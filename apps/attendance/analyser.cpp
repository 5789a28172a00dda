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

// Weights and crop together say what an embedding means.
std::string model_id(const ModelCard& card, const Crop& crop) {
  const std::string text = to_string(crop);
  std::array<std::byte, 16> digest{};
  hash({{std::as_bytes(std::span(text))}}, digest);
  return fmt::format("{}+{:02x}{:02x}{:02x}{:02x}", card.id, digest[0], digest[1], digest[2], digest[3]);
}

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
    StageTimes times;
    const Image image = timed(times.decode, [&] { return decode(picture, options_.limits); });
    const auto faces =
        timed(times.detect, [&] { return purpose == Purpose::enrol ? the_face(image) : best_faces(image); });
    auto embeddings = timed(times.embed, [&] { return embedded(image, faces, purpose); });
    Analysis analysis{image.width, image.height, std::move(embeddings), {}, times};
    if (purpose == Purpose::enrol && options_.keep_pictures && !faces.empty()) {
      analysis.picture = encode_jpeg(image, options_.picture_quality);
    }
    return analysis;
  }

 private:
  std::vector<Face> the_face(const Image& image) {
    const auto faces = recognizer_.detect(image, options_.enrol);
    const auto chosen = central_face(faces, image.width, image.height);
    return chosen ? std::vector{faces[*chosen]} : std::vector<Face>();
  }

  std::vector<Face> best_faces(const Image& image) {
    auto faces = recognizer_.detect(image, options_.recognise);
    faces.resize(std::min(faces.size(), options_.max_faces));
    return faces;
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
      embeddings.push_back({faces[i], {row.begin(), row.end()}});
    }
    return embeddings;
  }

  Recognizer recognizer_;
  AnalyserOptions options_;
  Crop crop_;
};

}  // namespace

std::vector<std::unique_ptr<Analyser>> make_analysers(const std::shared_ptr<const Models>& models, const Cpu& cpu,
                                                      std::size_t workers, const AnalyserOptions& options) {
  std::vector<std::unique_ptr<Analyser>> analysers;
  for (std::size_t i = 0; i < workers; ++i) {
    analysers.push_back(std::make_unique<RecognizerAnalyser>(models, cpu, options));
  }
  return analysers;
}

}  // namespace wajah::attendance
