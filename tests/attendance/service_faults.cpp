// Service: what holds while trainings fail or drag on, models change, and many threads come at once.
#include "attendance/service.hpp"

#include "service_calls.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <future>
#include <thread>
#include <utility>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

// A store that does what a test wants around an operation of the real one.
struct HookedStore final : Store {
  explicit HookedStore(Store& real) : store(real) {}
  std::vector<PersonSummary> people() override { return store.people(); }
  std::optional<Person> find(std::string_view nik) override { return store.find(nik); }
  std::vector<Digest> photos_of(std::string_view nik, std::string_view model) override {
    return store.photos_of(nik, model);
  }
  Embeddings embeddings(std::string_view model) override { return store.embeddings(model); }
  std::optional<Enrolled> enrol(const Enrolment& enrolment) override {
    before();
    auto enrolled = store.enrol(enrolment);
    after_enrol();
    return enrolled;
  }
  std::optional<Removed> remove(std::string_view nik, std::string_view name) override {
    return store.remove(nik, name);
  }
  bool record(const AttendanceRecord& record) override {
    before();
    return store.record(record);
  }
  std::int64_t record_past(std::span<const AttendanceRecord> records) override { return store.record_past(records); }
  std::vector<AttendanceRow> attendance(Time from, Time to, std::int64_t after, std::size_t limit) override {
    return store.attendance(from, to, after, limit);
  }
  std::vector<AttendanceRow> attendance_of(const Person& person) override { return store.attendance_of(person); }
  std::int64_t prune(Time end) override { return store.prune(end); }
  StoreCounts counts(std::string_view model) override { return store.counts(model); }
  std::vector<WaitingPerson> waiting(std::string_view model) override { return store.waiting(model); }
  std::vector<KeptPicture> pictures_without(std::string_view model, PhotoId after, std::size_t limit) override {
    return store.pictures_without(model, after, limit);
  }
  std::vector<StoredEmbedding> add_embeddings(std::string_view model, std::span<const StoredEmbedding> embeddings,
                                              Time at) override {
    return store.add_embeddings(model, embeddings, at);
  }

  Store& store;
  std::function<void()> before = [] {}, after_enrol = [] {};
};

}  // namespace

TEST_CASE("if training fails the upload says so, the former classifier serves on, and the photos count later") {
  std::atomic<bool> fails{false};
  Site site;
  site.options.train = [&](auto samples, const auto& options) {
    if (fails) fail(ErrorKind::model, "secret detail");
    return train_nearest_mean(samples, options);
  };
  Service& service = site.start();
  upload(service, "1", "ANI", {photo("ANI:1")});
  fails = true;
  CHECK(Site::cause_of([&] { upload(service, "2", "BUDI", {photo("BUDI:1")}); }) == Cause::training);
  CHECK_FALSE(has(refusal_text([&] { upload(service, "2", "BUDI", {photo("BUDI:2")}); }), "secret"));
  CHECK(has(site.warnings().at(0), "secret detail"));
  CHECK(service.status().training_error == "secret detail");
  CHECK(recognise(service, "1", "ANI:2").nik_matched);
  CHECK_FALSE(recognise(service, "2", "BUDI:3").nik_matched);

  const auto removed = service.remove("1", "ANI");
  CHECK_FALSE(removed.trained);
  CHECK(removed.training_error == "training failed");
  CHECK_FALSE(recognise(service, "1", "ANI:2").nik_matched);  // gone all the same

  fails = false;
  CHECK(upload(service, "2", "BUDI", {photo("BUDI:1")}).stored == 1);  // nothing new, but training is tried again
  CHECK(recognise(service, "2", "BUDI:3").nik_matched);
}

TEST_CASE("a slow training delays no recognition and hides no removal") {
  Gate gate;
  Site site;
  site.options.training_deadline = 1s;
  site.options.train = [&](auto samples, const auto& options) {
    gate.pass();
    return train_nearest_mean(samples, options);
  };
  Service& service = site.start();
  upload(service, "1", "ANI", {photo("ANI:1")});
  gate.close();
  auto uploading = std::async(std::launch::async,
                              [&] { return Site::cause_of([&] { upload(service, "2", "BUDI", {photo("BUDI:1")}); }); });
  REQUIRE(gate.reached_by(1));
  CHECK(recognise(service, "1", "ANI:2").nik_matched);
  CHECK_FALSE(service.remove("1", "ANI").trained);
  CHECK_FALSE(recognise(service, "1", "ANI:2").nik_matched);
  CHECK(uploading.get() == Cause::training);
  gate.open();
}

TEST_CASE("whoever is removed while their picture is looked at is not matched, whatever the gallery said") {
  Site site;
  site.start();
  HookedStore store(*site.store);
  Service service(store, *site.engine, site.options);
  upload(service, "1", "ANI", {photo("ANI:1")});
  bool removed = false;
  store.before = [&] {
    if (!std::exchange(removed, true)) site.store->remove("1", "ANI");
  };

  SUBCASE("recognising") {
    const auto result = recognise(service, "1", "ANI:2");
    CHECK_FALSE(result.nik_matched);
    CHECK(result.results.at(0).name == "Unknown");
    CHECK(result.message == "Wajah Tidak Dikenali");
    REQUIRE(site.rows().size() == 1);
    CHECK_FALSE(site.rows()[0].matched);
    CHECK(site.log_lines().at(0).ends_with("Matched: False"));
  }
  SUBCASE("uploading photos they had: all of them are stored again") {
    CHECK(upload(service, "1", "ANI", {photo("ANI:1"), photo("ANI:2")}).stored == 2);
    CHECK(service.people().at(0).photos == 2);
    CHECK(recognise(service, "1", "ANI:3").nik_matched);
  }
}

