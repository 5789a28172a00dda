// Engine: queues, order, deadlines and failures of the workers.
#include "attendance/engine.hpp"

#include "fakes.hpp"

#include <doctest/doctest.h>

#include <future>
#include <thread>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

Engine::Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

std::future<Batch> analyse(Engine& engine, std::vector<Bytes> pictures, Purpose purpose,
                           std::chrono::milliseconds time = 5s) {
  return std::async(std::launch::async, [&engine, pictures = std::move(pictures), purpose, time] {
    return engine.analyse(pictures, purpose, in(time));
  });
}

std::optional<Cause> cause_of(std::future<Batch> batch) {
  return Site::cause_of([&] { (void)batch.get(); });
}

template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 5000 && !condition(); ++i) std::this_thread::sleep_for(1ms);
  return condition();
}

// Remembers the pictures in the order they were begun.
struct Order {
  std::mutex mutex;
  std::vector<std::string> pictures;
  void add(Bytes bytes) {
    const std::lock_guard lock(mutex);
    pictures.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
};

// An engine with one worker that is held at its first picture until the others wait behind it.
struct Crowd {
  explicit Crowd(EngineOptions options) {
    options.passed = [this](const Pass& pass) {
      const std::lock_guard lock(mutex);
      passes.push_back(pass);
    };
    gate.close();
    const auto observer = [this](Bytes bytes, Purpose) { order.add(bytes); };
    engine =
        std::make_unique<Engine>(fake_analysers(1, {.gate = &gate, .observer = observer, .two_steps = true}), options);
  }

  std::future<Batch> ask(std::string_view faces, Purpose purpose = Purpose::recognise) {
    auto batch = analyse(*engine, {picture(faces)}, purpose);
    const auto behind = asked++;
    REQUIRE(gate.reached_by(1));
    REQUIRE(soon([&] { return waiting() == behind; }));
    return batch;
  }
  [[nodiscard]] std::size_t waiting() const {
    const auto load = engine->load();
    return load.recognise_waiting + load.enrol_waiting;
  }
  [[nodiscard]] std::vector<std::size_t> pictures_of_passes() {
    const std::lock_guard lock(mutex);
    std::vector<std::size_t> result;
    for (const Pass& pass : passes) result.push_back(pass.pictures);
    return result;
  }

  Gate gate;
  Order order;
  std::size_t asked = 0;
  std::mutex mutex;
  std::vector<Pass> passes;
  std::unique_ptr<Engine> engine;
};

}  // namespace

TEST_CASE("faces of requests that wait are embedded together, and everybody gets their own") {
  Crowd crowd({.max_wait = 1h});
  auto first = crowd.ask("ANI"), second = crowd.ask("BUDI CITRA"), third = crowd.ask("none"),
       fourth = crowd.ask("DEWI");
  crowd.gate.open();
  CHECK(first.get().analyses.at(0).faces.at(0).embedding == embedding_of("ANI"));
  const auto two = second.get();
  CHECK(two.analyses.at(0).faces.at(0).embedding == embedding_of("BUDI"));
  CHECK(two.analyses.at(0).faces.at(1).embedding == embedding_of("CITRA"));
  CHECK(third.get().analyses.at(0).faces.empty());
  const auto last = fourth.get();
  CHECK(last.analyses.at(0).faces.at(0).embedding == embedding_of("DEWI"));
  CHECK(last.analyses.at(0).times.queue > 0);
  REQUIRE(crowd.passes.size() == 1);
  CHECK(crowd.passes[0].pictures == 3);
  CHECK(crowd.passes[0].faces == 4);
}

