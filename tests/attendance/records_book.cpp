// AttendanceBook over real SQLite: what happens at doors, and what operators may do about it.
#include "records.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <thread>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;
using std::chrono::seconds;

namespace {

std::size_t stored(Office& office) { return office.records.events({}, 0, 1000).size(); }

ManualEntry entry(PersonId person, Direction direction, std::string_view at) {
  return {person, "", direction, instant(at), "lupa absen", "operator-7", ""};
}

}  // namespace

TEST_CASE("the first event of a business date is an arrival, later ones are departures") {
  Office office;
  const auto ani = office.hire("1001", "ANI");
  const Checked in = office.at("2026-11-23T07:58:11+07:00", ani);
  CHECK(in.event.direction == Direction::in);
  CHECK(in.event.person == Person{ani, "1001", "ANI"});
  CHECK(in.event.date == on("2026-11-23"));
  CHECK(in.event.zone == "Asia/Jakarta");
  CHECK(in.event.actor == "test");
  CHECK_FALSE(in.duplicate);
  CHECK(in.day.in == instant("2026-11-23T00:58:11Z"));
  CHECK(in.day.open);

  CHECK(office.at("2026-11-23T12:01:00+07:00", ani).event.direction == Direction::out);
  const Checked out = office.at("2026-11-23T17:03:00+07:00", ani);
  CHECK(out.event.direction == Direction::out);
  CHECK(out.day.out == out.event.at);
  CHECK(office.at("2026-11-24T07:58:00+07:00", ani).event.direction == Direction::in);
  CHECK(office.book.event(in.event.id) == in.event);
}

TEST_CASE("midnight in Jakarta does not end the business date, day_start does") {
  Office office;
  const auto budi = office.hire("1002", "BUDI");
  CHECK(office.at("2026-11-22T15:00:00+07:00", budi).event.date == on("2026-11-22"));
  const auto after_midnight = office.at("2026-11-23T00:30:00+07:00", budi).event;
  CHECK(after_midnight.date == on("2026-11-22"));  // 17:30 on the 22nd in UTC, 00:30 on the 23rd on the wall
  CHECK(after_midnight.direction == Direction::out);
  CHECK(office.at("2026-11-23T03:59:59+07:00", budi).event.date == on("2026-11-22"));
  const auto next = office.hire("1022", "SARI");
  CHECK(office.at("2026-11-23T03:59:59+07:00", next).event.date == on("2026-11-22"));
  CHECK(office.at("2026-11-23T04:00:00+07:00", next).duplicate);  // a second later it is still the same visit
  CHECK(office.at("2026-11-23T04:04:59+07:00", next).event.date == on("2026-11-23"));
  const Day day = office.day(budi, "2026-11-22");
  CHECK(day.in == instant("2026-11-22T08:00:00Z"));
  CHECK(day.out == instant("2026-11-22T20:59:59Z"));
  CHECK(day.worked == Minutes(12 * 60 + 59));
}

TEST_CASE("a night shift belongs to the evening it began, also when it ends after day_start") {
  Office office;
  const auto citra = office.hire("1003", "CITRA");
  office.assign(citra, every_day_shift("MALAM", "22:00", "06:00"));
  const Checked in = office.at("2026-11-22T21:50:00+07:00", citra);
  CHECK(in.event.date == on("2026-11-22"));
  CHECK(in.day.shift == "MALAM");
  CHECK(in.day.status == DayStatus::on_time);
  const Checked out = office.at("2026-11-23T06:05:00+07:00", citra);
  CHECK(out.event.direction == Direction::out);
  CHECK(out.event.date == on("2026-11-22"));
  CHECK(out.day.worked == Minutes(8 * 60 + 15));
  CHECK(out.day.overtime == Minutes(5));
  CHECK_FALSE(out.day.missing_out);
  CHECK(office.at("2026-11-23T22:07:00+07:00", citra).day.late == Minutes(7));

  INFO("overtime reaches four hours, then the cut-off decides");
  const auto dewi = office.hire("1004", "DEWI");
  office.assign(dewi, every_day_shift("MALAM2", "22:00", "06:00"));
  CHECK(office.at("2026-11-23T10:00:00+07:00", dewi).event.date == on("2026-11-22"));
  CHECK(office.at("2026-11-23T10:00:01+07:00", dewi).duplicate);
  CHECK(office.at("2026-11-23T10:06:00+07:00", dewi).event.date == on("2026-11-23"));
}

