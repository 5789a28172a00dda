// What a face means against a gallery: known, unknown, or one of two who look alike.
#include <doctest/doctest.h>

#include <attendance/identify.hpp>

#include <cmath>
#include <random>

namespace wajah::attendance {
namespace {

using Vector = std::vector<float>;

Vector unit(Vector v) {
  float sum = 0;
  for (const float x : v) sum += x * x;
  for (float& x : v) x /= std::sqrt(sum);
  return v;
}

class Faces {
 public:
  Vector person() {
    std::normal_distribution<float> normal;
    Vector v(256);
    for (float& x : v) x = normal(random_);
    return unit(v);
  }
  Vector photo(const Vector& of) {
    Vector v = person();
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = of[i] + 0.65F * v[i];
    return unit(v);
  }

 private:
  std::mt19937 random_{5};
};

TEST_CASE("identify: one of two who look alike is ambiguous, whoever is like nobody else is known") {
  Faces faces;
  const Vector twin = faces.person(), other = faces.person();
  std::vector<Vector> photos;
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 4; ++i) {
    for (const std::int64_t label : {1, 2, 3}) {
      photos.push_back(faces.photo(label == 3 ? other : twin));
      labels.push_back(label);
    }
  }
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < photos.size(); ++i) samples.push_back({labels[i], photos[i]});
  ServiceOptions rules;
  rules.classifier.curve = {-12, 25, 10};
  auto people = std::make_shared<People>();
  for (const std::int64_t label : {1, 2, 3}) people->emplace(label, Person{label, std::to_string(label), "NAME"});
  const Gallery gallery{people, train_classifier(samples, rules.classifier)};

  int ambiguous = 0;
  for (int i = 0; i < 20; ++i) {
    const Identity identity = identify(gallery, faces.photo(twin), rules);
    CHECK(identity.finding != Finding::unknown);
    REQUIRE(identity.person);
    CHECK(identity.person->id <= 2);
    if (identity.finding == Finding::known) CHECK(identity.margin > 0.015);
    ambiguous += identity.finding == Finding::ambiguous ? 1 : 0;
  }
  CHECK(ambiguous > 5);
  CHECK(identify(gallery, faces.photo(other), rules).finding == Finding::known);
  const Identity stranger = identify(gallery, faces.person(), rules);
  CHECK(stranger.finding == Finding::unknown);
  CHECK_FALSE(stranger.person);
}

}  // namespace
}  // namespace wajah::attendance
