// Calibration on invented people, whose strangers are then counted in galleries that calibration has not seen.
#include <doctest/doctest.h>

#include <wajah/calibration.hpp>
#include <wajah/classifier.hpp>
#include <wajah/error.hpp>
#include <wajah/gallery_draw.hpp>

#include <cmath>
#include <random>
#include <set>
#include <vector>

namespace {

using namespace wajah;

constexpr std::size_t dimensions = 48;  // few, so that strangers resemble somebody now and then

// Photos of one person have a cosine of about 0.7; every third person has one photo only.
class People {
 public:
  explicit People(unsigned seed) : random_(seed) {}

  std::vector<CalibrationPerson> draw(std::size_t count, std::size_t photos) {
    std::vector<CalibrationPerson> people(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::vector<float> person = noise();
      for (std::size_t k = 0; k < (i % 3 == 2 ? 1 : photos); ++k) {
        const std::vector<float> taken = photo(person);
        people[i].push_back({taken, taken});
      }
    }
    return people;
  }

 private:
  std::vector<float> noise() {
    std::normal_distribution<float> normal;
    std::vector<float> v(dimensions);
    for (float& x : v) x = normal(random_);
    return v;
  }
  std::vector<float> photo(const std::vector<float>& person) {
    std::vector<float> v = noise();
    float sum = 0;
    for (std::size_t i = 0; i < dimensions; ++i) {
      v[i] = person[i] + 0.65F * v[i];
      sum += v[i] * v[i];
    }
    for (float& x : v) x /= std::sqrt(sum);
    return v;
  }
  std::mt19937 random_;
};

struct Shares {
  double genuine = 0, strangers = 0;
};

Shares accepted(const std::vector<CalibrationPerson>& people, std::size_t size, std::size_t photos,
                const DecisionCurve& curve, std::size_t galleries) {
  std::vector<std::size_t> counts;
  for (const auto& person : people) counts.push_back(person.size());
  double genuine = 0, known = 0, strangers = 0, let_in = 0;
  for (std::size_t i = 0; i < galleries; ++i) {
    const auto enrolled = draw_enrolment(counts, size, photos, 100 + i);
    std::vector<Sample> samples;
    std::vector<std::size_t> taken;
    for (const EnrolledDraw& one : enrolled) {
      taken.push_back(one.person);
      for (const std::size_t photo : one.photos) {
        samples.push_back({static_cast<std::int64_t>(one.person), people[one.person][photo].enrolled});
      }
    }
    const auto classifier = train_classifier(samples, {.curve = curve});
    for (const EnrolledDraw& one : enrolled) {
      for (const std::size_t photo : one.probes) {
        const Prediction found = classifier->predict(people[one.person][photo].recognised);
        ++genuine;
        known += found.label == static_cast<std::int64_t>(one.person) && found.confidence >= 0.7 ? 1 : 0;
      }
    }
    for (const DrawnPhoto& stranger : draw_strangers(counts, taken, 100 + i)) {
      ++strangers;
      let_in += classifier->predict(people[stranger.person][stranger.photo].recognised).confidence >= 0.7 ? 1 : 0;
    }
  }
  return {known / genuine, let_in / strangers};
}

TEST_CASE("at confidence 0.7 strangers are let in as seldom as asked for, in galleries of any size") {
  const Calibration fitted = calibrate(People(1).draw(600, 6));
  CHECK(fitted.people == 600);
  CHECK(fitted.photos == 400 * 6 + 200);
  CHECK(fitted.strangers > 100'000);
  CHECK(fitted.genuine > 1'000);
  CHECK(fitted.curve.similarity > 0);
  CHECK(fitted.curve.people > 0);
  const std::vector<CalibrationPerson> others = People(2).draw(600, 6);
  for (const auto& [size, galleries] : {std::pair<std::size_t, std::size_t>{1, 60}, {10, 20}, {100, 4}}) {
    CAPTURE(size);
    const Shares shares = accepted(others, size, 3, fitted.curve, galleries);
    CHECK(shares.strangers <= 3 * DecisionCurve::strangers);
    CHECK(shares.genuine >= 0.7);
  }
  // Ten times as strict as needed would be wrong, too.
  CHECK(accepted(others, 10, 3, fitted.curve, 40).strangers > DecisionCurve::strangers / 10);
}

TEST_CASE("calibration gives the same curve again, and another state of chance nearly the same decision") {
  const auto people = People(3).draw(200, 4);
  const Calibration a = calibrate(people, 1), b = calibrate(people, 1), c = calibrate(people, 2);
  CHECK(a.curve == b.curve);
  CHECK_FALSE(a.curve == c.curve);
  // The similarity that confidence 0.7 asks for.
  const auto level = [](const DecisionCurve& curve) {
    double low = 0, high = 1;
    while (high - low > 1e-6) {
      const double middle = (low + high) / 2;
      (curve(middle, 0.25, 3, 50) < 0.7 ? low : high) = middle;
    }
    return low;
  };
  CHECK(level(a.curve) == doctest::Approx(level(c.curve)).epsilon(0.05));
}

TEST_CASE("one person under two names does not spoil the curve, and is told") {
  auto people = People(4).draw(300, 4);
  const DecisionCurve clean = calibrate(people).curve;
  for (std::size_t i = 0; i < 6; ++i) {
    const CalibrationPhoto last = people[3 * i].back();
    people[3 * i].pop_back();
    people.push_back({last});
  }
  const Calibration spoilt = calibrate(people);
  CHECK(spoilt.namesakes >= 4);
  CHECK(spoilt.curve(0.6, 0.2, 3, 50) == doctest::Approx(clean(0.6, 0.2, 3, 50)).epsilon(0.15));
}

TEST_CASE("too few people, or embeddings of two models, are refused") {
  CHECK_THROWS_WITH_AS((void)calibrate(People(5).draw(12, 3)), doctest::Contains("12 people"), Error);
  CHECK_THROWS_WITH_AS((void)calibrate(People(5).draw(60, 1)), doctest::Contains("0 of them"), Error);
  auto mixed = People(5).draw(60, 3);
  mixed[7][0].enrolled.pop_back();
  CHECK_THROWS_WITH_AS((void)calibrate(mixed), doctest::Contains("one model"), Error);
  auto empty = People(5).draw(60, 3);
  empty[7].clear();
  CHECK_THROWS_WITH_AS((void)calibrate(empty), doctest::Contains("without photos"), Error);
}

TEST_CASE("draws are the same for a state, disjoint, and prefer people with photos enough") {
  const std::vector<std::size_t> counts{1, 2, 9, 3, 6, 1, 7, 2};
  const auto enrolled = draw_enrolment(counts, 3, 5, 42);
  REQUIRE(enrolled.size() == 3);
  std::set<std::size_t> taken;
  for (const EnrolledDraw& one : enrolled) {
    CHECK(counts[one.person] >= 6);
    CHECK(one.photos.size() == 5);
    CHECK(one.photos.size() + one.probes.size() == counts[one.person]);
    std::set<std::size_t> all(one.photos.begin(), one.photos.end());
    all.insert(one.probes.begin(), one.probes.end());
    CHECK(all.size() == counts[one.person]);
    taken.insert(one.person);
  }
  CHECK(taken == std::set<std::size_t>{2, 4, 6});
  CHECK(draw_enrolment(counts, 3, 5, 42)[0].photos == enrolled[0].photos);

  // The others enrol what they have but one; who has one photo has nothing to be recognised by.
  const auto most = draw_enrolment(counts, 100, 5, 7);
  REQUIRE(most.size() == 6);
  CHECK(most[3].person == 3);
  CHECK(most[3].photos.size() == 2);
  CHECK(most[5].photos.size() == 1);
  CHECK(draw_enrolment(counts, 100, 5, 7, Fill::one_photo).size() == 8);

  const std::vector<std::size_t> away{2, 4, 6};
  const auto strangers = draw_strangers(counts, away, 42);
  REQUIRE(strangers.size() == 1 + 2 + 3 + 1 + 2);
  std::set<std::size_t> first;
  for (std::size_t i = 0; i < 5; ++i) first.insert(strangers[i].person);
  CHECK(first == std::set<std::size_t>{0, 1, 3, 5, 7});
}

}  // namespace
