#include "people.hpp"
#include "templates.hpp"

#include <wajah/classifier.hpp>
#include <wajah/error.hpp>
#include <wajah/svm/growing_svm.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

namespace wajah {
namespace {

// People whose similarity is within this of the nearest one's are those between whom the machines choose: whoever
// resembles clearly less than another cannot be the answer.
constexpr float clearly_less = 0.02F;
constexpr std::size_t most_rivals = 16;

// The photos of each person in the order in which they came.
std::vector<NewPerson> grouped(std::span<const Sample> samples, std::size_t dimensions) {
  std::map<std::int64_t, std::vector<float>> rows;
  for (const Sample& sample : samples) {
    auto& of_person = rows[sample.label];
    of_person.insert(of_person.end(), sample.embedding.begin(), sample.embedding.end());
  }
  std::vector<NewPerson> people;
  for (const auto& [label, of_person] : rows) {
    people.push_back({{label, std::make_shared<const svm::PackedRows>(of_person, dimensions)},
                      make_template(of_person, dimensions)});
  }
  return people;
}

// Throws unless the samples are of `dimensions` finite numbers, or for 0 of one length, which is the result.
std::size_t checked(std::span<const Sample> samples, std::size_t dimensions) {
  for (const Sample& sample : samples) {
    if (sample.label < 0) fail(ErrorKind::input, "label {} of a sample: expected 0 or more", sample.label);
    if (dimensions == 0) dimensions = sample.embedding.size();
    if (sample.embedding.empty() || sample.embedding.size() != dimensions) {
      fail(ErrorKind::input, "an embedding of {} numbers among embeddings of {}: all must come from one model",
           sample.embedding.size(), dimensions);
    }
    if (!std::all_of(sample.embedding.begin(), sample.embedding.end(), [](float v) { return std::isfinite(v); })) {
      fail(ErrorKind::input, "an embedding of label {} has a number that is not finite", sample.label);
    }
  }
  return dimensions;
}

svm::SvmOptions machine_options(const ClassifierOptions& options) {
  svm::SvmOptions machine;
  machine.c = options.c;
  machine.probability = options.closed_set;
  machine.threads = options.threads;
  return machine;
}

class TrainedClassifier final : public Classifier {
 public:
  explicit TrainedClassifier(const ClassifierOptions& options)
      : options_(options), machine_(machine_options(options)) {}

  std::shared_ptr<const Classifier> with(const GalleryChange& change) const override {
    auto next = std::make_shared<TrainedClassifier>(*this);
    next->change(change);
    return next;
  }

  Prediction predict(std::span<const float> embedding) const override {
    if (people_.size() == 0) return {};
    check(embedding);
    const std::vector<float> all = people_.similarities(one_, embedding);
    if (options_.closed_set) return closed(embedding, all);
    Prediction result = judge(choose(embedding, all), all, people());
    result.confidence = std::min(result.confidence, rather_than_next(result.margin));
    return result;
  }

  Prediction verify(std::int64_t label, std::span<const float> embedding) const override {
    const std::size_t person = people_.find(label);
    if (person == people_.size()) return {};
    check(embedding);
    return judge(person, people_.similarities(one_, embedding), 1);  // one name gives a stranger one chance
  }

  std::size_t people() const override { return people_.size(); }

 private:
  void change(const GalleryChange& change) {
    const People without = people_.changed({}, labels_of(change));
    const std::size_t dimensions = checked(change.samples, without.size() == 0 ? 0 : dimensions_);
    std::vector<NewPerson> put = grouped(change.samples, dimensions);
    if (options_.closed_set) {
      std::vector<svm::SharedClass> classes;
      for (const NewPerson& one : put) classes.push_back({one.person.label, one.person.photos});
      machine_ = machine_.changed(std::move(classes), change.gone);
    }
    people_ = without.changed(std::move(put), {});
    dimensions_ = dimensions;
  }

  // Everybody whom the change is about.
  static std::vector<std::int64_t> labels_of(const GalleryChange& change) {
    std::vector<std::int64_t> labels(change.gone.begin(), change.gone.end());
    for (const Sample& sample : change.samples) labels.push_back(sample.label);
    return labels;
  }

