// What an embedding network's weights say about it, and the words for the choices users have.
#include <wajah/embed/embedder.hpp>
#include <wajah/embed/prewhiten.hpp>
#include <wajah/error.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace wajah {
namespace {

constexpr std::array<std::pair<Mirror, std::string_view>, 3> mirror_names{
    {{Mirror::never, "never"}, {Mirror::enrol, "enrol"}, {Mirror::always, "always"}}};

// As 'wajah calibrate --part 1/2' fitted it to the public MobileFaceNet on 2,208 people of LFW, both views of every
// face (docs/accuracy.md).
constexpr DecisionCurve mobilefacenet_curve{-1.2295, 22.1837, 11.0919, -0.2534, 3.0307};

// For weights that nobody has calibrated: the same, but similarities must be 0.12 higher. A guess, meant to refuse
// rather than to let strangers in.
constexpr DecisionCurve cautious_curve{-3.8915, 22.1837, 11.0919, -0.2534, 3.0307};

// The defaults of each architecture, for files that carry no card of their own.
ModelCard default_card(std::string_view architecture) {
  if (architecture == "inception-resnet-v1") {
    return {std::string(architecture), {}, 160, 512, aligned_crop(160), cautious_curve, Mirror::enrol};
  }
  if (architecture == "mobilefacenet") {
    return {std::string(architecture), {}, 112, 128, aligned_crop(112), mobilefacenet_curve, Mirror::always};
  }
  fail(ErrorKind::model, "unknown architecture '{}': expected inception-resnet-v1 or mobilefacenet", architecture);
}

}  // namespace

ModelCard card_of(const Weights& weights) {
  const auto& metadata = weights.metadata();
  const auto architecture = metadata.find("architecture");
  if (architecture == metadata.end()) {
    fail(ErrorKind::model, "{}: no 'architecture' in its metadata; open it with open_embedder()", weights.source());
  }
  ModelCard card = default_card(architecture->second);
  if (const auto crop = metadata.find("crop"); crop != metadata.end()) card.crop = parse_crop(crop->second);
  if (const auto curve = metadata.find("decision_curve"); curve != metadata.end()) {
    card.curve = parse_decision_curve(curve->second);
  }
  if (const auto mirror = metadata.find("mirror"); mirror != metadata.end()) card.mirror = parse_mirror(mirror->second);
  if (card.crop.size != card.input) {
    fail(ErrorKind::model, "{}: its crop is {} pixels, {} takes {}", weights.source(), card.crop.size,
         card.architecture, card.input);
  }
  card.id = fmt::format("{}-{:016x}", card.architecture, fingerprint(weights));
  return card;
}

std::string_view name_of(Mirror mirror) {
  return std::ranges::find(mirror_names, mirror, [](const auto& entry) { return entry.first; })->second;
}

Mirror parse_mirror(std::string_view text) {
  const auto* found = std::ranges::find(mirror_names, text, [](const auto& entry) { return entry.second; });
  if (found != mirror_names.end()) return found->first;
  fail(ErrorKind::model, "mirror '{}': expected never, enrol or always", text);
}

Views views_of(Mirror mirror, CropUse use) {
  const bool both = mirror == Mirror::always || (mirror == Mirror::enrol && use == CropUse::enrol);
  return both ? Views::both : Views::photo;
}

std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::fp32: return "fp32";
    case Precision::fp32_direct: return "fp32-direct";
    case Precision::int8: return "int8";
    case Precision::fp16: return "fp16";
  }
  return "unknown";
}

void normalise(const ModelCard& card, const Image& crop, View<float> y) {
  if (card.architecture == "mobilefacenet") {
    standardise(crop, imagenet, y);
  } else {
    prewhiten(crop, y);
  }
}

}  // namespace wajah
