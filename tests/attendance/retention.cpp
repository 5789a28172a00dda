// Retention: what is due goes, everything else stays, and the audit log tells.
#include "attendance/retention.hpp"

#include "attendance/storage/sqlite_audit_log.hpp"
#include "attendance/storage/sqlite_job_store.hpp"
#include "attendance/storage/sqlite_people_store.hpp"
#include "attendance/storage/sqlite_webhook_store.hpp"
#include "records.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace wajah::attendance;
using namespace wajah::attendance::testing;
using std::chrono::days;

namespace {

struct Kept : Office {
  [[nodiscard]] RetentionReport run(const RetentionRules& rules, std::string_view when) {
    Retention retention({*people, list, records, jobs, webhooks, audit}, rules, folder.path() / "logging",
                        Zone("Asia/Jakarta"), [this](const Person& person) { gone.push_back(person.id); });
    return retention.run(instant(when));
  }

  SqlitePeopleStore list{database};
  SqliteJobStore jobs{database};
  SqliteWebhookStore webhooks{database};
  SqliteAuditLog audit{database};
  std::vector<PersonId> gone;
};

}  // namespace

TEST_CASE("attendance is erased after its days, by the site's dates, with rows and log") {
  Kept kept;
  const auto ani = kept.hire("1", "ANI");
  // The evening before and the morning of 2026-11-01 in Jakarta, where that day begins at 17:00 UTC.
  kept.at("2026-10-31T22:00:00+07:00", ani);
  kept.at("2026-11-01T08:00:00+07:00", ani);
  for (const auto* when : {"2026-10-31T16:59:59Z", "2026-10-31T17:00:00Z"}) {
    REQUIRE(kept.people->record({instant(when), "1", ani, 0.9, 1}));
  }
  std::filesystem::create_directory(kept.folder.path() / "logging");
  for (const auto* name : {"logging_31-10-2026.txt", "logging_01-11-2026.txt", "notes.txt"}) {
    std::ofstream(kept.folder.path() / "logging" / name) << "x\n";
  }
  CHECK(kept.run({}, "2026-11-11T01:00:00+07:00") == RetentionReport{});
  CHECK(kept.run({.events = days(10)}, "2026-11-10T23:59:00+07:00") == RetentionReport{});
  CHECK(kept.audit.head().id == 0);
  CHECK(kept.run({.events = days(10)}, "2026-11-11T00:01:00+07:00") == RetentionReport{1, 1, 1, 0});
  CHECK(kept.audit.rows({}).at(0).event.action == "retention.erase");
  CHECK(kept.audit.rows({}).at(0).event.detail == R"({"events":1,"rows":1,"log_files":1,"people":0})");
  CHECK(kept.run({.events = days(10)}, "2026-11-11T00:01:00+07:00") == RetentionReport{});
  CHECK(kept.records.events({}, 0, 10).size() == 1);
  CHECK(kept.people->attendance(Time::min(), Time::max(), 0, 10).size() == 1);
  CHECK_FALSE(std::filesystem::exists(kept.folder.path() / "logging" / "logging_31-10-2026.txt"));
  CHECK(std::filesystem::exists(kept.folder.path() / "logging" / "logging_01-11-2026.txt"));
  CHECK(std::filesystem::exists(kept.folder.path() / "logging" / "notes.txt"));
}

TEST_CASE("people of whom nothing was heard are erased, and those who came, were changed or are new are not") {
  Kept kept;
  const auto away = kept.hire("1", "AWAY"), came = kept.hire("2", "CAME"), changed = kept.hire("3", "CHANGED");
  const auto fresh = kept.hire("4", "FRESH", "2026-10-20T08:00:00+07:00");
  kept.at("2026-10-20T08:00:00+07:00", came);
  PersonChange change;
  change.group = "IT";
  change.at = instant("2026-10-20T08:00:00+07:00");
  kept.list.update(changed, change, std::nullopt);
  CHECK(kept.run({.templates = days(90)}, "2026-11-28T00:00:00Z") == RetentionReport{0, 0, 0, 1});
  CHECK(kept.gone == std::vector{away});
  CHECK_FALSE(kept.list.person(away).has_value());
  for (const auto person : {came, changed, fresh}) CHECK(kept.list.person(person).has_value());
  CHECK(kept.run({.templates = days(90)}, "2027-06-01T00:00:00Z").people == 3);
}

TEST_CASE("jobs and deliveries that are over go after a month") {
  Kept kept;
  auto ended = kept.jobs.create("import", 1, instant("2026-10-01T00:00:00Z"));
  ended.state = JobState::done;
  ended.updated_at = instant("2026-10-01T00:00:00Z");
  kept.jobs.save(ended);
  auto recent = kept.jobs.create("import", 1, instant("2026-11-20T00:00:00Z"));
  recent.state = JobState::failed;
  recent.updated_at = instant("2026-11-20T00:00:00Z");
  kept.jobs.save(recent);
  const auto running = kept.jobs.create("train", 1, instant("2026-10-01T00:00:00Z"));
  CHECK(kept.run({}, "2026-11-28T00:00:00Z") == RetentionReport{});
  CHECK_FALSE(kept.jobs.job(ended.id).has_value());
  CHECK(kept.jobs.job(recent.id).has_value());
  CHECK(kept.jobs.job(running.id).has_value());
}