TEST_CASE("a removal that comes right behind an enrolment is not undone by it") {
  Site site;
  site.start();
  HookedStore store(*site.store);
  Service service(store, *site.engine, site.options);
  Gate gate;
  gate.close();
  store.after_enrol = [&] { gate.pass(); };
  // Committed, but the gallery does not know it yet.
  auto uploading = std::async(std::launch::async, [&] { upload(service, "1", "ANI", {photo("ANI:1")}); });
  REQUIRE(gate.reached_by(1));
  auto removing = std::async(std::launch::async, [&] { service.remove("1", "ANI"); });
  removing.wait_for(100ms);
  gate.open();
  uploading.get();
  removing.get();
  CHECK(service.people().empty());
  CHECK_FALSE(recognise(service, "1", "ANI:2 STRANGER").results.at(0).nik);
}

TEST_CASE("with another model, kept pictures are embedded again and the rest is asked for") {
  Site site({.keep_pictures = true});
  upload(site.start(), "1", "ANI", {photo("ANI:1"), photo("ANI:2")});
  site.stop();
  site.analyser.keep_pictures = false;
  upload(site.start(), "2", "BUDI", {photo("BUDI:1")});
  site.stop();
  site.analyser.model = "fake-2";
  Service& service = site.start();
  REQUIRE(site.warnings().size() == 1);
  CHECK(has(site.warnings()[0], "2 of 2 people have no embedding of model fake-2"));
  for (int i = 0; i < 5000 && service.reembedding().running; ++i) std::this_thread::sleep_for(1ms);
  CHECK(service.reembedding().done == 2);
  CHECK(service.reembedding().total == 2);
  CHECK(service.reembedding().failed == 0);
  const auto waiting = service.waiting();
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0].person.name == "BUDI");
  CHECK(waiting[0].pictures == 0);
  for (int i = 0; i < 5000 && !recognise(service, "1", "ANI:3").nik_matched; ++i) std::this_thread::sleep_for(1ms);
  CHECK(recognise(service, "1", "ANI:3").nik_matched);
  CHECK_FALSE(recognise(service, "2", "BUDI:2").nik_matched);
  CHECK(service.status().counts.waiting_people == 1);
  CHECK(upload(service, "2", "BUDI", {photo("BUDI:1")}).stored == 1);
  CHECK(recognise(service, "2", "BUDI:2").nik_matched);
  CHECK(service.status().counts.waiting_people == 0);
}

TEST_CASE("a kept picture that cannot be embedded again costs itself, not the others") {
  Site site({.keep_pictures = true});
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) names.push_back("ANI:" + std::to_string(i));
  std::vector<File> files;
  for (const auto& name : names) files.push_back(photo(name));
  upload(site.start(), "1", "ANI", files);
  site.stop();
  site.analyser.model = "fake-2";
  site.analyser.observer = [](Bytes bytes, Purpose) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text == "ANI:7") fail(ErrorKind::input, "the picture is damaged");
  };
  Service& service = site.start();
  for (int i = 0; i < 5000 && service.reembedding().running; ++i) std::this_thread::sleep_for(1ms);
  CHECK_FALSE(service.status().reembedding);
  CHECK(service.reembedding().done == 20);
  CHECK(service.reembedding().failed == 1);
  CHECK(site.store->embeddings("fake-2").intact.size() == 19);
  CHECK(service.status().counts.waiting_pictures == 1);
  CHECK(service.waiting().empty());
  CHECK(has(site.warnings().back(), "damaged"));
}

TEST_CASE("many threads enrol, remove and recognise: the history is that of one after the other") {
  Site site({}, 3);
  Service& service = site.start();
  constexpr int people = 4;
  constexpr int rounds = 20;
  std::atomic<int> wrong{0}, recognised{0};

  // One thread owns one person and checks what it was promised; another recognises everybody all the time.
  const auto own = [&](int number) {
    const auto nik = std::to_string(number);
    const auto name = "PERSON" + nik;
    for (int round = 0; round < rounds; ++round) {
      const auto face = name + ":" + std::to_string(round);
      if (upload(service, nik, name, {photo(face)}).stored != 1) ++wrong;
      if (!recognise(service, nik, face).nik_matched) ++wrong;
      if (round % 3 == 0) continue;
      service.remove(nik, name);
      const auto after = recognise(service, nik, face);
      if (after.nik_matched || after.results.at(0).nik == nik) ++wrong;
    }
    upload(service, nik, name, {photo(name)});
  };
  std::atomic<bool> done{false};
  std::jthread watcher([&] {
    while (!done) {
      for (int number = 0; number < people; ++number) {
        const auto name = "PERSON" + std::to_string(number);
        const auto result = recognise(service, std::to_string(number), name);
        // Another name than one's own would mean that names and labels came apart.
        if (result.results.at(0).nik && result.results[0].name != name) ++wrong;
        ++recognised;
      }
    }
  });
  {
    std::vector<std::jthread> owners;
    for (int number = 0; number < people; ++number) owners.emplace_back(own, number);
  }
  done = true;
  watcher.join();
  CHECK(wrong == 0);
  CHECK(service.people().size() == people);
  const auto rows = site.rows();
  const auto expected = static_cast<std::size_t>(recognised + people * (rounds + (rounds - (rounds + 2) / 3)));
  CHECK(rows.size() == expected);
  CHECK(site.log_lines().size() == expected);
  CHECK(site.warnings().empty());
}