TEST_CASE("arriving before day_start for an early shift belongs to the day that begins") {
  Office office;
  const auto eko = office.hire("1005", "EKO");
  office.assign(eko, every_day_shift("SUBUH", "05:00", "13:00"));
  const Checked early = office.at("2026-11-23T03:50:00+07:00", eko);
  CHECK(early.event.date == on("2026-11-23"));
  CHECK(early.day.status == DayStatus::on_time);
  CHECK(office.at("2026-11-23T13:10:00+07:00", eko).day.overtime == Minutes(10));
}

TEST_CASE("a shift that begins after midnight lies in the night after its date") {
  Office office;
  const auto fajar = office.hire("1006", "FAJAR");
  office.assign(fajar, every_day_shift("DINI", "01:00", "09:00"));
  const Checked in = office.at("2026-11-24T00:55:00+07:00", fajar);
  CHECK(in.event.date == on("2026-11-23"));
  CHECK(in.day.start == instant("2026-11-23T18:00:00Z"));
  CHECK(office.at("2026-11-24T09:00:00+07:00", fajar).event.date == on("2026-11-23"));
}

TEST_CASE("sites have zones of their own") {
  Office office;
  const Door makassar{0, "mks", "MAKASSAR", "Asia/Makassar", {}, {}, {}};
  const Door jayapura{0, "jay", "JAYAPURA", "Asia/Jayapura", o_clock("00:00"), {}, {}};
  const Door lisbon{0, "lis", "LISBON", "Europe/Lisbon", {}, {}, {}};
  office.book.save(makassar);
  office.book.save(jayapura);
  office.book.save(lisbon);
  const auto gita = office.hire("1007", "GITA");
  // 20:30 UTC: 03:30 in Jakarta, 04:30 in Makassar, 05:30 in Jayapura.
  CHECK(office.at("2026-11-22T20:30:00Z", gita).event.date == on("2026-11-22"));
  CHECK(office.at("2026-11-22T20:30:00Z", gita, "mks").event.date == on("2026-11-23"));
  CHECK(office.at("2026-11-22T20:30:00Z", gita, "jay").event.date == on("2026-11-23"));
  CHECK(office.at("2026-11-22T20:30:00Z", gita, "lis").event.date == on("2026-11-22"));
  CHECK(office.at("2026-11-22T14:59:59Z", gita, "jay").event.date == on("2026-11-22"));
  CHECK(office.at("2026-11-22T15:00:00Z", gita, "jay").event.zone == "Asia/Jayapura");
  CHECK(office.cause_of([&] { office.at("2026-11-22T20:30:00Z", gita, "nowhere"); }) == Cause::unknown_site);
}

TEST_CASE("a repetition within the window writes nothing and returns the earlier event") {
  Office office;
  const auto hadi = office.hire("1008", "HADI");
  const auto first = office.at("2026-11-23T08:00:00+07:00", hadi);
  const auto again = office.at("2026-11-23T08:04:59+07:00", hadi);
  CHECK(again.duplicate);
  CHECK(again.event == first.event);
  CHECK(again.day.in == first.event.at);
  CHECK(stored(office) == 1);
  CHECK_FALSE(office.at("2026-11-23T08:05:00+07:00", hadi).duplicate);

  INFO("a duplicate does not lengthen the window, and another direction or site is another event");
  office.book.save(Door{0, "gate2", "GATE 2", "", {}, {}, {}});
  CHECK_FALSE(office.at("2026-11-23T09:00:00+07:00", hadi, "", Direction::in).duplicate);
  CHECK_FALSE(office.at("2026-11-23T09:01:00+07:00", hadi, "", Direction::out).duplicate);
  CHECK(office.at("2026-11-23T09:02:00+07:00", hadi, "", Direction::in).duplicate);
  CHECK_FALSE(office.at("2026-11-23T09:02:00+07:00", hadi, "gate2", Direction::in).duplicate);

  INFO("a site may have its own window, none included");
  Door gate = office.book.site("gate2");
  gate.duplicate_window = Minutes(0);
  office.book.save(gate);
  CHECK_FALSE(office.at("2026-11-23T09:02:01+07:00", hadi, "gate2", Direction::in).duplicate);
}

