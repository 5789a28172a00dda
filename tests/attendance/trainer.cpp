// Trainer: what is published when, also while training is slow or fails.
#include "attendance/trainer.hpp"

#include "fakes.hpp"

#include <doctest/doctest.h>

#include <map>
#include <mutex>
#include <new>
#include <random>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;
using State = Trainer::Outcome::State;

namespace {

const Person ani{1, "1", "ANI"}, budi{2, "2", "BUDI"};

std::vector<StoredEmbedding> photos_of(const Person& person, PhotoId photo) {
  return {{photo, person.id, embedding_of(person.name)}};
}

State wait(Trainer& trainer, Trainer::Change change, std::chrono::milliseconds time = 5s) {
  return trainer.wait(change, std::chrono::steady_clock::now() + time).state;
}

std::string who(const Trainer& trainer, std::string_view face) {
  const auto gallery = trainer.gallery();
  const Person* person = gallery->find(gallery->classifier->predict(embedding_of(face)).label);
  return person ? person->name : "nobody";
}

// A training that a test can hold, count and break.
struct Training {
  Gate gate;
  std::atomic<int> runs{0};
  std::atomic<bool> fails{false};

  std::shared_ptr<const Classifier> operator()(std::span<const Sample> samples) {
    gate.pass();
    ++runs;
    if (fails) fail(ErrorKind::model, "the matrix is singular");
    return train_nearest_mean(samples);
  }
};

}  // namespace

TEST_CASE("before anybody is enrolled everybody is nobody") {
  const Trainer trainer([](auto samples) { return train_nearest_mean(samples); });
  CHECK(who(trainer, "ANI") == "nobody");
  CHECK(trainer.last_error().empty());
}

TEST_CASE("whoever is enrolled is known once the wait is over, and no longer after the removal") {
  Trainer trainer([](auto samples) { return train_nearest_mean(samples); });
  CHECK(wait(trainer, trainer.load({ani}, photos_of(ani, 1))) == State::live);
  CHECK(who(trainer, "ANI") == "ANI");
  CHECK(wait(trainer, trainer.enrol(budi, photos_of(budi, 2))) == State::live);
  CHECK(who(trainer, "BUDI") == "BUDI");
  CHECK(who(trainer, "ANI") == "ANI");
  CHECK(wait(trainer, trainer.remove(budi.id)) == State::live);
  CHECK(who(trainer, "BUDI") != "BUDI");
}

TEST_CASE("a removal is in force at once, whatever is being trained") {
  Training training;
  Trainer trainer(std::ref(training));
  REQUIRE(wait(trainer, trainer.load({ani, budi}, photos_of(ani, 1))) == State::live);
  training.gate.close();
  const auto enrolled = trainer.enrol(budi, photos_of(budi, 2));
  REQUIRE(training.gate.reached_by(1));
  (void)trainer.remove(ani.id);
  const auto removed = trainer.remove(budi.id);
  CHECK(who(trainer, "ANI") == "nobody");
  training.gate.let_one_through();
  CHECK(wait(trainer, enrolled) == State::live);
  CHECK(trainer.gallery()->classifier->people() == 2);  // the classifier knows both, and they are nobody all the same
  CHECK(who(trainer, "ANI") == "nobody");
  CHECK(who(trainer, "BUDI") == "nobody");
  training.gate.open();
  CHECK(wait(trainer, removed) == State::live);
  CHECK(trainer.gallery()->classifier->people() == 0);
}

TEST_CASE("changes during a training share the next one") {
  Training training;
  Trainer trainer(std::ref(training));
  training.gate.close();
  (void)trainer.enrol(ani, photos_of(ani, 1));
  REQUIRE(training.gate.reached_by(1));
  Trainer::Change last = 0;
  for (PhotoId photo = 2; photo < 12; ++photo) last = trainer.enrol(budi, photos_of(budi, photo));
  training.gate.open();
  CHECK(wait(trainer, last) == State::live);
  CHECK(training.runs == 3);  // nobody, ANI, everything else
}