  void check(std::span<const float> embedding) const {
    if (embedding.size() != dimensions_) {
      fail(ErrorKind::input, "an embedding of {} numbers, the classifier was trained on {}", embedding.size(),
           dimensions_);
    }
  }

  [[nodiscard]] std::size_t choose(std::span<const float> x, std::span<const float> all) const {
    const auto nearest = static_cast<std::size_t>(std::ranges::max_element(all) - all.begin());
    std::vector<std::size_t> rivals;
    for (std::size_t person = 0; person < all.size(); ++person) {
      if (all[person] >= all[nearest] - clearly_less) rivals.push_back(person);
    }
    if (rivals.size() == 1) return nearest;
    std::ranges::stable_sort(rivals, [&](std::size_t a, std::size_t b) { return all[a] > all[b]; });
    rivals.resize(std::min(rivals.size(), most_rivals));
    return vote(x, rivals);
  }

  // The one of the rivals, given in order of resemblance, whom most machines prefer; of equals the first.
  [[nodiscard]] std::size_t vote(std::span<const float> x, std::span<const std::size_t> rivals) const {
    const svm::Kernel linear{};
    std::vector<svm::ClassRows> rows;
    std::vector<std::vector<float>> products(rivals.size());
    for (std::size_t r = 0; r < rivals.size(); ++r) {
      const PersonPhotos& person = people_[rivals[r]];
      rows.push_back({person.photos->view(), {}});
      products[r].resize(person.photos->rows());
      gram(one_, linear, rows.back().x, svm::rows_of(x, dimensions_), products[r].data(), 1);
    }
    std::vector<svm::PairMembers> members;
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::size_t j = i + 1; j < rows.size(); ++j) members.push_back({&rows[i], &rows[j]});
    svm::PairOptions pair_options;
    pair_options.solver.c = options_.c;
    pair_options.cpu = one_;
    const auto pairs = svm::train_pairs(linear, members, pair_options, 1);
    std::vector<int> votes(rivals.size());
    std::size_t p = 0;
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::size_t j = i + 1; j < rows.size(); ++j, ++p) {
        const double f = dot(pairs[p].first, products[i]) + dot(pairs[p].second, products[j]) - pairs[p].rho;
        ++votes[f > 0 ? i : j];
      }
    return rivals[static_cast<std::size_t>(std::ranges::max_element(votes) - votes.begin())];
  }

  static double dot(std::span<const double> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * static_cast<double>(b[i]);
    return sum;
  }

  [[nodiscard]] Prediction judge(std::size_t person, std::span<const float> all, std::size_t chances) const {
    const double similarity = static_cast<double>(all[person]), margin = margin_of(all, person);
    const double confidence = options_.curve(similarity, margin, people_[person].photos->rows(), chances);
    return {people_[person].label, confidence, similarity, margin};
  }

  // Of the chosen person and the next one, were they the only two: the curve's odds of the one over those of the other,
  // whose similarity is lower by the margin and who has it against them. People who look alike are hardly in the
  // photos that a curve is fitted on, so by itself it would believe in one of twins.
  [[nodiscard]] double rather_than_next(double margin) const {
    return 1 / (1 + std::exp(-(options_.curve.similarity + 2 * options_.curve.margin) * margin));
  }

  // The original's rule: the largest Platt probability, whoever it is.
  [[nodiscard]] Prediction closed(std::span<const float> x, std::span<const float> all) const {
    const std::vector<double> probabilities = machine_.probabilities(x);
    const auto best = static_cast<std::size_t>(std::ranges::max_element(probabilities) - probabilities.begin());
    Prediction result = judge(best, all, people());
    if (people() > 1) result.confidence = probabilities[best];
    return result;
  }

  ClassifierOptions options_;
  Cpu one_{1};
  std::size_t dimensions_ = 0;
  People people_;
  svm::GrowingSvm machine_;  // of the closed set
};

}  // namespace

std::shared_ptr<const Classifier> train_classifier(std::span<const Sample> samples, const ClassifierOptions& options) {
  return TrainedClassifier(options).with({samples, {}});
}

}  // namespace wajah
