// Trainer: what is published when, also while training is slow or fails.
#include "attendance/trainer.hpp"

#include "fakes.hpp"

#include <doctest/doctest.h>

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