TEST_CASE("where each picture stands for itself, one that fails spoils no other and nothing is looked at twice") {
  std::atomic<int> analysed = 0;
  Engine engine(fake_analysers(2, {.analysed = &analysed}), {});
  const std::vector pictures{picture("broken"), picture("ANI"), picture("broken"), picture("BUDI")};
  const auto outcomes = engine.analyse_each(pictures, Purpose::recognise, in(5s));
  REQUIRE(outcomes.size() == 4);
  for (const std::size_t bad : {0U, 2U}) CHECK_THROWS_AS(std::rethrow_exception(outcomes[bad].error), Error);
  CHECK(outcomes[1].analysis.faces.at(0).embedding == embedding_of("ANI"));
  CHECK(outcomes[3].analysis.faces.at(0).embedding == embedding_of("BUDI"));
  CHECK(analysed == 4);
}

TEST_CASE("nobody waits for pictures that have not come") {
  Crowd crowd({.max_wait = 1h});
  crowd.gate.open();
  CHECK_FALSE(crowd.engine->analyse(std::vector{picture("ANI")}, Purpose::recognise, in(5s)).failure);
  CHECK_FALSE(crowd.engine->analyse(std::vector{picture("BUDI")}, Purpose::enrol, in(5s)).failure);
  CHECK(crowd.pictures_of_passes() == std::vector<std::size_t>{1, 1});
}

TEST_CASE("a pass takes so many faces, and no face waits long for others") {
  const auto passes_with = [](EngineOptions options) {
    Crowd crowd(std::move(options));
    std::vector<std::future<Batch>> all;
    for (const auto* name : {"ANI", "BUDI", "CITRA", "DEWI", "EKO"}) all.push_back(crowd.ask(name));
    crowd.gate.open();
    for (auto& batch : all) CHECK_FALSE(batch.get().failure);
    return crowd.pictures_of_passes();
  };
  CHECK(passes_with({.max_batch = 2, .max_wait = 1h}) == std::vector<std::size_t>{2, 2, 1});
  CHECK(passes_with({.max_batch = 1, .max_wait = 1h}) == std::vector<std::size_t>(5, 1));
  CHECK(passes_with({.max_wait = 0ms}) == std::vector<std::size_t>(5, 1));
}

TEST_CASE("pictures of one request share passes, however long they take") {
  Crowd crowd({.max_batch = 4, .max_wait = 0ms});
  auto batch = analyse(*crowd.engine, {10, picture("ANI")}, Purpose::recognise);
  REQUIRE(crowd.gate.reached_by(1));
  crowd.gate.open();
  CHECK(batch.get().analyses.size() == 10);
  CHECK(crowd.pictures_of_passes() == std::vector<std::size_t>{4, 4, 2});
}

TEST_CASE("a fault in a shared pass is told to whom it belongs") {
  Crowd crowd({.max_wait = 1h});
  auto first = crowd.ask("ANI"), second = crowd.ask("unembeddable"), third = crowd.ask("BUDI");
  crowd.gate.open();
  CHECK(first.get().analyses.at(0).faces.at(0).embedding == embedding_of("ANI"));
  REQUIRE(second.get().failure);
  CHECK(third.get().analyses.at(0).faces.at(0).embedding == embedding_of("BUDI"));
}

TEST_CASE("enrolments that share a pass make way for a recognition") {
  Crowd crowd({.max_wait = 1h});
  auto first = crowd.ask("ANI", Purpose::enrol), second = crowd.ask("BUDI", Purpose::enrol);
  auto third = crowd.ask("CITRA", Purpose::enrol), recognition = crowd.ask("DEWI");
  crowd.gate.open();
  for (auto* batch : {&first, &second, &third, &recognition}) CHECK_FALSE(batch->get().failure);
  CHECK(crowd.order.pictures == std::vector<std::string>{"ANI", "DEWI", "BUDI", "CITRA"});
  CHECK(crowd.pictures_of_passes() == std::vector<std::size_t>{1, 1, 2});
}