TEST_CASE("many kiosks at once record one arrival") {
  Office office;
  office.now = instant("2026-11-23T08:00:00+07:00");
  for (int round = 0; round < 5; ++round) {
    const auto person = office.hire(std::to_string(2000 + round), "BANYAK");
    std::atomic<int> written{0};
    {
      std::vector<std::jthread> kiosks;
      for (int kiosk = 0; kiosk < 8; ++kiosk) {
        kiosks.emplace_back([&] {
          CheckIn check;
          check.person = person;
          if (!office.book.check(check).duplicate) ++written;
        });
      }
    }
    CHECK(written == 1);
  }
  const auto events = office.records.events({}, 0, 100);
  CHECK(events.size() == 5);
  for (const Event& event : events) CHECK(event.direction == Direction::in);
}

TEST_CASE("an idempotency key gets its first answer for ever, and only for the same request") {
  Office office;
  const auto indah = office.hire("1009", "INDAH");
  CheckIn check;
  check.person = indah;
  check.idempotency_key = "kiosk-1/42";
  office.now = instant("2026-11-23T08:00:00+07:00");
  const auto first = office.book.check(check);
  office.now = instant("2026-11-23T17:00:00+07:00");
  const auto again = office.book.check(check);
  CHECK(again.replayed);
  CHECK_FALSE(again.duplicate);
  CHECK(again.event == first.event);
  CHECK(stored(office) == 1);

  INFO("also when the first answer was a duplicate");
  office.now = instant("2026-11-23T08:01:00+07:00");
  check.idempotency_key = "kiosk-1/43";
  CHECK(office.book.check(check).duplicate);
  office.now = instant("2026-11-23T12:00:00+07:00");
  const auto duplicate = office.book.check(check);
  CHECK(duplicate.replayed);
  CHECK(duplicate.duplicate);
  CHECK(duplicate.event == first.event);
  CHECK(stored(office) == 1);

  check.direction = Direction::out;
  CHECK(office.cause_of([&] { office.book.check(check); }) == Cause::conflict);
  check.idempotency_key = std::string(256, 'k');
  CHECK(office.cause_of([&] { office.book.check(check); }) == Cause::bad_value);
  CHECK(stored(office) == 1);
}

TEST_CASE("threads with one idempotency key get one answer") {
  Office office;
  const auto joko = office.hire("1010", "JOKO");
  CheckIn check;
  check.person = joko;
  check.idempotency_key = "same";
  std::mutex mutex;
  std::set<EventId> answers;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        const auto id = office.book.check(check).event.id;
        const std::lock_guard lock(mutex);
        answers.insert(id);
      });
    }
  }
  CHECK(answers.size() == 1);
  CHECK(stored(office) == 1);
}

TEST_CASE("an offline kiosk may say when, but not the future") {
  Office office;
  const auto kartika = office.hire("1011", "KARTIKA");
  office.at("2026-11-23T17:00:00+07:00", kartika);
  CheckIn replay;
  replay.person = kartika;
  replay.source = Source::kiosk;
  replay.at = instant("2026-11-23T08:00:00+07:00");
  const auto late = office.book.check(replay).event;
  CHECK(late.direction == Direction::in);  // nothing came before it
  CHECK(late.written_at == instant("2026-11-23T17:00:00+07:00"));
  replay.at = instant("2026-11-23T17:00:01+07:00");
  CHECK(office.cause_of([&] { office.book.check(replay); }) == Cause::bad_value);
}

