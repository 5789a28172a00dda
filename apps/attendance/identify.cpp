#include "attendance/identify.hpp"

#include <numeric>

namespace wajah::attendance {

std::string_view name_of(Finding finding) {
  switch (finding) {
    case Finding::known: return "known";
    case Finding::unknown: return "unknown";
    case Finding::ambiguous: return "ambiguous";
  }
  return "unknown";
}

Identity identify(const Gallery& gallery, std::span<const float> embedding, const ServiceOptions& rules) {
  const Prediction prediction = gallery.classifier->predict(embedding);
  Identity result{Finding::unknown, std::nullopt, prediction.similarity, prediction.confidence, prediction.margin};
  const Person* person = gallery.find(prediction.label);
  if (!person) return result;
  const auto alone = rules.classifier.curve(prediction.similarity, prediction.similarity);
  if (prediction.confidence >= rules.accept) {
    result.finding = Finding::known;
  } else if (alone >= rules.accept && prediction.margin < least_margin) {
    result.finding = Finding::ambiguous;
  }
  if (result.finding != Finding::unknown) result.person = *person;
  return result;
}

Claim verify_claim(const Gallery& gallery, PersonId person, std::span<const float> embedding,
                   const ServiceOptions& rules) {
  if (!gallery.find(person)) return {};
  const Prediction prediction = gallery.classifier->verify(person, embedding);
  const bool accepted = prediction.label == person && prediction.confidence >= rules.accept;
  return {accepted, prediction.similarity, prediction.confidence};
}

Claim compare(std::span<const float> a, std::span<const float> b, const ServiceOptions& rules) {
  const double similarity = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  const double confidence = rules.classifier.curve(similarity, similarity);
  return {confidence >= rules.accept, similarity, confidence};
}

}  // namespace wajah::attendance
