// Service: people who left, withdrew consent or were deactivated, also while photos of them are looked at.
#include "attendance/storage/sqlite_consent_store.hpp"
#include "attendance/storage/sqlite_people_store.hpp"
#include "service_calls.hpp"
#include "storage_contracts.hpp"
#include "store_contract.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <thread>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

void set_active(Site& site, PersonId person, bool active) {
  PersonChange change;
  change.active = active;
  REQUIRE(SqlitePeopleStore(*site.database).update(person, change, std::nullopt).fault == ChangeFault::none);
}

bool matchable(Service& service, std::string_view face) {
  return recognise(service, "1", face).results.at(0).nik.has_value();
}

}  // namespace

TEST_CASE("photos of somebody who is deactivated are refused, and match nobody") {
  Site site;
  Service& service = site.start();
  const auto ani = upload(service, "1", "ANI", {photo("ANI:1")}).person.id;
  set_active(site, ani, false);
  service.gone(ani);
  const auto refused = [&] { upload(service, "1", "ANI BARU", {photo("ANI:2")}); };
  CHECK(Site::cause_of(refused) == Cause::inactive);
  CHECK(has(refusal_text(refused), "NIK 1 is deactivated"));
  CHECK(service.status().counts.photos == 1);
  CHECK(site.store->find("1")->name == "ANI");
  CHECK_FALSE(matchable(service, "ANI:2"));

  set_active(site, ani, true);
  service.reload();
  upload(service, "1", "ANI", {photo("ANI:2")});
  CHECK(matchable(service, "ANI:3"));
}

TEST_CASE("a new model embeds no picture of somebody who is deactivated, and a restart brings nobody back") {
  Site site({.keep_pictures = true});
  const auto ani = upload(site.start(), "1", "ANI", {photo("ANI:1")}).person.id;
  upload(*site.service, "2", "BUDI", {photo("BUDI:1")});
  set_active(site, ani, false);
  site.stop();
  CHECK(site.start().gallery()->people->size() == 1);
  site.stop();
  site.analyser.model = "fake-2";
  Service& service = site.start();
  for (int i = 0; i < 5000 && service.reembedding().running; ++i) std::this_thread::sleep_for(1ms);
  CHECK(service.reembedding().total == 1);
  CHECK(service.reembedding().done == 1);
  CHECK(service.waiting().empty());
  CHECK(site.store->pictures_without("fake-2", 0, 10).empty());
  CHECK(site.store->add_embeddings("fake-3", std::vector<StoredEmbedding>{{1, ani, embedding_of("ANI")}}, {}).empty());
  service.settle();
  CHECK_FALSE(matchable(service, "ANI:2"));
  CHECK(recognise(service, "2", "BUDI:2").nik_matched);
}

TEST_CASE("an enrolment brings back nobody who left, and undoes no change, while the photos were looked at") {
  std::function<void()> meanwhile = [] {};
  Site site({.observer = [&](Bytes, Purpose purpose) {
    if (purpose == Purpose::enrol) meanwhile();
  }});
  Service& service = site.start();
  SqlitePeopleStore people(*site.database);
  SqliteConsentStore consents(*site.database);
  const auto ani = upload(service, "1", "ANI", {photo("ANI:1")}).person.id;
  REQUIRE(consents.give(ani, "v1", "paper", at_second(1)));
  const std::vector<File> files{photo("ANI:2")};
  const auto enrol = [&] { service.upload("1", "ANI", files, Force::no, Recognisable::on_return, {ani, true}); };

  SUBCASE("erased") {
    meanwhile = [&] { (void)people.remove(ani, true, at_second(2), std::nullopt); };
    CHECK(Site::cause_of(enrol) == Cause::unknown_person);
    CHECK(service.people().empty());
  }
  SUBCASE("erased, and the NIK given to another") {
    meanwhile = [&] {
      (void)people.remove(ani, true, at_second(2), std::nullopt);
      (void)people.create({"1", "BUDI", {}, at_second(2)});
    };
    CHECK(Site::cause_of(enrol) == Cause::unknown_person);
    CHECK(people.person_with("1")->person.name == "BUDI");
    CHECK(people.person_with("1")->photos == 0);
  }
  SUBCASE("renamed") {
    meanwhile = [&] {
      PersonChange change;
      change.name = "ANI BARU";
      (void)people.update(ani, change, std::nullopt);
    };
    CHECK_FALSE(Site::cause_of(enrol));
    CHECK(people.person(ani)->person.name == "ANI BARU");
    CHECK(people.person(ani)->photos == 2);
    CHECK(recognise(service, "1", "ANI:3").results.at(0).name == "ANI BARU");
  }
  SUBCASE("consent withdrawn") {
    meanwhile = [&] { (void)consents.withdraw(ani, at_second(2)); };
    CHECK(Site::cause_of(enrol) == Cause::inactive);
    CHECK(people.person(ani)->photos == 1);
  }
  SUBCASE("without a consent") {
    const auto budi = people.create({"2", "BUDI", {}, at_second(2)}).person->person.id;
    const std::vector<File> theirs{photo("BUDI:1")};
    CHECK(Site::cause_of([&] {
            service.upload("2", "BUDI", theirs, Force::no, Recognisable::on_return, {budi, true});
          }) == Cause::consent_missing);
    CHECK(people.person(budi)->photos == 0);
  }
}

