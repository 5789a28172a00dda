// Classifier: whose face is this embedding, and can it be believed?
//
// Among people who resemble the face about equally, support-vector machines choose: one for every two of them, trained
// on their photos when the question comes (Zhang, Berg, Maire, Malik, "SVM-KNN", CVPR 2006), which takes less time than
// looking at all people does. So nothing needs to be trained when people come and go. The choice names somebody for
// every stranger, and acceptance is a separate question: the similarity to the chosen person's own photos, the margin
// to the next person, and how many photos and people there are, turned into a probability by a curve fitted for the
// embedder (decision_curve.hpp), and never surer than that it is this person rather than the next.
#pragma once

#include <wajah/decision_curve.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace wajah {

// One photo's embedding (unit length) and whose it is. Labels are the caller's; any non-negative numbers.
struct Sample {
  std::int64_t label = 0;
  std::span<const float> embedding;
};

struct ClassifierOptions {
  DecisionCurve curve{};
  bool closed_set = false;  // the original's rule: confidence is the SVM's Platt probability, nobody is a stranger
  double c = 1.0;           // C of the support-vector machine
  int threads = 1;
};

// label -1: nobody is enrolled. similarity: cosine to the direction that all photos of the chosen person give together,
// in which a photo that does not fit the others counts for little; margin: how much the best other person's is lower
// (the similarity itself if there is none; negative if another person resembles more than the one the machine chose).
struct Prediction {
  std::int64_t label = -1;
  double confidence = 0, similarity = 0, margin = 0;
};

// What happened to a gallery. `samples` are ALL samples of everybody who is new or has other photos than before, any
// order; `gone` are the labels of those who left.
struct GalleryChange {
  std::span<const Sample> samples;
  std::span<const std::int64_t> gone;
};

// Immutable once trained, so any number of threads may ask it while the next one is being made.
class Classifier {
 public:
  virtual ~Classifier() = default;

  // The classifier after a change, equal in every answer to one trained on all samples from the start, and sharing with
  // this one what did not change; `*this` stays as it is, also if it throws. Null: this kind of classifier cannot,
  // train a new one. Throws as train_classifier() does.
  [[nodiscard]] virtual std::shared_ptr<const Classifier> with(const GalleryChange& /*change*/) const { return {}; }

  // Whose face `embedding` is; its length must be that of the samples. Throws Error (input) otherwise.
  [[nodiscard]] virtual Prediction predict(std::span<const float> embedding) const = 0;

  // How well `embedding` fits the claimed person alone (1:1): similarity and confidence, the latter as if nobody
  // else were enrolled; label -1 if not enrolled.
  [[nodiscard]] virtual Prediction verify(std::int64_t label, std::span<const float> embedding) const = 0;

  [[nodiscard]] virtual std::size_t people() const = 0;
};

// Trains on all samples (copied), whose order between people does not matter. No sample: predict() answers label -1.
// One person: no SVM, the curve alone decides. Throws Error (input) if lengths differ or a value is not finite.
[[nodiscard]] std::shared_ptr<const Classifier> train_classifier(std::span<const Sample> samples,
                                                                 const ClassifierOptions& options);

}  // namespace wajah
