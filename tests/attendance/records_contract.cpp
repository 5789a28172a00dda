#include "records_contract.hpp"

#include "records.hpp"
#include "store_contract.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

namespace wajah::attendance::testing {
namespace {

using std::chrono::seconds;
using Outcome = Written::Outcome;

constexpr seconds minute{60};
Time at(int minutes) { return instant("2026-11-23T00:00:00Z") + minutes * minute; }

Event event_of(PersonId person, int minutes, std::string_view day = "2026-11-23") {
  Event event;
  event.person = Person{person, "", ""};
  event.at = at(minutes);
  event.date = on(day);
  event.zone = "Asia/Jakarta";
  event.source = Source::claim;
  event.similarity = 0.75;
  event.reason = "reason; DROP TABLE event; --";
  event.actor = "actor";
  event.written_at = at(minutes) + std::chrono::microseconds(5);
  return event;
}

Draft draft_of(PersonId person, int minutes, std::string key = "", std::string fingerprint = "f") {
  return {person, at(minutes - 60), at(minutes + 60), std::move(key), std::move(fingerprint), at(minutes), "actor"};
}

Written put(RecordStore& store, const Event& event, std::string key = "", std::string fingerprint = "f") {
  const auto minutes = static_cast<int>((event.at - at(0)) / minute);
  return store.write(draft_of(event.person->id, minutes, std::move(key), std::move(fingerprint)),
                     [&](std::span<const Event>) {
                       return Decision{event, false};
                     });
}

struct People {
  PersonId ani, budi;
};

People enrol_two(Store& people) {
  return {people.enrol(enrolment("1", "ANI", {1}))->person.id, people.enrol(enrolment("2", "BUDI", {2}))->person.id};
}

void check_events(RecordStore& store, const People& people) {
  INFO("what was written is read back");
  const Event draft = event_of(people.ani, 0);
  const Written written = put(store, draft);
  REQUIRE(written.outcome == Outcome::written);
  CHECK(written.event.id > 0);
  CHECK(written.event.person == Person{people.ani, "1", "ANI"});
  Event expected = draft;
  expected.id = written.event.id;
  expected.person = Person{people.ani, "1", "ANI"};
  CHECK(written.event == expected);
  CHECK(store.event(written.event.id) == expected);
  CHECK_FALSE(store.event(written.event.id + 1));

  INFO("decide() sees the events that count around it, oldest first, and none of others");
  put(store, event_of(people.ani, 120));
  put(store, event_of(people.budi, 30));
  put(store, event_of(people.ani, 60));
  std::vector<Event> seen;
  const auto duplicate = store.write(draft_of(people.ani, 60), [&](std::span<const Event> events) {
    seen.assign(events.begin(), events.end());
    return Decision{events.front(), true};
  });
  REQUIRE(seen.size() == 3);
  CHECK(seen[0] == expected);
  CHECK(seen[1].at == at(60));
  CHECK(seen[2].at == at(120));
  CHECK(duplicate.outcome == Outcome::duplicate);
  CHECK(duplicate.event == expected);
  CHECK(store.events({}, 0, 100).size() == 4);
  CHECK(put(store, event_of(4711, 0)).outcome == Outcome::no_person);
}

void check_keys(RecordStore& store, const People& people) {
  INFO("idempotency keys");
  const auto first = put(store, event_of(people.budi, 200), "key", "request");
  const auto again = put(store, event_of(people.budi, 300), "key", "request");
  CHECK(again.outcome == Outcome::replayed);
  CHECK(again.event == first.event);
  CHECK_FALSE(again.was_duplicate);
  CHECK(put(store, event_of(people.budi, 300), "key", "another").outcome == Outcome::key_reused);
  auto of_another = draft_of(people.budi, 210, "key", "another");
  of_another.actor = "another kiosk";
  const auto decide = [&](std::span<const Event>) { return Decision{event_of(people.budi, 210), false}; };
  CHECK(store.write(of_another, decide).outcome == Outcome::written);
  const auto repeat = [&](std::span<const Event>) { return Decision{first.event, true}; };
  CHECK(store.write(draft_of(people.budi, 200, "key2"), repeat).outcome == Outcome::duplicate);
  const auto replayed = store.write(draft_of(people.budi, 900, "key2"), repeat);
  CHECK(replayed.outcome == Outcome::replayed);
  CHECK(replayed.was_duplicate);
}

void check_corrections(RecordStore& store, const People& people) {
  INFO("corrections");
  const auto original = put(store, event_of(people.ani, 1500, "2026-11-24")).event;
  Event correction = event_of(people.ani, 1490, "2026-11-24");
  correction.corrects = original.id;
  const auto corrected = store.correct(correction, "c", "f");
  REQUIRE(corrected.outcome == Outcome::written);
  CHECK(corrected.event.corrects == original.id);
  CHECK(store.event(original.id)->corrected_by == corrected.event.id);
  CHECK(store.event(original.id)->at == original.at);
  CHECK(store.correct(correction, "c", "f").outcome == Outcome::replayed);
  CHECK(store.correct(correction, "c", "g").outcome == Outcome::key_reused);
  const auto late = store.correct(correction, "", "");
  CHECK(late.outcome == Outcome::superseded);
  CHECK(late.event.id == corrected.event.id);
  const auto days = store.days_of(people.ani, on("2026-11-24"), on("2026-11-24"));
  REQUIRE(days.size() == 1);
  CHECK(days[0] == corrected.event);

  Event strike = correction;
  strike.corrects = corrected.event.id;
  strike.struck = true;
  CHECK(store.correct(strike, "", "").event.struck);
  CHECK(store.days_of(people.ani, on("2026-11-24"), on("2026-11-24")).empty());

  strike.corrects = 4711;
  CHECK(store.correct(strike, "", "").outcome == Outcome::no_event);
  strike.corrects = original.id;
  strike.person->id = people.budi;
  CHECK(store.correct(strike, "", "").outcome == Outcome::no_event);
}

void check_queries(RecordStore& store, const People& people) {
  INFO("pages of events");
  const auto all = store.events({}, 0, 100);
  REQUIRE(all.size() == 9);
  for (std::size_t i = 1; i < all.size(); ++i) {
    CHECK(std::pair(all[i - 1].date, all[i - 1].id) < std::pair(all[i].date, all[i].id));
  }
  for (const auto& person : {std::optional<PersonId>(), std::optional(people.ani)}) {
    EventFilter filter;
    filter.person = person;
    const auto whole = store.events(filter, 0, 100);
    std::vector<Event> paged;
    for (EventId after = 0;;) {
      const auto page = store.events(filter, after, 2);
      if (page.empty()) break;
      paged.insert(paged.end(), page.begin(), page.end());
      after = page.back().id;
    }
    CHECK(paged == whole);
  }
  EventFilter filter;
  filter.from = filter.to = on("2026-11-24");
  CHECK(store.events(filter, 0, 100).size() == 3);
  filter.all = false;
  CHECK(store.events(filter, 0, 100).empty());
  filter = {};
  filter.site = main_site + 1;
  CHECK(store.events(filter, 0, 100).empty());

  INFO("the last arrivals");
  auto arrivals = store.last_arrivals(at(0));
  REQUIRE(arrivals.size() == 2);
  CHECK(arrivals[0].at == at(120));  // what was struck does not count
  CHECK(arrivals[1].person->id == people.budi);
  CHECK(store.last_arrivals(at(121)).size() == 1);
  Event leaving = event_of(people.ani, 130);
  leaving.direction = Direction::out;
  put(store, leaving);
  CHECK(store.last_arrivals(at(0)).size() == 1);

  INFO("members");
  REQUIRE(store.members(0, 10).size() == 2);
  CHECK(store.members(0, 1)[0].person.name == "ANI");
  CHECK(store.members(people.ani, 10)[0].person.name == "BUDI");
  CHECK(store.member("2")->enrolled_at == Time(seconds(1000)));
  CHECK_FALSE(store.member("3"));
}

void check_sites_and_shifts(RecordStore& store) {
  INFO("sites and shifts");
  const auto before = store.revision();
  REQUIRE(store.calendar().sites.size() == 1);
  CHECK(store.calendar().sites[0].id == main_site);
  Door site{0, "gate", "GATE", "Asia/Makassar", Minutes(60), Minutes(1), Direction::out};
  site.id = store.save(site).value();
  CHECK(store.revision() > before);
  CHECK(store.calendar().sites[1] == site);
  CHECK(store.calendar().revision == store.revision());
  CHECK_FALSE(store.save(Door{0, "gate", "OTHER", "", {}, {}, {}}));
  CHECK_FALSE(store.save(Door{77, "new", "OTHER", "", {}, {}, {}}));
  site.day_start.reset();
  site.direction.reset();
  CHECK(store.save(site) == site.id);
  CHECK(store.calendar().sites[1] == site);

  Shift shift = weekday_shift("PAGI", "08:00", "17:00");
  shift.id = store.save(shift).value();
  Shift night = every_day_shift("MALAM", "22:00", "06:00");
  night.id = store.save(night).value();
  CHECK(store.calendar().shifts == std::vector{shift, night});
  shift.week[4] = Hours{Minutes(8 * 60), Minutes(16 * 60), std::nullopt};
  shift.week[0].reset();
  CHECK(store.save(shift) == shift.id);
  CHECK(store.calendar().shifts[0] == shift);
  CHECK_FALSE(store.save(weekday_shift("PAGI", "08:00", "17:00")));
}

void check_assignments(RecordStore& store, const People& people) {
  INFO("assignments, holidays, placements");
  const auto shift = store.calendar().shifts.at(0).id;
  const auto site = store.calendar().sites.at(1).id;
  Assignment assignment{0, shift, Assignment::To::person, people.ani, "", 0, on("2026-01-01"), on("2026-12-31")};
  assignment.id = store.save(assignment).value();
  Assignment group{0, shift, Assignment::To::group, 0, "IT", 0, on("2026-01-01"), std::nullopt};
  group.id = store.save(group).value();
  CHECK(store.calendar().assignments == std::vector{assignment, group});
  CHECK_FALSE(store.save(Assignment{0, shift, Assignment::To::person, 4711, "", 0, on("2026-01-01"), {}}));
  CHECK_FALSE(store.save(Assignment{0, 4711, Assignment::To::group, 0, "IT", 0, on("2026-01-01"), {}}));
  CHECK_FALSE(store.save(Assignment{0, shift, Assignment::To::site, 0, "", 4711, on("2026-01-01"), {}}));

  Holiday holiday{0, on("2026-12-25"), "NATAL", std::nullopt};
  holiday.id = store.save(holiday).value();
  CHECK_FALSE(store.save(Holiday{0, on("2026-12-25"), "AGAIN", std::nullopt}));
  const auto local = store.save(Holiday{0, on("2026-12-25"), "NATAL", site});
  CHECK(local);
  CHECK(store.calendar().holidays.at(0) == holiday);

  const Placement placement{people.budi, on("2026-02-01"), "IT", "gate"};
  CHECK(store.save(placement));
  CHECK(store.calendar().placements == std::vector{placement});
  CHECK_FALSE(store.save(Placement{4711, on("2026-02-01"), "IT", ""}));

  using Removal = RecordStore::Removal;
  using Entry = RecordStore::Entry;
  CHECK(store.remove(Entry::shift, shift) == Removal::in_use);
  CHECK(store.remove(Entry::site, site) == Removal::in_use);
  CHECK(store.remove(Entry::site, main_site) == Removal::in_use);  // by events
  CHECK(store.remove(Entry::holiday, *local) == Removal::removed);
  CHECK(store.remove(Entry::holiday, *local) == Removal::not_there);
  CHECK(store.remove(Entry::assignment, assignment.id) == Removal::removed);
  CHECK(store.remove(Entry::assignment, group.id) == Removal::removed);
  CHECK(store.remove(Entry::shift, shift) == Removal::removed);
  CHECK(store.calendar().shifts.size() == 1);
  CHECK(store.remove(Entry::site, site) == Removal::in_use);  // by a placement
  CHECK(store.remove_placement(people.budi, placement.from));
  CHECK_FALSE(store.remove_placement(people.budi, placement.from));
  CHECK(store.remove(Entry::site, site) == Removal::removed);
}

void check_pruning(RecordStore& store, const People& people) {
  INFO("pruning keeps what stands for a kept event");
  const auto kept = put(store, event_of(people.ani, 6000, "2026-11-27"), "pruned").event;
  Event moved = event_of(people.ani, -3000, "2026-11-20");
  moved.corrects = kept.id;
  REQUIRE(store.correct(moved, "", "").outcome == Outcome::written);
  const auto before = store.events({}, 0, 100).size();
  CHECK(store.prune(on("2026-11-25"), at(6001)) == static_cast<std::int64_t>(before) - 2);
  const auto left = store.events({}, 0, 100);
  REQUIRE(left.size() == 2);
  CHECK(left[1].id == kept.id);
  CHECK(left[1].corrected_by == left[0].id);
  CHECK(put(store, event_of(people.ani, 6005, "2026-11-27"), "pruned").outcome == Outcome::written);
}

void check_removal(Store& people, RecordStore& store, const People& ids) {
  INFO("a removed person's events stay without them");
  const auto event = put(store, event_of(ids.budi, 7000, "2026-11-28"), "gone").event;
  REQUIRE(people.remove("2", "BUDI"));
  const auto left = store.event(event.id);
  REQUIRE(left);
  CHECK_FALSE(left->person);
  CHECK(left->reason.empty());
  CHECK(left->at == event.at);
  CHECK(put(store, event_of(ids.budi, 7000), "gone").outcome == Outcome::no_person);
  CHECK(store.last_arrivals(at(6900)).empty());
}

void check_race(RecordStore& store, PersonId person) {
  INFO("of many writers at once one is first");
  std::atomic<int> written{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const auto result = store.write(draft_of(person, 9000), [&](std::span<const Event> events) {
          return events.empty() ? Decision{event_of(person, 9000, "2026-11-29"), false} : Decision{events[0], true};
        });
        if (result.outcome == Outcome::written) ++written;
      });
    }
  }
  CHECK(written == 1);
}

}  // namespace

void check_record_store_contract(const std::function<StorePair()>& reopen) {
  std::vector<Event> before;
  {
    const auto [people, records] = reopen();
    CHECK(records->events({}, 0, 10).empty());
    const People ids = enrol_two(*people);
    check_events(*records, ids);
    check_keys(*records, ids);
    check_corrections(*records, ids);
    check_queries(*records, ids);
    check_sites_and_shifts(*records);
    check_assignments(*records, ids);
    check_pruning(*records, ids);
    check_removal(*people, *records, ids);
    check_race(*records, ids.ani);
    before = records->events({}, 0, 100);
  }
  CHECK(before.size() > 3);
  CHECK(reopen().records->events({}, 0, 100) == before);
}

}  // namespace wajah::attendance::testing
