#include "storage_contracts.hpp"

#include "store_contract.hpp"

#include <wajah/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace wajah::attendance::testing {
namespace {

std::vector<std::string> names_in(const PeoplePage& page) {
  std::vector<std::string> names;
  for (const auto& record : page.people) names.push_back(record.person.name);
  return names;
}

std::vector<std::string> all_names(PeopleStore& people, PeopleQuery query) {
  std::vector<std::string> names;
  do {
    const auto page = people.search(query);
    for (auto& name : names_in(page)) names.push_back(name);
    CHECK(page.people.size() <= query.limit);
    query.after = page.next;
  } while (!query.after.empty());
  return names;
}

void check_changing(PeopleStore& people, Store& gallery) {
  INFO("creating and changing");
  const auto created = people.create({"10", "DEWI", {"staff", "main", "hr-10", R"({"a":1})", true}, at_second(10)});
  REQUIRE(created.fault == ChangeFault::none);
  const PersonId dewi = created.person->person.id;
  CHECK(created.person->version == 1);
  CHECK(created.person->photos == 0);
  CHECK(created.person->details.metadata == R"({"a":1})");
  CHECK(gallery.find("10")->name == "DEWI");
  CHECK(people.create({"10", "OTHER", {}, at_second(11)}).fault == ChangeFault::nik_taken);
  NewPerson same_id{"11", "EKO", {}, at_second(11)};
  same_id.details.external_id = "hr-10";
  CHECK(people.create(same_id).fault == ChangeFault::external_id_taken);
  CHECK_FALSE(people.person_with("11"));

  PersonChange change{"DEWI LESTARI", "managers", {}, {}, {}, {}, at_second(20)};
  auto changed = people.update(dewi, change, 1);
  REQUIRE(changed.fault == ChangeFault::none);
  CHECK(changed.former_name == "DEWI");
  CHECK(changed.person->person.name == "DEWI LESTARI");
  CHECK(changed.person->details.group == "managers");
  CHECK(changed.person->details.site == "main");
  CHECK(changed.person->details.external_id == "hr-10");
  CHECK(changed.person->version == 2);
  CHECK(changed.person->updated_at == at_second(20));
  CHECK(changed.person->enrolled_at == at_second(10));

  changed = people.update(dewi, change, 1);
  CHECK(changed.fault == ChangeFault::stale_version);
  CHECK(changed.person->version == 2);
  CHECK(people.update(999, change).fault == ChangeFault::unknown_person);
  PersonChange none;
  none.external_id = "";
  CHECK_FALSE(people.update(dewi, none).person->details.external_id);
  CHECK_FALSE(people.update(dewi, none).former_name);

  INFO("photos make a new version, an enrolment that changes nothing does not");
  const auto before = people.person(dewi)->version;
  gallery.enrol(enrolment("10", "DEWI LESTARI", {1, 2}));
  CHECK(people.person(dewi)->version == before + 1);
  gallery.enrol(enrolment("10", "DEWI LESTARI", {1, 2}));
  CHECK(people.person(dewi)->version == before + 1);
  CHECK(people.person_with("10")->photos == 2);
  CHECK_FALSE(people.person(999));

  INFO("who is not active is kept but not matched");
  PersonChange off;
  off.active = false;
  REQUIRE(people.update(dewi, off).fault == ChangeFault::none);
  CHECK(gallery.embeddings("m1").intact.empty());
  CHECK_FALSE(gallery.record({at_second(30), "10", dewi, 1, 1}));
  off.active = true;
  REQUIRE(people.update(dewi, off).fault == ChangeFault::none);
  CHECK(gallery.embeddings("m1").intact.size() == 2);
  CHECK(people.remove(dewi, false, at_second(40), 1) == std::nullopt);
  CHECK(people.remove(dewi, false, at_second(40))->photos == 2);
}

void check_searching(PeopleStore& people) {
  INFO("searching");
  for (int i = 0; i < 23; ++i) {
    const std::string name = i % 2 == 0 ? "BUDI" : "CITRA " + std::to_string(i);
    people.create({"2" + std::to_string(100 + i),
                   name,
                   {i % 3 == 0 ? "night" : "day", i < 12 ? "main" : "depok", std::nullopt, "{}", i != 5},
                   at_second(i)});
  }
  CHECK(people.search({}).people.size() == 23);
  CHECK(people.search({}).next.empty());
  for (const auto order : {PeopleOrder::name, PeopleOrder::nik, PeopleOrder::enrolled}) {
    for (const std::size_t limit : {1, 2, 7, 22, 23, 24}) {
      PeopleQuery query;
      query.order = order;
      query.limit = limit;
      const auto names = all_names(people, query);
      CHECK(names.size() == 23);
      if (order == PeopleOrder::name) CHECK(std::ranges::is_sorted(names));
    }
  }
  PeopleQuery query;
  query.text = "citra 1";
  CHECK(names_in(people.search(query)) ==
        std::vector<std::string>{"CITRA 1", "CITRA 11", "CITRA 13", "CITRA 15", "CITRA 17", "CITRA 19"});
  CHECK(people.count(query) == 6);
  query.text = "2103";
  CHECK(names_in(people.search(query)) == std::vector<std::string>{"CITRA 3"});
  for (const char* sign : {"%", "_", "\\", "'"}) {
    query.text = sign;
    CHECK(people.count(query) == 0);
  }
  query = {};
  query.group = "night";
  CHECK(people.count(query) == 8);
  query.site = "depok";
  CHECK(people.count(query) == 4);
  CHECK(people.search(query).people.size() == 4);
  query = {};
  query.active = false;
  CHECK(names_in(people.search(query)) == std::vector<std::string>{"CITRA 5"});
  query = {};
  for (const char* cursor : {"x", "!!", "AAAA", "MTIz"}) {
    query.after = cursor;
    CHECK_THROWS_AS((void)people.search(query), Error);
  }

  INFO("a page goes on where it ended, also when that person is gone");
  query = {};
  query.limit = 5;
  const auto page = people.search(query);
  REQUIRE(people.remove(page.people.back().person.id, false, at_second(50)));
  query.after = page.next;
  query.limit = 100;
  CHECK(people.search(query).people.size() == 18);
}

void check_photos(PeopleStore& people, Store& gallery) {
  INFO("photos one by one");
  auto kept = enrolment("90", "FAJAR", {1, 2, 3});
  kept.photos[1].picture = {std::byte{9}};
  const auto fajar = gallery.enrol(kept)->person.id;
  const auto photos = people.photos(fajar);
  REQUIRE(photos.size() == 3);
  CHECK(photos[0].width == 640);
  CHECK(photos[0].models == std::vector<std::string>{"m1"});
  CHECK_FALSE(photos[0].picture);
  CHECK(photos[1].picture);
  CHECK(people.picture(fajar, photos[1].id) == kept.photos[1].picture);
  CHECK_FALSE(people.picture(fajar, photos[0].id));
  CHECK_FALSE(people.picture(fajar + 1, photos[1].id));
  const auto version = people.person(fajar)->version;
  CHECK_FALSE(people.remove_photo(fajar + 1, photos[0].id, at_second(60)));
  CHECK(people.remove_photo(fajar, photos[0].id, at_second(60)));
  CHECK_FALSE(people.remove_photo(fajar, photos[0].id, at_second(60)));
  CHECK(people.person(fajar)->version == version + 1);
  CHECK(people.photos(fajar).size() == 2);
  CHECK(gallery.embeddings("m1").intact.size() == 2);
}

void check_needing_photos(PeopleStore& people, Store& gallery) {
  INFO("whom a model does not know, and never will without new photos");
  auto kept = enrolment("70", "GITA", {31});
  kept.photos[0].picture = {std::byte{9}};
  gallery.enrol(kept);
  const auto gito = gallery.enrol(enrolment("71", "GITO", {32}))->person.id;
  people.create({"72", "GITU", {}, at_second(70)});
  const auto needing = [&](const std::string& model, bool needs) {
    PeopleQuery query;
    query.text = "GIT";
    query.model = model;
    query.needs_photos = needs;
    query.limit = 1;
    std::vector<std::string> names;
    do {
      const auto page = people.search(query);
      for (const auto& person : page.people) {
        CHECK(person.needs_photos == needs);
        names.push_back(person.person.name);
      }
      query.after = page.next;
    } while (!query.after.empty());
    query.after.clear();
    CHECK(people.count(query) == static_cast<std::int64_t>(names.size()));
    return names;
  };
  using Names = std::vector<std::string>;
  CHECK(needing("m1", true) == Names{"GITU"});
  CHECK(needing("m1", false) == Names{"GITA", "GITO"});
  CHECK(needing("m2", true) == Names{"GITO", "GITU"});
  PersonChange change;
  change.active = false;
  people.update(gito, change);
  CHECK(needing("m2", true) == Names{"GITU"});
}

void check_merging(PeopleStore& people, Store& gallery) {
  INFO("merging");
  const auto into = people.person_with("90")->person.id;
  auto other = enrolment("91", "FAJAR DUA", {3, 4});
  other.photos[1].picture = {std::byte{4}};
  const auto from = gallery.enrol(other)->person.id;
  REQUIRE(gallery.record({at_second(70), "91", from, 1, 1}));
  CHECK_FALSE(people.merge(from, from, at_second(71)));
  CHECK_FALSE(people.merge(from, 999, at_second(71)));
  const auto merged = people.merge(from, into, at_second(71));
  REQUIRE(merged);
  CHECK(merged->from.nik == "91");
  CHECK(merged->into.photos == 3);
  REQUIRE(merged->moved.size() == 1);
  CHECK_FALSE(people.person(from));
  CHECK(people.picture(into, merged->moved[0]) == other.photos[1].picture);
  const auto intact = gallery.embeddings("m1");
  CHECK(intact.damaged == 0);
  CHECK(std::ranges::count(intact.intact, into, &StoredEmbedding::person) == 3);
  const auto rows = gallery.attendance(at_second(70), at_second(71), 0, 10);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].person->id == into);

  INFO("forgetting takes the claims along");
  REQUIRE(gallery.record({at_second(72), "90", std::nullopt, 0, 1}));
  CHECK(people.remove(into, true, at_second(73))->photos == 3);
  for (const auto& row : gallery.attendance(at_second(70), at_second(73), 0, 10)) CHECK(row.claimed_nik.empty());
}

}  // namespace

void check_people_store(PeopleStore& people, Store& gallery) {
  CHECK(people.search({}).people.empty());
  CHECK(people.count({}) == 0);
  check_changing(people, gallery);
  check_searching(people);
  check_photos(people, gallery);
  check_needing_photos(people, gallery);
  check_merging(people, gallery);
}

}  // namespace wajah::attendance::testing