TEST_CASE("after a failed training the former classifier serves on, and the next change tries again") {
  Training training;
  Trainer trainer(std::ref(training));
  REQUIRE(wait(trainer, trainer.enrol(ani, photos_of(ani, 1))) == State::live);
  training.fails = true;
  const auto change = trainer.enrol(budi, photos_of(budi, 2));
  const auto outcome = trainer.wait(change, std::chrono::steady_clock::now() + 5s);
  CHECK(outcome.state == State::failed);
  CHECK(outcome.error == "the matrix is singular");
  CHECK(trainer.last_error() == "the matrix is singular");
  CHECK(who(trainer, "ANI") == "ANI");
  CHECK(who(trainer, "BUDI") != "BUDI");
  CHECK(wait(trainer, trainer.remove(ani.id)) == State::failed);
  CHECK(who(trainer, "ANI") == "nobody");

  training.fails = false;
  CHECK(wait(trainer, trainer.enrol(budi, {})) == State::live);
  CHECK(who(trainer, "BUDI") == "BUDI");
  CHECK(wait(trainer, change) == State::live);
  CHECK(trainer.last_error().empty());
}

TEST_CASE("a rename alone needs no training") {
  Training training;
  Trainer trainer(std::ref(training));
  REQUIRE(wait(trainer, trainer.enrol(ani, photos_of(ani, 1))) == State::live);
  const int runs = training.runs;
  CHECK(wait(trainer, trainer.enrol({ani.id, ani.nik, "ANI SURYANI"}, {})) == State::live);
  CHECK(who(trainer, "ANI") == "ANI SURYANI");
  CHECK(training.runs == runs);
}

TEST_CASE("waiting ends with its deadline, and when the trainer stops") {
  Training training;
  Trainer trainer(std::ref(training));
  training.gate.close();
  const auto change = trainer.enrol(ani, photos_of(ani, 1));
  CHECK(wait(trainer, change, 20ms) == State::late);
  std::jthread stopper([&] { trainer.stop(); });
  CHECK(wait(trainer, change) == State::stopping);
  training.gate.open();
  stopper.join();
  CHECK(who(trainer, "ANI") == "nobody");
}

TEST_CASE("a training that runs out of memory is a failed training") {
  bool ready = false;
  Trainer trainer([&](auto samples) {
    if (ready) throw std::bad_alloc();
    return train_nearest_mean(samples);
  });
  ready = true;
  CHECK(wait(trainer, trainer.enrol(ani, photos_of(ani, 1))) == State::failed);
}

namespace {

// A classifier that is changed, remembers what it was told, and can be told to fail.
struct Told {
  std::atomic<bool> fails{false};
  std::mutex mutex;
  std::vector<std::pair<std::size_t, std::size_t>> changes;  // samples and labels gone, of each change
};

class Growing final : public Classifier {
 public:
  Growing(std::shared_ptr<const Classifier> inner, Told& told) : inner_(std::move(inner)), told_(told) {}

  [[nodiscard]] std::shared_ptr<const Classifier> with(const GalleryChange& change) const override {
    {
      const std::lock_guard lock(told_.mutex);
      told_.changes.emplace_back(change.samples.size(), change.gone.size());
    }
    if (told_.fails) throw std::bad_alloc();
    return std::make_shared<const Growing>(inner_->with(change), told_);
  }
  [[nodiscard]] Prediction predict(std::span<const float> x) const override { return inner_->predict(x); }
  [[nodiscard]] Prediction verify(std::int64_t label, std::span<const float> x) const override {
    return inner_->verify(label, x);
  }
  [[nodiscard]] std::size_t people() const override { return inner_->people(); }

 private:
  std::shared_ptr<const Classifier> inner_;
  Told& told_;
};

std::string name_of(PersonId id) { return "P" + std::to_string(id); }

StoredEmbedding stored(PersonId person, PhotoId photo) {
  return {photo, person, embedding_of(name_of(person) + ":" + std::to_string(photo))};
}

}  // namespace

TEST_CASE("a training hears of those alone who changed, whatever the number of people") {
  Told told;
  Trainer trainer([&](std::span<const Sample> samples) {
    return std::make_shared<const Growing>(train_classifier(samples, {}), told);
  });
  std::vector<Person> everybody;
  std::vector<StoredEmbedding> photos;
  for (PersonId id = 1; id <= 40; ++id) {
    everybody.push_back({id, std::to_string(id), name_of(id)});
    photos.push_back(stored(id, id));
  }
  CHECK(wait(trainer, trainer.load(everybody, photos)) == State::live);
  CHECK(wait(trainer, trainer.enrol({41, "41", name_of(41)}, {stored(41, 100), stored(41, 101)})) == State::live);
  CHECK(wait(trainer, trainer.add({stored(7, 102)})) == State::live);  // both photos of the person, and nobody else's
  CHECK(wait(trainer, trainer.remove(12)) == State::live);
  CHECK(told.changes == std::vector<std::pair<std::size_t, std::size_t>>{{40, 0}, {2, 0}, {2, 0}, {0, 1}});
  CHECK(trainer.gallery()->classifier->people() == 40);
}