TEST_CASE("a batch gives an analysis for every picture, in order") {
  Engine engine(fake_analysers(3), {});
  CHECK(engine.model() == "fake-1");
  const std::vector<Bytes> pictures = {picture("ANI"), picture("none"), picture("BUDI CITRA"), picture("ANI")};
  const auto batch = engine.analyse(pictures, Purpose::recognise, in(5s));
  REQUIRE_FALSE(batch.failure);
  REQUIRE(batch.analyses.size() == 4);
  CHECK(batch.analyses[0].faces.at(0).embedding == embedding_of("ANI"));
  CHECK(batch.analyses[1].faces.empty());
  CHECK(batch.analyses[2].faces.size() == 2);
  CHECK(engine.analyse({}, Purpose::enrol, in(0s)).analyses.empty());
}

TEST_CASE("an engine needs workers, all of one model") {
  CHECK_THROWS_AS(Engine({}, {}), Error);
  auto analysers = fake_analysers(1);
  analysers.push_back(std::move(fake_analysers(1, {"fake-2"}).front()));
  CHECK_THROWS_AS(Engine(std::move(analysers), {}), Error);
}

TEST_CASE("of several pictures that fail the earliest is told, and what has not begun is dropped") {
  std::atomic<int> analysed{0};
  Engine engine(fake_analysers(1, {.analysed = &analysed}), {});
  const std::vector<Bytes> pictures = {picture("ANI"), picture("broken"), picture("ANI"), picture("fault")};
  const auto batch = engine.analyse(pictures, Purpose::enrol, in(5s));
  REQUIRE(batch.failure);
  CHECK(batch.failure->index == 1);
  CHECK_THROWS_AS(std::rethrow_exception(batch.failure->error), Error);
  CHECK(analysed == 2);
  CHECK(engine.load().enrol_waiting == 0);
}

TEST_CASE("the earliest failure wins also when a later one comes first") {
  Gate gate;
  std::atomic<bool> second_done{false};
  const auto observer = [&](Bytes bytes, Purpose) {
    if (bytes.size() == 6) {  // "broken", the first picture: held until the second has failed
      gate.pass();
    } else {
      second_done = true;
    }
  };
  gate.close();
  Engine engine(fake_analysers(3, {.observer = observer}), {});
  auto batch = analyse(engine, {picture("broken"), picture("broken2"), picture("ANI")}, Purpose::enrol);
  REQUIRE(gate.reached_by(1));
  REQUIRE(soon([&] { return second_done.load(); }));
  gate.open();
  CHECK(batch.get().failure->index == 0);
}

TEST_CASE("recognitions go before enrolments, and callers' enrolments take turns") {
  Gate gate;
  Order order;
  gate.close();
  Engine engine(fake_analysers(1, {.gate = &gate, .observer = [&](Bytes bytes, Purpose) { order.add(bytes); }}), {});
  auto first = analyse(engine, {picture("A1"), picture("A2"), picture("A3")}, Purpose::enrol);
  REQUIRE(gate.reached_by(1));  // A1 is begun
  auto second = analyse(engine, {picture("B1"), picture("B2")}, Purpose::enrol);
  REQUIRE(soon([&] { return engine.load().enrol_waiting == 4; }));
  auto third = analyse(engine, {picture("R")}, Purpose::recognise);
  REQUIRE(soon([&] { return engine.load().recognise_waiting == 1; }));
  gate.open();
  first.get();
  second.get();
  third.get();
  CHECK(order.pictures == std::vector<std::string>{"A1", "R", "A2", "B1", "A3", "B2"});
}

TEST_CASE("one of several workers is always free of enrolments") {
  Gate gate;
  gate.close();
  Engine engine(fake_analysers(3, {.observer =
                                       [&](Bytes, Purpose purpose) {
                                         if (purpose == Purpose::enrol) gate.pass();
                                       }}),
                {});
  auto enrolment = analyse(engine, {5, picture("ANI")}, Purpose::enrol);
  REQUIRE(gate.reached_by(2));
  CHECK(engine.load().running == 2);
  CHECK(engine.load().enrol_waiting == 3);
  CHECK_FALSE(analyse(engine, {picture("BUDI")}, Purpose::recognise).get().failure);
  gate.open();
  CHECK(enrolment.get().analyses.size() == 5);
}

