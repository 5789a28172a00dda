#include "store_contract.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

namespace wajah::attendance::testing {
namespace {

Time at(std::int64_t seconds) { return Time(std::chrono::seconds(seconds)); }

std::vector<std::string> names_of(Store& store) {
  std::vector<std::string> names;
  for (const PersonSummary& summary : store.people()) names.push_back(summary.person.name);
  return names;
}

void check_enrolling(Store& store) {
  INFO("enrolling");
  const auto first = store.enrol(enrolment("1", "ANI", {1, 2}));
  REQUIRE(first);
  CHECK(first->person.nik == "1");
  CHECK_FALSE(first->former_name);
  REQUIRE(first->added.size() == 2);
  CHECK(first->added[0].values == new_photo(1).embedding);
  CHECK(store.find("1") == first->person);
  CHECK_FALSE(store.find("2"));
  CHECK_FALSE(store.find(""));

  INFO("the same photos again change nothing; in one enrolment they count once");
  CHECK(store.enrol(enrolment("1", "ANI", {1, 2, 3, 3}))->added.size() == 1);
  REQUIRE(store.people().size() == 1);
  CHECK(store.people()[0].photos == 3);
  CHECK(store.people()[0].enrolled_at == at(1000));

  INFO("a new name renames and keeps the identity");
  const auto renamed = store.enrol(enrolment("1", "ANI SURYANI", {}));
  CHECK(renamed->person.id == first->person.id);
  CHECK(renamed->former_name == "ANI");
  CHECK(store.find("1")->name == "ANI SURYANI");

  INFO("the same photo may belong to two people");
  CHECK(store.enrol(enrolment("2", "BUDI", {1}))->added.size() == 1);
  CHECK(names_of(store) == std::vector<std::string>{"ANI SURYANI", "BUDI"});
}

void check_embeddings(Store& store) {
  INFO("embeddings");
  const auto all = store.embeddings("m1");
  CHECK(all.damaged == 0);
  REQUIRE(all.intact.size() == 4);
  CHECK(all.intact[3].values == new_photo(1).embedding);
  CHECK(store.embeddings("m2").intact.empty());
  const auto known = store.photos_of("1", "m1");
  CHECK(known == std::vector{digest_number(1), digest_number(2), digest_number(3)});
  CHECK(store.photos_of("1", "m2").empty());
  CHECK(store.photos_of("nobody", "m1").empty());

  INFO("a known photo gets the embedding of another model");
  CHECK(store.enrol(enrolment("2", "BUDI", {1}, "m2"))->added.size() == 1);
  CHECK(store.embeddings("m2").intact.size() == 1);
  CHECK(store.people()[1].photos == 1);
  CHECK(store.counts("m2").waiting_people == 1);
  CHECK(store.counts("m1").waiting_people == 0);
  CHECK(store.counts("m1").waiting_pictures == 0);
  const auto waiting = store.waiting("m2");
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0].person.nik == "1");
  CHECK(waiting[0].pictures == store.counts("m2").waiting_pictures);
  CHECK(store.waiting("m1").empty());
  CHECK(store.counts("m1").people == 2);
  CHECK(store.counts("m1").photos == 4);
}

void check_conditions(Store& store) {
  INFO("an enrolment whose known photos are gone does nothing");
  auto stale = enrolment("1", "RENAMED", {9});
  stale.known = {digest_number(1), digest_number(77)};
  CHECK_FALSE(store.enrol(stale));
  CHECK(store.find("1")->name == "ANI SURYANI");
  CHECK(store.people()[0].photos == 3);
  stale.nik = "77";
  CHECK_FALSE(store.enrol(stale));
  CHECK_FALSE(store.find("77"));
  auto fitting = enrolment("1", "ANI SURYANI", {});
  fitting.known = {digest_number(1)};
  CHECK(store.enrol(fitting));
}