TEST_CASE("manual entries need a reason and an actor and are marked") {
  Office office;
  const auto lina = office.hire("1012", "LINA");
  office.at("2026-11-23T17:05:00+07:00", lina, "", Direction::out);
  CHECK(office.day(lina, "2026-11-23").missing_in);
  office.now = instant("2026-11-24T09:00:00+07:00");
  const auto written = office.book.enter(entry(lina, Direction::in, "2026-11-23T08:01:00+07:00"));
  CHECK(written.event.source == Source::manual);
  CHECK(written.event.reason == "lupa absen");
  CHECK(written.event.actor == "operator-7");
  CHECK(written.day.edited);
  CHECK_FALSE(written.day.missing_in);
  CHECK(written.day.worked == Minutes(9 * 60 + 4));
  CHECK(office.book.enter(entry(lina, Direction::in, "2026-11-23T08:02:00+07:00")).duplicate);

  auto bad = entry(lina, Direction::in, "2026-11-23T10:00:00+07:00");
  bad.reason.clear();
  CHECK(office.cause_of([&] { office.book.enter(bad); }) == Cause::bad_value);
  bad.reason = "two\nlines";
  CHECK(office.cause_of([&] { office.book.enter(bad); }) == Cause::bad_value);
  bad.reason = "why";
  bad.actor.clear();
  CHECK(office.cause_of([&] { office.book.enter(bad); }) == Cause::bad_value);
  CHECK(office.cause_of([&] { office.book.enter(entry(lina, Direction::in, "2026-11-25T10:00:00+07:00")); }) ==
        Cause::bad_value);
  CHECK(office.cause_of([&] { office.book.enter(entry(999, Direction::in, "2026-11-23T10:00:00+07:00")); }) ==
        Cause::unknown_person);
}

TEST_CASE("a correction is a new row; the original stays as it was") {
  Office office;
  const auto made = office.hire("1013", "MADE");
  office.assign(made, weekday_shift("PAGI", "08:00", "17:00"));
  const Event original = office.at("2026-11-23T08:20:00+07:00", made).event;
  office.at("2026-11-23T17:00:00+07:00", made);
  CHECK(office.day(made, "2026-11-23").late == Minutes(20));

  Correction correction;
  correction.event = original.id;
  correction.at = instant("2026-11-23T07:55:00+07:00");
  correction.reason = "kiosk clock was wrong";
  correction.actor = "hr-1";
  correction.idempotency_key = "fix";
  const Checked fixed = office.book.correct(correction);
  CHECK(fixed.event.corrects == original.id);
  CHECK(fixed.event.source == Source::manual);
  CHECK(fixed.day.status == DayStatus::on_time);
  CHECK(fixed.day.edited);
  CHECK(office.book.correct(correction).replayed);

  Event kept = *office.book.event(original.id);
  CHECK(kept.corrected_by == fixed.event.id);
  kept.corrected_by.reset();
  CHECK(kept == original);
  CHECK(stored(office) == 3);

  INFO("it is corrected once; what stands for it may be corrected in turn");
  correction.idempotency_key.clear();
  CHECK(office.cause_of([&] { office.book.correct(correction); }) == Cause::conflict);
  Correction strike;
  strike.event = fixed.event.id;
  strike.strike = true;
  strike.reason = "was somebody else";
  strike.actor = "hr-2";
  const Checked struck = office.book.correct(strike);
  CHECK(struck.event.struck);
  CHECK(struck.day.missing_in);
  CHECK(office.day(made, "2026-11-23").status == DayStatus::present);
  strike.event = struck.event.id;
  CHECK(office.cause_of([&] { office.book.correct(strike); }) == Cause::conflict);
}

