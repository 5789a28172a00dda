// The classifier on invented people: unit vectors around random directions.
#include <doctest/doctest.h>

#include <wajah/classifier.hpp>
#include <wajah/error.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace {

using namespace wajah;

constexpr std::size_t dimensions = 256;  // enough that strangers are nearly orthogonal
const ClassifierOptions options{.curve = {-12, 25, 10}};

// People whose photos have a cosine of about 0.7 to each other and 0 to everybody else's.
class People {
 public:
  explicit People(unsigned seed) : random_(seed) {}

  std::vector<float> person() { return unit(noise()); }
  std::vector<float> photo(const std::vector<float>& person) {
    std::vector<float> v = unit(noise());
    for (std::size_t i = 0; i < dimensions; ++i) v[i] = person[i] + 0.65F * v[i];
    return unit(v);
  }

 private:
  std::vector<float> noise() {
    std::normal_distribution<float> normal;
    std::vector<float> v(dimensions);
    for (float& x : v) x = normal(random_);
    return v;
  }
  static std::vector<float> unit(std::vector<float> v) {
    float sum = 0;
    for (const float x : v) sum += x * x;
    for (float& x : v) x /= std::sqrt(sum);
    return v;
  }
  std::mt19937 random_;
};

struct Gallery {
  Gallery(int people, int photos, unsigned seed) : source(seed) {
    for (int p = 0; p < people; ++p) {
      persons.push_back(source.person());
      for (int i = 0; i < photos; ++i) {
        photos_of.push_back(source.photo(persons.back()));
        labels.push_back(1000 + p);
      }
    }
    for (std::size_t i = 0; i < labels.size(); ++i) samples.push_back({labels[i], photos_of[i]});
  }

  People source;
  std::vector<std::vector<float>> persons, photos_of;
  std::vector<std::int64_t> labels;
  std::vector<Sample> samples;
};

TEST_CASE("enrolled people are known and strangers are not, for any number of people and photos") {
  for (const auto& [people, photos] : {std::pair{1, 1}, {1, 5}, {2, 1}, {2, 5}, {10, 3}, {50, 2}, {51, 2}, {80, 3}}) {
    Gallery gallery(people, photos, 7);
    const auto classifier = train_classifier(gallery.samples, options);
    CHECK(classifier->people() == static_cast<std::size_t>(people));
    int known = 0, let_in = 0;
    for (int p = 0; p < people; ++p) {
      const Prediction same = classifier->predict(gallery.source.photo(gallery.persons[static_cast<std::size_t>(p)]));
      known += same.label == 1000 + p && same.confidence >= 0.7 ? 1 : 0;
      let_in += classifier->predict(gallery.source.person()).confidence >= 0.7 ? 1 : 0;
    }
    CAPTURE(people);
    CAPTURE(photos);
    CHECK(known >= people - people / 20);
    CHECK(let_in == 0);
  }
}

TEST_CASE("nobody enrolled: nobody is recognised") {
  const auto classifier = train_classifier({}, options);
  const Prediction none = classifier->predict(std::vector<float>(dimensions, 0.125F));
  CHECK(none.label == -1);
  CHECK(none.confidence == 0);
  CHECK(classifier->people() == 0);
}

TEST_CASE("one bad photo does not lower a person's similarity") {
  People source(3);
  const std::vector<float> person = source.person();
  const std::vector<float> good1 = source.photo(person), good2 = source.photo(person), bad = source.person();
  const std::vector<float> probe = source.photo(person);
  const auto clean = train_classifier(std::vector<Sample>{{1, good1}, {1, good2}}, options)->predict(probe);
  const auto with_bad =
      train_classifier(std::vector<Sample>{{1, good1}, {1, bad}, {1, good2}}, options)->predict(probe);
  CHECK(with_bad.similarity >= 0.9 * clean.similarity);
  CHECK(with_bad.confidence >= 0.7);
}

TEST_CASE("of five photos a wrong one hardly moves the similarity, wherever it stands") {
  People source(4);
  const std::vector<float> person = source.person(), probe = source.photo(person);
  std::vector<std::vector<float>> photos;
  for (int i = 0; i < 4; ++i) photos.push_back(source.photo(person));
  const auto similarity_of = [&] {
    std::vector<Sample> samples;
    for (const auto& photo : photos) samples.push_back({1, photo});
    return train_classifier(samples, options)->predict(probe).similarity;
  };
  const double clean = similarity_of();
  photos.insert(photos.begin() + 2, source.person());
  CHECK(similarity_of() >= 0.97 * clean);
}

