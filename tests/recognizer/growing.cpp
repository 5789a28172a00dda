// A classifier that is changed answers as one that is trained on everything from the start.
#include <doctest/doctest.h>

#include <wajah/classifier.hpp>
#include <wajah/error.hpp>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <vector>

namespace {

using namespace wajah;

constexpr std::size_t dimensions = 40;  // so few that people resemble each other, and machines have to choose

class Source {
 public:
  explicit Source(unsigned seed) : random_(seed) {}

  std::vector<float> unit() {
    std::normal_distribution<float> normal;
    std::vector<float> v(dimensions);
    float sum = 0;
    for (float& x : v) {
      x = normal(random_);
      sum += x * x;
    }
    for (float& x : v) x /= std::sqrt(sum);
    return v;
  }
  std::vector<float> near(const std::vector<float>& person) {
    std::vector<float> v = unit();
    float sum = 0;
    for (std::size_t i = 0; i < dimensions; ++i) {
      v[i] = person[i] + 0.8F * v[i];
      sum += v[i] * v[i];
    }
    for (float& x : v) x /= std::sqrt(sum);
    return v;
  }
  std::size_t below(std::size_t n) { return random_() % n; }

 private:
  std::mt19937 random_;
};

// The truth, beside the classifier that follows it.
struct Truth {
  std::map<std::int64_t, std::vector<std::vector<float>>> photos;

  [[nodiscard]] std::vector<Sample> samples() const {
    std::vector<Sample> all;
    for (const auto& [label, of_person] : photos)
      for (const auto& photo : of_person) all.push_back({label, photo});
    return all;
  }
  [[nodiscard]] std::vector<Sample> samples(std::int64_t label) const {
    std::vector<Sample> all;
    for (const auto& photo : photos.at(label)) all.push_back({label, photo});
    return all;
  }
};

bool equal(const Prediction& a, const Prediction& b) {
  return a.label == b.label && a.confidence == b.confidence && a.similarity == b.similarity && a.margin == b.margin;
}

void check_same(const Classifier& grown, const Truth& truth, const ClassifierOptions& options, Source& source) {
  const auto fresh = train_classifier(truth.samples(), options);
  REQUIRE(grown.people() == fresh->people());
  for (int probe = 0; probe < 20; ++probe) {
    std::vector<float> x = source.unit();
    if (!truth.photos.empty() && probe % 4 != 0) {
      auto person = truth.photos.begin();
      std::advance(person, source.below(truth.photos.size()));
      x = source.near(person->second.front());
    }
    CHECK(equal(grown.predict(x), fresh->predict(x)));
    const auto claimed = static_cast<std::int64_t>(source.below(400));
    CHECK(equal(grown.verify(claimed, x), fresh->verify(claimed, x)));
  }
}

// Enrolments, deletions, more and fewer photos of somebody, several at once.
void change_at_random(const ClassifierOptions& options, std::size_t labels, int changes, unsigned seed) {
  Source source(seed);
  Truth truth;
  std::shared_ptr<const Classifier> classifier = train_classifier({}, options);
  for (int change = 0; change < changes; ++change) {
    std::map<std::int64_t, bool> touched;
    for (std::size_t i = 0; i < (change % 10 == 0 ? labels / 4 : 1); ++i) {
      const auto label = static_cast<std::int64_t>(source.below(labels));
      touched[label] = true;
      auto& photos = truth.photos[label];
      const std::size_t what = source.below(4);
      if (what == 0) {
        photos.clear();
      } else if (what == 1 && photos.size() > 1) {
        photos.erase(photos.begin());
      } else {
        const auto direction = photos.empty() ? source.unit() : photos.front();
        for (std::size_t p = 0; p < 1 + source.below(5); ++p) photos.push_back(source.near(direction));
      }
      if (photos.empty()) truth.photos.erase(label);
    }
    std::vector<Sample> samples;
    std::vector<std::int64_t> gone;
    for (const auto& [label, yes] : touched) {
      if (truth.photos.count(label) == 0) {
        gone.push_back(label);
      } else {
        const auto of_person = truth.samples(label);
        samples.insert(samples.end(), of_person.begin(), of_person.end());
      }
    }
    classifier = classifier->with({samples, gone});
    REQUIRE(classifier);
    if (change % 10 == 9) check_same(*classifier, truth, options, source);
  }
}

TEST_CASE("random enrolments, deletions and photos give the classifier that training from the start gives") {
  change_at_random({.curve = {-12, 25, 10, 0.5, 1}}, 20, 100, 1);
  change_at_random({.curve = {-12, 25, 10, 0.5, 1}}, 400, 100, 2);  // several blocks, which split and vanish
}

TEST_CASE("the closed set, too: its machines are those of training from the start, and so are its probabilities") {
  ClassifierOptions options{.curve = {-12, 25, 10}};
  options.closed_set = true;
  options.threads = 2;
  change_at_random(options, 25, 80, 3);
}

TEST_CASE("a change that fails leaves the classifier as it was, and the next one starts from there") {
  for (const bool closed : {false, true}) {
    ClassifierOptions options{.curve = {-12, 25, 10}};
    options.closed_set = closed;
    Source source(5);
    Truth truth;
    for (std::int64_t label = 0; label < 6; ++label) truth.photos[label] = {source.unit(), source.unit()};
    const auto before = train_classifier(truth.samples(), options);
    const std::vector<float> nan(dimensions, std::numeric_limits<float>::quiet_NaN()), good = source.unit(), narrow(7);
    const std::int64_t gone[] = {1};
    CHECK_THROWS_AS((void)before->with({std::vector<Sample>{{2, good}, {9, nan}}, gone}), Error);
    CHECK_THROWS_AS((void)before->with({std::vector<Sample>{{2, good}, {9, narrow}}, gone}), Error);
    CHECK_THROWS_AS((void)before->with({std::vector<Sample>{{-3, good}}, {}}), Error);
    check_same(*before, truth, options, source);
    truth.photos.erase(1);
    truth.photos[9] = {good};
    check_same(*before->with({std::vector<Sample>{{9, good}}, gone}), truth, options, source);
  }
}

TEST_CASE("who is replaced by embeddings of another model gives a classifier of that model") {
  Source source(6);
  const std::vector<float> a = source.unit(), b(7, 0.378F);
  const auto first = train_classifier(std::vector<Sample>{{1, a}}, {.curve = {-12, 25, 10}});
  const std::int64_t gone[] = {1};
  const auto second = first->with({std::vector<Sample>{{2, b}}, gone});
  CHECK(second->predict(b).label == 2);
  CHECK_THROWS_AS((void)second->predict(a), Error);
  CHECK(first->predict(a).label == 1);
}

TEST_CASE("between people who resemble a face equally the machines choose, with their photos") {
  // Two people whose templates are mirror images about the query; only one has a photo that lies on its side of it.
  std::vector<float> query(dimensions), left(dimensions), right(dimensions), side(dimensions);
  query[0] = 1;
  left[0] = right[0] = side[0] = 0.8F;
  left[1] = 0.6F;
  right[1] = -0.6F;
  side[2] = 0.6F;
  const auto even = train_classifier(std::vector<Sample>{{1, left}, {2, right}}, {.curve = {-12, 25, 10}});
  const Prediction close = even->predict(query);
  CHECK(std::abs(close.margin) < 0.001);
  CHECK(close.similarity == doctest::Approx(0.8));
  query[1] = 0.01F;  // nearer to 1 by less than what counts as clearly more
  CHECK(even->predict(query).label == 1);
  query[1] = -0.01F;
  CHECK(even->predict(query).label == 2);
}

}  // namespace