void check_attendance(Store& store) {
  INFO("attendance");
  const auto ani = store.find("1");
  const auto budi = store.find("2");
  CHECK(store.record({at(2000), "1", ani->id, 0.75, 1}));
  CHECK(store.record({at(1999), "2", std::nullopt, 0, 3}));  // a clock that was set back
  CHECK(store.record({at(2001), "2", budi->id, 1, 1}));
  CHECK_FALSE(store.record({at(2002), "3", 999, 1, 1}));

  const auto rows = store.attendance(at(0), at(3000), 0, 100);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].person == *ani);
  CHECK(rows[0].matched);
  CHECK(rows[0].at == at(2000));
  CHECK(rows[0].accuracy == 0.75);
  CHECK(rows[0].claimed_nik == "1");
  CHECK_FALSE(rows[1].matched);
  CHECK_FALSE(rows[1].person);
  CHECK(rows[1].faces == 3);
  CHECK(rows[0].id < rows[1].id);

  CHECK(store.attendance(at(2000), at(2001), 0, 100).size() == 1);
  CHECK(store.attendance(at(0), at(3000), 0, 2).size() == 2);
  CHECK(store.attendance(at(0), at(3000), rows[1].id, 100).size() == 1);
}

void check_past(Store& store) {
  INFO("rows of the past are added once");
  const auto ani = store.find("1");
  const std::vector<AttendanceRecord> past{{at(500), "1", ani->id, 0.9, 1}, {at(501), "7", std::nullopt, 0, 1}};
  CHECK(store.record_past(past) == 2);
  CHECK(store.record_past(past) == 0);
  const auto rows = store.attendance(at(500), at(502), 0, 10);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].person == *ani);
  CHECK(rows[0].accuracy == 0.9);
  CHECK_FALSE(rows[1].matched);
  CHECK(store.record_past({}) == 0);
  CHECK(store.prune(at(501)) == 1);
  CHECK(store.attendance(at(0), at(502), 0, 10).size() == 1);
  CHECK(store.prune(at(501)) == 0);
  CHECK(store.record_past(past) == 1);
}

void check_removal(Store& store) {
  INFO("removal");
  const auto ani = *store.find("1");
  CHECK_FALSE(store.remove("1", "ANI"));
  CHECK_FALSE(store.remove("nobody", "ANI SURYANI"));
  CHECK_FALSE(store.remove("1", ""));
  CHECK(store.people().size() == 2);
  const auto removed = store.remove("1", "ANI SURYANI");
  REQUIRE(removed);
  CHECK(removed->person == ani);
  CHECK(removed->photos == 3);
  CHECK_FALSE(store.find("1"));
  CHECK_FALSE(store.remove("1", "ANI SURYANI"));
  CHECK(store.embeddings("m1").intact.size() == 1);
  CHECK(store.counts("m1").photos == 1);

  INFO("attendance stays, without the person");
  const auto rows = store.attendance(at(0), at(3000), 0, 100);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].matched);
  CHECK(rows[0].claimed_nik == "1");
  CHECK_FALSE(rows[0].person);
  CHECK_FALSE(store.record({at(2003), "1", ani.id, 1, 1}));

  INFO("an id is never used again");
  const auto newest = store.enrol(enrolment("3", "CITRA", {1}))->person.id;
  CHECK(newest > ani.id);
  REQUIRE(store.remove("3", "CITRA"));
  CHECK(store.enrol(enrolment("1", "CITRA", {1}))->person.id > newest);
}