TEST_CASE("whoever withdrew consent is active again only with a new one") {
  Site site;
  Service& service = site.start();
  SqlitePeopleStore people(*site.database);
  SqliteConsentStore consents(*site.database);
  const auto ani = upload(service, "1", "ANI", {photo("ANI:1")}).person.id;
  REQUIRE(consents.give(ani, "v1", "paper", at_second(1)));
  CHECK(consents.withdraw(ani, at_second(2)) == 1);
  PersonChange change;
  change.active = true;
  const auto version = people.person(ani)->version;
  CHECK(people.update(ani, change, std::nullopt).fault == ChangeFault::consent_missing);
  CHECK(people.person(ani)->version == version);
  CHECK_FALSE(people.person(ani)->details.active);
  REQUIRE(consents.give(ani, "v2", "paper", at_second(3)));
  CHECK(people.update(ani, change, std::nullopt).fault == ChangeFault::none);
  CHECK(people.person(ani)->details.active);
}

TEST_CASE("an embedding of another length keeps nobody else from being recognised, nor the server from starting") {
  Site site;
  upload(site.start(), "1", "ANI", {photo("ANI:1")});
  upload(*site.service, "2", "BUDI", {photo("BUDI:1")});
  site.stop();
  site.start();
  auto odd = enrolment("3", "CITRA", {});
  odd.model = site.analyser.model;
  odd.photos = {{digest_number(9), 10, 10, {1, 2, 3}, {}}};
  REQUIRE(site.store->enrol(odd)->added.size() == 1);
  site.stop();
  Service& service = site.start();
  CHECK(service.status().damaged == 1);
  CHECK(recognise(service, "1", "ANI:2").nik_matched);
  upload(service, "2", "BUDI", {photo("BUDI:2")});
  CHECK(recognise(service, "2", "BUDI:3").nik_matched);
}

TEST_CASE("a file that cannot be decoded is told by its place, whatever its name") {
  Site site;
  Service& service = site.start();
  const std::string name(300, 'a');
  const std::vector<File> files{{name + "1.jpg", picture("ANI:1")}, {name + "2.jpg", picture("broken")}};
  try {
    service.upload("1", "ANI", files);
    FAIL("accepted");
  } catch (const Refusal& refusal) {
    CHECK(refusal.cause() == Cause::undecodable);
    REQUIRE(refusal.skipped().size() == 1);
    CHECK(refusal.skipped()[0].index == 1);
    CHECK(refusal.skipped()[0].reason == "picture: not a JPEG, PNG or WebP");
  }
}

TEST_CASE("the daily log forgets an erased NIK and keeps every line") {
  Site site;
  Service& service = site.start();
  upload(service, "123", "PLANTED ANI", {photo("ANI:1")});
  recognise(service, "123", "ANI:2");
  recognise(service, "123", "STRANGER");
  recognise(service, "1234", "ANI:2");
  const auto logs = site.options.log_folder;
  std::ofstream(logs / "logging_01-02-2024.txt")
      << "07:58:11 - NIK: 123, Name: PLANTED ANI, Accuracy: 0.5, Matched: True\r\n"
         "nothing of ours\n07:58:12 - NIK: 9, Name: BUDI, Accuracy: 0.9, "
         "Matched: True";
  service.forget_in_log("123");
  CHECK_FALSE(anywhere_below(logs, "PLANTED ANI"));
  CHECK_FALSE(anywhere_below(logs, "NIK: 123,"));
  REQUIRE(site.log_lines().size() == 3);
  CHECK(has(site.log_lines()[0], "NIK: -, Name: -, Accuracy: 0.9"));
  CHECK(site.log_lines()[0].ends_with("Matched: True"));
  CHECK(has(site.log_lines()[1], "NIK: -, Name: -, Accuracy: 0.0, Matched: False"));
  CHECK(has(site.log_lines()[2], "NIK: 1234, Name: Unknown"));
  CHECK(contents(logs / "logging_01-02-2024.txt") ==
        "07:58:11 - NIK: -, Name: -, Accuracy: 0.5, Matched: True\nnothing of ours\n"
        "07:58:12 - NIK: 9, Name: BUDI, Accuracy: 0.9, Matched: True");
  CHECK(std::filesystem::status(logs / "logging_01-02-2024.txt").permissions() == std::filesystem::perms(0600));
  recognise(service, "9", "ANI:2");
  CHECK(site.log_lines().size() == 4);
}