TEST_CASE("corrections that say nothing, too much or lie ahead are refused") {
  Office office;
  const auto nina = office.hire("1014", "NINA");
  const Event event = office.at("2026-11-23T08:00:00+07:00", nina).event;
  Correction correction;
  correction.event = event.id;
  correction.reason = "why";
  correction.actor = "hr";
  const auto refused = [&] { return office.cause_of([&] { office.book.correct(correction); }); };
  CHECK(refused() == Cause::bad_value);
  correction.strike = true;
  correction.direction = Direction::out;
  CHECK(refused() == Cause::bad_value);
  correction.strike = false;
  correction.at = office.now + seconds(1);
  CHECK(refused() == Cause::bad_value);
  correction.at.reset();
  correction.site = "nowhere";
  CHECK(refused() == Cause::unknown_site);
  correction.site.reset();
  correction.event = 777;
  CHECK(refused() == Cause::unknown_event);
  correction.event = event.id;
  correction.reason.clear();
  CHECK(refused() == Cause::bad_value);
  CHECK(stored(office) == 1);

  INFO("a corrected direction keeps date and time, a corrected time moves the date");
  correction.reason = "why";
  const auto turned = office.book.correct(correction).event;
  CHECK(turned.direction == Direction::out);
  CHECK(turned.at == event.at);
  correction = {turned.id, instant("2026-11-22T23:00:00+07:00"), {}, {}, false, "yesterday", "hr", ""};
  CHECK(office.book.correct(correction).event.date == on("2026-11-22"));
}

TEST_CASE("a removed person leaves events without name, link or reason") {
  Office office;
  const auto oka = office.hire("1015", "OKA");
  const auto putri = office.hire("1016", "PUTRI");
  CheckIn check;
  check.person = oka;
  check.idempotency_key = "k";
  office.now = instant("2026-11-23T08:00:00+07:00");
  const auto event = office.book.check(check).event;
  office.at("2026-11-23T08:00:00+07:00", putri);
  Correction correction{event.id, instant("2026-11-23T07:00:00+07:00"), {}, {}, false, "OKA asked for it", "hr", ""};
  office.book.correct(correction);
  office.dismiss("1015", "OKA");

  const auto left = office.book.events({}, 0, 10);
  REQUIRE(left.size() == 3);
  CHECK_FALSE(left[0].person);
  CHECK_FALSE(left[2].person);
  CHECK(left[2].reason.empty());
  CHECK(left[0].at == instant("2026-11-23T01:00:00Z"));
  CHECK(left[1].person->id == putri);
  CHECK_FALSE(anywhere_below(office.folder.path(), "OKA asked for it"));
  check.idempotency_key = "k2";
  CHECK(office.cause_of([&] { office.book.check(check); }) == Cause::unknown_person);
  correction.event = left[2].id;
  CHECK(office.cause_of([&] { office.book.correct(correction); }) == Cause::unknown_event);
  CHECK(office.book.inside().size() == 1);
}

TEST_CASE("who is inside now") {
  Office office;
  const auto a = office.hire("1", "A"), b = office.hire("2", "B"), c = office.hire("3", "C"), d = office.hire("4", "D");
  const auto annex = office.book.save(Door{0, "annex", "ANNEX", "", {}, {}, {}});
  office.assign(d, every_day_shift("MALAM", "20:00", "06:00"));
  office.at("2026-11-22T08:00:00+07:00", c);  // and never left
  office.at("2026-11-22T19:55:00+07:00", d);
  office.at("2026-11-23T05:00:00+07:00", a);
  office.at("2026-11-23T05:10:00+07:00", b, "annex");
  const auto names = [&] {
    std::string text;
    for (const Event& event : office.book.inside()) text += event.person->name;
    return text;
  };
  CHECK(names() == "DAB");  // C's date ended at 04:00, D's shift goes on
  CHECK(office.book.inside(annex.id).size() == 1);
  office.at("2026-11-23T06:01:00+07:00", d);
  office.at("2026-11-23T17:00:00+07:00", a);
  CHECK(names() == "B");
  office.now = instant("2026-11-24T04:00:00+07:00");
  CHECK(names().empty());
}
