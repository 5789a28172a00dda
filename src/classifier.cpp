#include "templates.hpp"

#include <wajah/classifier.hpp>
#include <wajah/error.hpp>
#include <wajah/svm/one_vs_rest.hpp>
#include <wajah/svm/svm.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

namespace wajah {
namespace {

// From this many people on pairs cost more than they give: k (k - 1) / 2 machines against k.
constexpr std::size_t most_people_for_pairs = 50;

// By so much another person must resemble more than the one the machine chose to be taken instead.
constexpr double clearly_more = 0.02;

// The photos of all people, grouped by person in order of first appearance.
class Gallery {
 public:
  explicit Gallery(std::span<const Sample> samples) {
    std::vector<std::vector<const Sample*>> groups;
    for (const Sample& sample : samples) {
      check(sample);
      const auto [found, added] = index_.try_emplace(sample.label, static_cast<int>(labels_.size()));
      if (added) {
        labels_.push_back(sample.label);
        groups.emplace_back();
      }
      groups[static_cast<std::size_t>(found->second)].push_back(&sample);
    }
    first_.push_back(0);
    for (std::size_t person = 0; person < groups.size(); ++person) {
      for (const Sample* sample : groups[person]) {
        rows_.insert(rows_.end(), sample->embedding.begin(), sample->embedding.end());
        people_.push_back(static_cast<int>(person));
      }
      first_.push_back(people_.size());
    }
  }

  [[nodiscard]] std::size_t people() const { return labels_.size(); }
  [[nodiscard]] std::size_t dimensions() const { return dimensions_; }
  [[nodiscard]] std::span<const float> rows() const { return rows_; }
  [[nodiscard]] std::span<const int> people_of_rows() const { return people_; }
  [[nodiscard]] std::int64_t label(std::size_t person) const { return labels_[person]; }
  [[nodiscard]] std::optional<std::size_t> find(std::int64_t label) const {
    const auto found = index_.find(label);
    if (found == index_.end()) return std::nullopt;
    return static_cast<std::size_t>(found->second);
  }

  [[nodiscard]] std::size_t photos(std::size_t person) const { return first_[person + 1] - first_[person]; }
  [[nodiscard]] std::span<const float> rows_of(std::size_t person) const {
    return std::span(rows_).subspan(first_[person] * dimensions_, photos(person) * dimensions_);
  }

 private:
  void check(const Sample& sample) {
    if (sample.label < 0) fail(ErrorKind::input, "label {} of a sample: expected 0 or more", sample.label);
    if (dimensions_ == 0) dimensions_ = sample.embedding.size();
    if (sample.embedding.empty() || sample.embedding.size() != dimensions_) {
      fail(ErrorKind::input, "an embedding of {} numbers among embeddings of {}: all must come from one model",
           sample.embedding.size(), dimensions_);
    }
    if (!std::all_of(sample.embedding.begin(), sample.embedding.end(), [](float v) { return std::isfinite(v); })) {
      fail(ErrorKind::input, "an embedding of label {} has a number that is not finite", sample.label);
    }
  }

  std::size_t dimensions_ = 0;
  std::vector<std::int64_t> labels_;                // a person's index to its label
  std::unordered_map<std::int64_t, int> index_;     // and back
  std::vector<std::size_t> first_;                  // people + 1: where a person's rows begin
  std::vector<float> rows_;                         // (rows, dimensions)
  std::vector<int> people_;                         // (rows)
};

class TrainedClassifier final : public Classifier {
 public:
  TrainedClassifier(std::span<const Sample> samples, const ClassifierOptions& options)
      : gallery_(samples), options_(options) {
    for (std::size_t person = 0; person < gallery_.people(); ++person) {
      const std::vector<float> one = make_template(gallery_.rows_of(person), gallery_.dimensions());
      templates_.insert(templates_.end(), one.begin(), one.end());
    }
    if (gallery_.people() < 2) return;
    const svm::Problem problem(svm::rows_of(gallery_.rows(), gallery_.dimensions()), gallery_.people_of_rows());
    if (options.closed_set || gallery_.people() <= most_people_for_pairs) {
      svm::SvmOptions pairs;
      pairs.c = options.c;
      pairs.probability = options.closed_set;
      pairs.threads = options.threads;
      pairs_ = svm::Svm::train(problem, pairs);
    } else {
      svm::OneVsRestOptions rest;
      rest.c = options.c;
      rest.threads = options.threads;
      rest_ = svm::OneVsRest::train(problem, rest);
    }
  }

  Prediction predict(std::span<const float> embedding) const override {
    if (gallery_.people() == 0) return {};
    check(embedding);
    if (options_.closed_set && pairs_) return predict_closed(embedding);
    const std::vector<double> all = similarities(templates_, embedding);
    return judge(choose(embedding, all), all, people());
  }

  Prediction verify(std::int64_t label, std::span<const float> embedding) const override {
    const std::optional<std::size_t> person = gallery_.find(label);
    if (!person) return {};
    check(embedding);
    return judge(*person, similarities(templates_, embedding), 1);  // a claim of one name gives a stranger one chance
  }

  std::size_t people() const override { return gallery_.people(); }

 private:
  void check(std::span<const float> embedding) const {
    if (embedding.size() != gallery_.dimensions()) {
      fail(ErrorKind::input, "an embedding of {} numbers, the classifier was trained on {}", embedding.size(),
           gallery_.dimensions());
    }
  }

  // The machine's choice, unless somebody else resembles clearly more: of a person with one photo among hundreds it has
  // seen too little.
  [[nodiscard]] std::size_t choose(std::span<const float> x, std::span<const double> all) const {
    const auto nearest = static_cast<std::size_t>(std::ranges::max_element(all) - all.begin());
    const std::size_t chosen = choose(x, nearest);
    return all[nearest] - all[chosen] > clearly_more ? nearest : chosen;
  }
  [[nodiscard]] std::size_t choose(std::span<const float> x, std::size_t nearest) const {
    if (pairs_) return static_cast<std::size_t>(pairs_->predict(x));
    if (rest_) return static_cast<std::size_t>(rest_->predict(x));
    return nearest;
  }

  [[nodiscard]] Prediction judge(std::size_t person, std::span<const double> all, std::size_t chances) const {
    const double similarity = all[person], margin = margin_of(all, person);
    const double confidence = options_.curve(similarity, margin, gallery_.photos(person), chances);
    return {gallery_.label(person), confidence, similarity, margin};
  }

  // The original's rule: the largest Platt probability, whoever it is.
  [[nodiscard]] Prediction predict_closed(std::span<const float> x) const {
    const std::vector<double> probabilities = pairs_->probabilities(x);
    const auto best = std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin();
    const auto person = static_cast<std::size_t>(pairs_->labels()[static_cast<std::size_t>(best)]);
    Prediction result = judge(person, similarities(templates_, x), people());
    result.confidence = probabilities[static_cast<std::size_t>(best)];
    return result;
  }

  Gallery gallery_;
  std::vector<float> templates_;  // (people, dimensions)
  ClassifierOptions options_;
  std::optional<svm::Svm> pairs_;
  std::optional<svm::OneVsRest> rest_;
};

}  // namespace

std::shared_ptr<const Classifier> train_classifier(std::span<const Sample> samples, const ClassifierOptions& options) {
  return std::make_shared<const TrainedClassifier>(samples, options);
}

}  // namespace wajah