void check_pictures(Store& store) {
  INFO("kept pictures");
  auto kept = enrolment("5", "DEWI", {51, 52, 53});
  kept.photos[0].picture = {std::byte{1}, std::byte{2}};
  kept.photos[2].picture = {std::byte{3}};
  const auto dewi = store.enrol(kept);
  CHECK(store.pictures_without("m1", 0, 10).empty());
  auto without = store.pictures_without("m3", 0, 10);
  REQUIRE(without.size() == 2);
  CHECK(without[0].photo == dewi->added[0].photo);
  CHECK(without[0].person == dewi->person.id);
  CHECK(without[0].bytes == kept.photos[0].picture);
  CHECK(store.pictures_without("m3", 0, 1).size() == 1);
  CHECK(store.pictures_without("m3", without[0].photo, 10).size() == 1);

  std::vector<StoredEmbedding> embeddings = {{without[0].photo, dewi->person.id, {1, 0}},
                                             {without[0].photo, dewi->person.id, {0, 1}},      // twice
                                             {without[1].photo, dewi->person.id + 1, {0, 1}},  // not theirs
                                             {987654, dewi->person.id, {0, 1}}};               // no such photo
  CHECK(store.add_embeddings("m3", embeddings, at(3000)).size() == 1);
  REQUIRE(store.embeddings("m3").intact.size() == 1);
  CHECK(store.embeddings("m3").intact[0].values == std::vector<float>{1, 0});
  CHECK(store.pictures_without("m3", 0, 10).size() == 1);
}

void check_texts(Store& store) {
  INFO("texts are data, not SQL");
  const std::string nasty = "x'; DROP TABLE person; --";
  CHECK(store.enrol(enrolment("'; DELETE FROM photo; --", nasty, {61})));
  CHECK(store.find("'; DELETE FROM photo; --")->name == nasty);
  CHECK(store.record({at(4000), nasty, std::nullopt, 0, 0}));
  CHECK(store.attendance(at(4000), at(4001), 0, 1).at(0).claimed_nik == nasty);
  CHECK(store.remove("'; DELETE FROM photo; --", nasty));
}

// Everything the interface shows, for comparing before and after.
std::string dump(Store& store) {
  std::string text;
  for (const auto& person : store.people())
    text += person.person.nik + person.person.name + std::to_string(person.photos);
  for (const char* model : {"m1", "m2", "m3"}) {
    for (const auto& embedding : store.embeddings(model).intact) {
      text += " " + std::to_string(embedding.photo) + std::to_string(embedding.values.at(0));
    }
  }
  for (const auto& row : store.attendance(Time::min(), Time::max(), 0, 100))
    text += " " + std::to_string(row.id) + row.claimed_nik;
  return text;
}

void check_threads(Store& store) {
  INFO("readers and writers at once: readers see whole enrolments only");
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::vector<std::jthread> threads;
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&] {
      while (!done) {
        for (const auto& person : store.people()) {
          if (person.person.nik.starts_with("t") && person.photos != 3) ++torn;
        }
      }
    });
  }
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < 2; ++writer) {
      writers.emplace_back([&, writer] {
        for (int i = 0; i < 10; ++i) {
          const auto nik = "t" + std::to_string(writer);
          store.enrol(enrolment(nik, "TONO", {1, 2, 3}));
          store.remove(nik, "TONO");
        }
      });
    }
  }
  done = true;
  threads.clear();
  CHECK(torn == 0);
}

}  // namespace

Digest digest_number(int number) {
  Digest digest{};
  digest[0] = static_cast<std::byte>(number);
  return digest;
}

NewPhoto new_photo(int number) {
  return {digest_number(number), 640, 480, {static_cast<float>(number), -0.0F, 1e-30F}, {}};
}

Enrolment enrolment(std::string nik, std::string name, std::vector<int> photos, std::string model) {
  Enrolment enrolment{std::move(nik), std::move(name), std::move(model), {}, {}, at(1000)};
  std::ranges::transform(photos, std::back_inserter(enrolment.photos), new_photo);
  return enrolment;
}

void check_store_contract(const std::function<Store&()>& reopen) {
  {
    Store& store = reopen();
    CHECK(store.people().empty());
    CHECK(store.counts("m1").people == 0);
    CHECK(store.attendance(Time::min(), Time::max(), 0, 10).empty());
    check_enrolling(store);
    check_embeddings(store);
    check_conditions(store);
    check_attendance(store);
    check_removal(store);
    check_past(store);
    check_pictures(store);
    check_texts(store);
    check_threads(store);
  }
  const auto before = dump(reopen());
  CHECK(before.size() > 20);
  CHECK(dump(reopen()) == before);
}

}  // namespace wajah::attendance::testing