TEST_CASE("a full queue refuses at once, whole batches or nothing") {
  Gate gate;
  gate.close();
  Engine engine(fake_analysers(1, {.gate = &gate}), {.recognise_queue = 2, .enrol_queue = 3});
  auto running = analyse(engine, {picture("ANI")}, Purpose::recognise);
  REQUIRE(gate.reached_by(1));
  auto first = analyse(engine, {picture("ANI")}, Purpose::recognise);
  auto second = analyse(engine, {picture("ANI")}, Purpose::recognise);
  REQUIRE(soon([&] { return engine.load().recognise_waiting == 2; }));
  CHECK(cause_of(analyse(engine, {picture("ANI")}, Purpose::recognise)) == Cause::busy);
  CHECK(cause_of(analyse(engine, {4, picture("ANI")}, Purpose::enrol)) == Cause::busy);
  CHECK(engine.load().enrol_waiting == 0);
  auto enrolment = analyse(engine, {3, picture("ANI")}, Purpose::enrol);
  gate.open();
  for (auto* batch : {&running, &first, &second, &enrolment}) CHECK_FALSE(batch->get().failure);
  CHECK_FALSE(analyse(engine, {picture("ANI")}, Purpose::recognise).get().failure);
}

TEST_CASE("what waited past its deadline is refused in time and never computed") {
  Gate gate;
  std::atomic<int> analysed{0};
  gate.close();
  Engine engine(fake_analysers(1, {.gate = &gate, .analysed = &analysed}), {});
  auto running = analyse(engine, {picture("ANI")}, Purpose::recognise);
  REQUIRE(gate.reached_by(1));
  CHECK(cause_of(analyse(engine, {picture("BUDI")}, Purpose::recognise, 20ms)) == Cause::late);
  CHECK(cause_of(analyse(engine, {picture("BUDI")}, Purpose::recognise, -1s)) == Cause::late);
  CHECK(engine.load().recognise_waiting == 0);
  gate.open();
  CHECK_FALSE(running.get().failure);
  CHECK(analysed == 1);
}

TEST_CASE("a batch that is late waits for its running pictures, whose bytes are its caller's") {
  Gate gate;
  gate.close();
  Engine engine(fake_analysers(2, {.gate = &gate}), {});
  auto batch = analyse(engine, {2, picture("ANI")}, Purpose::enrol, 500ms);
  REQUIRE(gate.reached_by(1));
  CHECK(batch.wait_for(700ms) == std::future_status::timeout);
  gate.open();
  CHECK(cause_of(std::move(batch)) == Cause::late);
}

TEST_CASE("stopping ends running work, drops what waits and refuses what comes") {
  Gate gate;
  gate.close();
  Engine engine(fake_analysers(1, {.gate = &gate}), {});
  auto running = analyse(engine, {picture("ANI")}, Purpose::recognise);
  REQUIRE(gate.reached_by(1));
  auto waiting = analyse(engine, {picture("ANI")}, Purpose::recognise);
  auto enrolment = analyse(engine, {picture("ANI"), picture("ANI")}, Purpose::enrol);
  REQUIRE(soon([&] { return engine.load().recognise_waiting == 1 && engine.load().enrol_waiting == 2; }));
  std::jthread stopper([&] { engine.stop(); });
  CHECK(cause_of(std::move(waiting)) == Cause::stopping);
  CHECK(cause_of(std::move(enrolment)) == Cause::stopping);
  gate.open();
  CHECK_FALSE(running.get().failure);
  stopper.join();
  CHECK(cause_of(analyse(engine, {picture("ANI")}, Purpose::recognise)) == Cause::stopping);
}
