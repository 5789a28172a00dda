// What keeps a photo from being enrolled: faults of its own, a face that is not the person's, a face that is somebody
// else's; and the original's closed set, in which none of it changes who is recognised.
#include "attendance/enrolment_checks.hpp"

#include "attendance/likeness.hpp"
#include "service_calls.hpp"

#include <wajah/classifier.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <thread>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

constexpr DecisionCurve curve{-12, 25, 10};  // a similarity of 0.37 is somebody, one of 0.2 is not

Service& start(Site& site, Strictness strictness = Strictness::standard) {
  site.options.classifier.curve = curve;
  site.options.strictness = strictness;
  return site.start();
}

std::vector<SkippedFile> skipped_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Refusal& refusal) {
    return refusal.skipped();
  }
  return {};
}

}  // namespace

TEST_CASE("a photo with a fault is skipped with its code and a reason, and the others are stored") {
  Site site;
  Service& service = start(site);
  std::vector<std::string> faces = {"ANI:0"};
  const std::vector<PhotoFault> faults = {PhotoFault::unclear, PhotoFault::too_small, PhotoFault::blurred,
                                          PhotoFault::dark,    PhotoFault::bright,    PhotoFault::low_contrast,
                                          PhotoFault::turned,  PhotoFault::cut_off};
  for (const PhotoFault fault : faults) faces.push_back("ANI!" + std::string(name_of(fault)));
  faces.emplace_back("none");
  faces.emplace_back("ANI:1 BUDI:1");
  std::vector<File> files;
  for (const auto& face : faces) files.push_back(photo(face));

  const auto result = upload(service, "1", "ANI", files);
  CHECK(result.stored == 1);
  REQUIRE(result.skipped.size() == files.size() - 1);
  for (std::size_t i = 0; i < faults.size(); ++i) {
    CHECK(result.skipped[i].fault == faults[i]);
    CHECK(result.skipped[i].filename == faces[i + 1] + ".jpg");
    CHECK(result.skipped[i].reason.size() > 20);
    CHECK_FALSE(result.skipped[i].resembles);
  }
  CHECK(result.skipped[8].fault == PhotoFault::no_face);
  CHECK(result.skipped[9].fault == PhotoFault::several_faces);
  CHECK(has(result.skipped[3].reason, "too dark (light 60 of 255, expected 70 or more)"));
  CHECK(recognise(service, "1", "ANI:2").nik_matched);
}

TEST_CASE("strictness: off takes whatever has a face, strict more than standard refuses") {
  Site off;
  CHECK(upload(start(off, Strictness::off), "1", "ANI",
               {photo("ANI!dark"), photo("ANI:1 BUDI"), photo("BUDI"), photo("none")})
            .stored == 3);
  Site standard, strict;
  Service& lenient = start(standard);
  Service& severe = start(strict, Strictness::strict);
  CHECK(upload(lenient, "1", "ANI", {photo("ANI:1"), photo("ANI:2")}).stored == 2);
  CHECK(upload(severe, "1", "ANI", {photo("ANI:1"), photo("ANI:2")}).stored == 2);
  const auto& limits = checks_of(Strictness::standard);
  CHECK(checks_of(Strictness::strict).rival < limits.rival);
  CHECK(checks_of(Strictness::strict).same > limits.same);
  CHECK(checks_of(Strictness::strict).duplicate < limits.duplicate);
  for (const auto* name : {"off", "standard", "strict"}) CHECK_NOTHROW((void)parse_strictness(name));
  CHECK(parse_strictness("strict") == Strictness::strict);
  for (const auto* name : {"", "Strict", "strict "}) CHECK_THROWS_AS((void)parse_strictness(name), Error);
}

TEST_CASE("another face beside the one a photo is about matters if it is as prominent") {
  Analysis analysis;
  analysis.faces.resize(1);
  EnrolmentChecks checks;
  checks.rival = 0.5;
  CHECK_FALSE(fault_of(analysis, checks));
  analysis.rival = 0.49;
  CHECK_FALSE(fault_of(analysis, checks));
  analysis.rival = 0.51;
  CHECK(fault_of(analysis, checks)->fault == PhotoFault::several_faces);
}

TEST_CASE("if no photo can be used, nothing is stored and every file's fault is told") {
  Site site;
  Service& service = start(site);
  const auto refused = [&] { upload(service, "1", "ANI", {photo("ANI!dark"), photo("none"), photo("ANI!blurred")}); };
  CHECK(Site::cause_of(refused) == Cause::unusable_photos);
  const auto skipped = skipped_of(refused);
  REQUIRE(skipped.size() == 3);
  CHECK(skipped[0].fault == PhotoFault::dark);
  CHECK(skipped[1].fault == PhotoFault::no_face);
  CHECK(skipped[2].fault == PhotoFault::blurred);
  CHECK(has(refusal_text(refused), "ANI!dark.jpg: the face is too dark"));
  CHECK(Site::cause_of([&] { upload(service, "1", "ANI", {photo("none")}); }) == Cause::no_face);
  CHECK(service.people().empty());
}