TEST_CASE("after random enrolments, photos and removals the classifier is the one trained from the start") {
  for (const bool closed_set : {false, true}) {
    ClassifierOptions options{.curve = {-12, 25, 10}};
    options.closed_set = closed_set;
    Trainer trainer([&](auto samples) { return train_classifier(samples, options); });
    std::mt19937 random(closed_set ? 1 : 2);
    std::map<PersonId, std::vector<StoredEmbedding>> truth;
    Trainer::Change last = 0;
    PhotoId photo = 0;
    PersonId newest = 0;
    for (int step = 0; step < 150; ++step) {
      const unsigned what = random() % 4;
      if (what == 0 && !truth.empty()) {
        auto person = truth.begin();
        std::advance(person, random() % truth.size());
        last = trainer.remove(person->first);
        truth.erase(person);
      } else if (what == 1 && !truth.empty()) {
        auto person = truth.begin();
        std::advance(person, random() % truth.size());
        person->second.push_back(stored(person->first, ++photo));
        last = trainer.add({person->second.back()});
      } else {
        const PersonId id = ++newest;
        for (unsigned i = 0; i < 1 + random() % 4; ++i) truth[id].push_back(stored(id, ++photo));
        last = trainer.enrol({id, std::to_string(id), name_of(id)}, truth[id]);
      }
      if (step % 30 != 29) continue;  // changes in between are trained one by one or together, as time has it
      REQUIRE(wait(trainer, last) == State::live);
      std::vector<Sample> samples;
      for (const auto& [id, photos] : truth)
        for (const auto& one : photos) samples.push_back({id, one.values});
      const auto fresh = train_classifier(samples, options), grown = trainer.gallery()->classifier;
      REQUIRE(grown->people() == truth.size());
      for (PersonId id = 1; id <= newest; ++id) {
        const auto face = embedding_of(name_of(id) + ":0");
        const Prediction a = grown->predict(face), b = fresh->predict(face);
        CHECK(a.label == b.label);
        CHECK(a.confidence == b.confidence);
        CHECK(a.similarity == b.similarity);
        CHECK(a.margin == b.margin);
        CHECK((trainer.gallery()->find(id) != nullptr) == (truth.count(id) == 1));
      }
    }
  }
}

TEST_CASE("what a failed training should have learned, the next one does") {
  Told told;
  Trainer trainer([&](std::span<const Sample> samples) {
    return std::make_shared<const Growing>(train_classifier(samples, {}), told);
  });
  REQUIRE(wait(trainer, trainer.enrol({1, "1", "P1"}, {stored(1, 1)})) == State::live);
  REQUIRE(wait(trainer, trainer.enrol({2, "2", "P2"}, {stored(2, 2)})) == State::live);
  told.fails = true;
  CHECK(wait(trainer, trainer.enrol({3, "3", "P3"}, {stored(3, 3)})) == State::failed);
  CHECK(wait(trainer, trainer.remove(1)) == State::failed);
  CHECK(trainer.gallery()->classifier->people() == 2);  // the former one serves on
  CHECK(trainer.gallery()->find(1) == nullptr);         // and the removal is in force
  told.fails = false;
  CHECK(wait(trainer, trainer.enrol({4, "4", "P4"}, {stored(4, 4)})) == State::live);
  CHECK(told.changes.back() == std::pair<std::size_t, std::size_t>{2, 1});  // 3 and 4 came, 1 left
  CHECK(trainer.gallery()->classifier->people() == 3);
}

TEST_CASE("everybody replaced: those who are not among the new ones are gone") {
  Trainer trainer([](auto samples) { return train_classifier(samples, {}); });
  REQUIRE(wait(trainer, trainer.load({{1, "1", "P1"}, {2, "2", "P2"}}, {stored(1, 1), stored(2, 2)})) == State::live);
  REQUIRE(wait(trainer, trainer.replace({{2, "2", "P2"}, {3, "3", "P3"}}, {stored(2, 2), stored(3, 3)})) ==
          State::live);
  CHECK(trainer.gallery()->classifier->people() == 2);
  CHECK(trainer.gallery()->classifier->predict(embedding_of("P3:3")).label == 3);
  CHECK(trainer.gallery()->classifier->predict(embedding_of("P1:1")).label != 1);
}