TEST_CASE("a face between two people is believed less than one that is clearly of one") {
  People source(8);
  const std::vector<float> a = source.person(), b = source.person();
  std::vector<float> between(dimensions);
  for (std::size_t i = 0; i < dimensions; ++i) between[i] = (a[i] + b[i]) / std::sqrt(2.0F);
  const auto alone = train_classifier(std::vector<Sample>{{1, a}}, options);
  const auto both = train_classifier(std::vector<Sample>{{1, a}, {2, b}}, options);
  CHECK(both->verify(1, between).similarity == doctest::Approx(alone->verify(1, between).similarity));
  CHECK(both->verify(1, between).margin == doctest::Approx(0).epsilon(0.01));
  const double doubt = 1 - both->predict(between).confidence, alone_doubt = 1 - alone->predict(between).confidence;
  CHECK(doubt > 5 * alone_doubt);
}

TEST_CASE("of two people who look alike nobody is named with confidence, and a claim of either is believed") {
  People source(23);
  const std::vector<float> face = source.person();
  std::vector<std::vector<float>> photos;
  std::vector<Sample> samples;
  for (int i = 0; i < 6; ++i) photos.push_back(source.photo(face));
  for (std::size_t i = 0; i < photos.size(); ++i) samples.push_back({static_cast<std::int64_t>(i % 2), photos[i]});
  const auto classifier = train_classifier(samples, options);
  int alike = 0;
  for (int i = 0; i < 20; ++i) {
    const std::vector<float> probe = source.photo(face);
    const Prediction prediction = classifier->predict(probe);
    CHECK(options.curve(prediction.similarity, prediction.margin) > 0.9);
    CHECK(prediction.confidence <= 1 / (1 + std::exp(-45 * prediction.margin)));
    alike += prediction.margin < 0.015 ? 1 : 0;
    if (prediction.margin < 0.015) CHECK(prediction.confidence < 0.7);
    CHECK(classifier->verify(prediction.label, probe).confidence > 0.9);
  }
  CHECK(alike > 5);
}

TEST_CASE("the curve hears how many people and photos there are; a claim of one name has one chance") {
  ClassifierOptions counting = options;
  counting.curve.people = 3;
  counting.curve.photos = -1;
  Gallery gallery(20, 3, 13);
  const std::vector<float> probe = gallery.source.photo(gallery.persons[4]);
  const auto classifier = train_classifier(gallery.samples, counting);
  const Prediction found = classifier->predict(probe), claimed = classifier->verify(1004, probe);
  CHECK(found.confidence == doctest::Approx(counting.curve(found.similarity, found.margin, 3, 20)));
  CHECK(claimed.confidence == doctest::Approx(counting.curve(found.similarity, found.margin, 3, 1)));
  CHECK(claimed.confidence > found.confidence);
}

TEST_CASE("verify judges the claimed person alone") {
  Gallery gallery(5, 3, 11);
  const auto classifier = train_classifier(gallery.samples, options);
  const std::vector<float> probe = gallery.source.photo(gallery.persons[2]);
  CHECK(classifier->verify(1002, probe).confidence >= 0.7);
  CHECK(classifier->verify(1003, probe).confidence < 0.1);
  CHECK(classifier->verify(1003, probe).margin < 0);
  CHECK(classifier->verify(77, probe).label == -1);
}

TEST_CASE("closed_set gives the original's rule: somebody for everyone, with Platt's probability") {
  Gallery gallery(3, 10, 5);
  ClassifierOptions closed = options;
  closed.closed_set = true;
  const auto classifier = train_classifier(gallery.samples, closed);
  const Prediction stranger = classifier->predict(gallery.source.person());
  CHECK(stranger.label >= 1000);
  CHECK(stranger.confidence >= 1.0 / 3);
  CHECK(classifier->predict(gallery.source.photo(gallery.persons[1])).label == 1001);
}

TEST_CASE("samples that cannot be are refused with a sentence") {
  const std::vector<float> a(4, 0.5F), b(5, 0.5F);
  const std::vector<float> nan{0.5F, std::numeric_limits<float>::quiet_NaN()};
  const auto train = [](std::vector<Sample> samples) { return train_classifier(samples, options); };
  CHECK_THROWS_WITH_AS(train({{1, a}, {2, b}}), doctest::Contains("5 numbers among embeddings of 4"), Error);
  CHECK_THROWS_WITH_AS(train({{1, nan}}), doctest::Contains("not finite"), Error);
  CHECK_THROWS_WITH_AS(train({{-1, a}}), doctest::Contains("label -1"), Error);
  CHECK_THROWS_WITH_AS((void)train({{1, a}})->predict(b), doctest::Contains("trained on 4"), Error);
}

}  // namespace