TEST_CASE("a face of somebody else among a person's photos is left out") {
  Site site;
  Service& service = start(site);
  const auto first = upload(service, "1", "ANI", {photo("ANI:1"), photo("CITRA:1"), photo("ANI:2")});
  CHECK(first.stored == 2);
  REQUIRE(first.skipped.size() == 1);
  CHECK(first.skipped[0].filename == "CITRA:1.jpg");
  CHECK(first.skipped[0].fault == PhotoFault::not_same_person);

  INFO("and one that does not fit the photos that are stored");
  const auto later = [&] { upload(service, "1", "ANI", {photo("CITRA:2")}); };
  CHECK(Site::cause_of(later) == Cause::unusable_photos);
  CHECK(upload(service, "1", "ANI", {photo("CITRA:2"), photo("CITRA:3"), photo("ANI:3")}).stored == 1);

  INFO("two photos of two people: nobody can tell whom it should be");
  const auto either = [&] { upload(service, "2", "BUDI", {photo("BUDI:1"), photo("DEWI:1")}); };
  CHECK(Site::cause_of(either) == Cause::unusable_photos);
  CHECK(skipped_of(either).size() == 2);
  CHECK(service.people().size() == 1);
  CHECK(service.upload("2", "BUDI", std::vector{photo("BUDI:1"), photo("DEWI:1")}, Force::yes).stored == 2);
}

TEST_CASE("a face that is enrolled under another NIK is refused, names nobody, and can be forced") {
  Site site;
  Service& service = start(site);
  const auto ani = upload(service, "12345", "ANI", {photo("ANI:1"), photo("ANI:2")}).person;
  const auto refused = [&] { upload(service, "2", "BUDI", {photo("ANI:3")}); };
  CHECK(Site::cause_of(refused) == Cause::duplicate_face);
  const auto text = refusal_text(refused);
  CHECK(has(text, "enrolled under another NIK"));
  CHECK_FALSE(has(text, "12345"));
  const auto skipped = skipped_of(refused);
  REQUIRE(skipped.size() == 1);
  CHECK(skipped[0].fault == PhotoFault::duplicate_face);
  CHECK(skipped[0].resembles == ani.id);
  CHECK(service.people().size() == 1);

  INFO("the same photo again for the same person is fine");
  CHECK(upload(service, "12345", "ANI", {photo("ANI:1")}).stored == 1);

  INFO("one photo of somebody else among several");
  const auto mixed = upload(service, "2", "BUDI", {photo("BUDI:1"), photo("ANI:3"), photo("BUDI:2")});
  CHECK(mixed.stored == 2);
  REQUIRE(mixed.skipped.size() == 1);
  CHECK(mixed.skipped[0].fault == PhotoFault::duplicate_face);

  INFO("the same upload again is answered in the same way, although only the refused photo is new");
  const auto again = upload(service, "2", "BUDI", {photo("BUDI:1"), photo("ANI:3"), photo("BUDI:2")});
  CHECK(again.stored == 2);
  REQUIRE(again.skipped.size() == 1);
  CHECK(again.skipped[0].fault == PhotoFault::duplicate_face);

  INFO("most of the photos are somebody else's: all is refused");
  CHECK(Site::cause_of([&] {
          upload(service, "3", "DEWI", {photo("ANI:4"), photo("ANI:5"), photo("DEWI:1")});
        }) == Cause::duplicate_face);

  INFO("twins");
  CHECK(service.upload("4", "ANA", std::vector{photo("ANI:6")}, Force::yes).stored == 1);
  CHECK(upload(service, "4", "ANA", {photo("ANI:7")}).stored == 1);
}

TEST_CASE("of two uploads of one face at the same moment one is refused") {
  for (int round = 0; round < 5; ++round) {
    Site site;
    Service& service = start(site);
    std::atomic<int> refused{0};
    const auto enrol = [&](const std::string& nik) {
      if (Site::cause_of([&] { upload(service, nik, "ANI", {photo("ANI:1")}); }) == Cause::duplicate_face) ++refused;
    };
    { const std::jthread one(enrol, "1"), other(enrol, "2"); }
    CHECK(refused == 1);
    CHECK(service.people().size() == 1);
  }
}

