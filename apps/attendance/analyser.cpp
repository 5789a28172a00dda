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

CropUse use_of(Purpose purpose) { return purpose == Purpose::enrol ? CropUse::enrol : CropUse::recognise; }

class RecognizerAnalyser final : public Analyser {
 public:
  RecognizerAnalyser(const std::shared_ptr<const Models>& models, const Cpu& cpu, const AnalyserOptions& options)
      : cpu_(cpu),
        detector_(models->detector, cpu),
        embedder_(models->embedder, cpu),
        options_(options),
        crop_(options.crop.value_or(models->card().crop)) {}

  [[nodiscard]] std::string model() const override { return model_id(embedder_.card(), crop_); }
  [[nodiscard]] std::size_t dimension() const override { return static_cast<std::size_t>(embedder_.card().dimension); }

  [[nodiscard]] Analysis analyse(Bytes picture, Purpose purpose) override {
    Sighting sighting = find(picture, purpose);
    embed(std::span(&sighting, 1));
    return std::move(sighting.analysis);
  }

  [[nodiscard]] Sighting find(Bytes picture, Purpose purpose) override {
    const auto sharing = cpu_.share();
    Sighting sighting{{}, purpose, {}};
    Analysis& analysis = sighting.analysis;
    const Image image =
        timed(analysis.times.decode, [&] { return decode(picture, options_.limits, options_.orientation); });
    if (options_.orientation == Orientation::applied)
      analysis.orientation = inspect(picture, options_.limits).orientation;
    analysis.width = image.width;
    analysis.height = image.height;
    auto found = timed(analysis.times.detect, [&] { return detect(image, purpose); });
    const Image other_way_up = found.turns == 0 ? Image() : turned(image, found.turns);
    const Image& upright = found.turns == 0 ? image : other_way_up;
    if (purpose == Purpose::enrol) analysis.rival = leave_one(found.faces, upright);
    for (const Face& face : found.faces) {
      sighting.crops.push_back(make_crop(upright, face, crop_, use_of(purpose)));
      analysis.faces.push_back(
          {turned_back(face, found.turns, image.width, image.height), {}, measure_face(upright, face)});
    }
    analysis.turns = found.turns;
    if (purpose == Purpose::enrol && options_.keep_pictures && !analysis.faces.empty()) {
      analysis.picture = encode_jpeg(image, options_.picture_quality);
    }
    return sighting;
  }

  void embed(std::span<Sighting> sightings) override {
    std::vector<Image> crops;
    for (Sighting& sighting : sightings) crops.insert(crops.end(), sighting.crops.begin(), sighting.crops.end());
    if (crops.empty()) return;
    const auto sharing = cpu_.share();
    const Views views = views_of(embedder_.card().mirror, use_of(sightings.front().purpose));
    double milliseconds = 0;
    const auto rows = timed(milliseconds, [&] { return embedder_.embed(crops, views); });
    const auto dimension = rows.size() / crops.size();
    // Stored once, it would make every later training fail.
    if (!std::ranges::all_of(rows, [](float value) { return std::isfinite(value); })) {
      fail(ErrorKind::device, "embedding: holds a value that is not finite; check the weights with wajah doctor");
    }
    auto rest = std::span<const float>(rows);
    for (Sighting& sighting : sightings) {
      sighting.analysis.times.embed = milliseconds;
      for (FaceEmbedding& face : sighting.analysis.faces) {
        face.embedding.assign(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(dimension));
        rest = rest.subspan(dimension);
      }
    }
  }

 private:
  TurnedFaces detect(const Image& image, Purpose purpose) {
    auto found = detect_any_rotation(detector_, image, purpose == Purpose::enrol ? options_.enrol : options_.recognise);
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

  Cpu cpu_;
  Detector detector_;
  Embedder embedder_;
  AnalyserOptions options_;
  Crop crop_;
};

}  // namespace

std::string model_id(const ModelCard& card, const Crop& crop) {
  const std::string text = to_string(crop) + (card.mirror == Mirror::never ? "" : " mirrored");
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