TEST_CASE("the closed set is the original's: the machine's probability decides, and a stranger is somebody") {
  const auto enrol = [](Service& service) {
    for (const std::string name : {"ANI", "BUDI", "CITRA"}) {
      std::vector<std::string> faces;
      for (int i = 0; i < 8; ++i) faces.push_back(name + ":" + std::to_string(i));
      std::vector<File> files;
      for (const auto& face : faces) files.push_back(photo(face));
      upload(service, name, name, files);
    }
  };
  Site open, closed;
  closed.options.classifier.closed_set = true;
  closed.options.train = open.options.train = train_classifier;
  Service& with_strangers = start(open);
  Service& original = start(closed);
  enrol(with_strangers);
  enrol(original);

  for (const char* face : {"ANI:20", "BUDI:20", "STRANGER"}) {
    const auto by_curve = recognise(with_strangers, "ANI", face).results.at(0);
    const auto by_platt = recognise(original, "ANI", face).results.at(0);
    const auto samples = [&] {
      std::vector<Sample> list;
      static std::vector<std::vector<float>> rows;
      rows.clear();
      for (const std::string name : {"ANI", "BUDI", "CITRA"}) {
        for (int i = 0; i < 8; ++i) rows.push_back(embedding_of(name + ":" + std::to_string(i)));
      }
      for (std::size_t i = 0; i < rows.size(); ++i) list.push_back({static_cast<std::int64_t>(i / 8), rows[i]});
      return list;
    }();
    ClassifierOptions platt;
    platt.closed_set = true;
    const double expected = train_classifier(samples, platt)->predict(embedding_of(face)).confidence;
    CHECK(by_platt.accuracy == doctest::Approx(expected));
    CHECK(by_platt.accuracy != by_curve.accuracy);
    CHECK(by_platt.accuracy > 1.0 / 3);
  }
  CHECK_FALSE(recognise(with_strangers, "ANI", "STRANGER").results.at(0).nik);
  CHECK(recognise(with_strangers, "ANI", "STRANGER").results.at(0).accuracy < 0.1);
}

TEST_CASE("similarity is that of the better half, and the margin is to the next person") {
  const auto ani = embedding_of("ANI:1"), ani_too = embedding_of("ANI:2"), budi = embedding_of("BUDI:1"),
             face = embedding_of("ANI:3");
  const std::vector<FaceVector> one{ani}, spoilt{ani, ani_too, budi};
  CHECK(similarity(face, one) == doctest::Approx(similarity(ani, std::vector<FaceVector>{face})));
  CHECK(similarity(ani, one) == doctest::Approx(1));
  CHECK(similarity(face, spoilt) > 0.9);
  CHECK(similarity(face, std::vector<FaceVector>{budi}) < 0.4);

  CHECK_FALSE(nearest(face, {}));
  const std::vector<PersonFaces> alone{{7, {ani}}}, two{{8, {budi}}, {7, {ani}}}, reversed{{7, {ani}}, {8, {budi}}};
  CHECK(nearest(face, alone)->person == 7);
  CHECK(nearest(face, alone)->margin == nearest(face, alone)->similarity);
  for (const auto& people : {two, reversed}) {
    const auto found = nearest(face, people);
    CHECK(found->person == 7);
    CHECK(found->margin == doctest::Approx(found->similarity - similarity(face, std::vector<FaceVector>{budi})));
  }
}

TEST_CASE("photos belong together by way of others") {
  // Unit vectors in a plane, by their angle in degrees; alike from a cosine of 0.8 on, which is 37 degrees.
  std::vector<std::vector<float>> made;
  const auto at = [&](std::vector<double> degrees) {
    made.clear();
    for (const double d : degrees) {
      made.push_back({static_cast<float>(std::cos(d * 0.0174533)), static_cast<float>(std::sin(d * 0.0174533))});
    }
    return std::vector<FaceVector>(made.begin(), made.end());
  };
  const auto alike = [](double s) { return s >= 0.8; };
  using Answer = std::vector<bool>;
  CHECK(same_person(at({}), {}, alike) == Answer{});
  CHECK(same_person(at({10}), {}, alike) == Answer{true});
  CHECK(same_person(at({0, 30}), {}, alike) == Answer{true, true});
  CHECK(same_person(at({0, 90}), {}, alike) == Answer{false, false});
  CHECK(same_person(at({0, 30, 60}), {}, alike) == Answer{true, true, true});
  CHECK(same_person(at({0, 5, 10, 15, 50}), {}, alike) ==
        Answer{true, true, true, true, false});  // one link is no proof
  CHECK(same_person(at({0, 10, 90}), {}, alike) == Answer{true, true, false});
  CHECK(same_person(at({90, 0, 10}), {}, alike) == Answer{false, true, true});
  CHECK(same_person(at({0, 10, 90, 100}), {}, alike) == Answer{false, false, false, false});
  const std::vector<float> stored{1, 0};
  const std::vector<FaceVector> known{stored};
  CHECK(same_person(at({90, 95, 100}), known, alike) == Answer{false, false, false});
  CHECK(same_person(at({10, 95, 100}), known, alike) == Answer{true, false, false});
  CHECK(same_person(at({60, 30}), known, alike) == Answer{true, true});
  CHECK(same_person(at({70}), known, alike) == Answer{false});
}
