// Archives: out of one folder and into another, with what was there and what came.
#include "attendance/original_log.hpp"
#include "attendance/records/attendance_book.hpp"
#include "attendance/records/sqlite_record_store.hpp"
#include "attendance/storage/archive.hpp"
#include "attendance/storage/archive_file.hpp"
#include "attendance/storage/sqlite_audit_log.hpp"
#include "attendance/storage/sqlite_consent_store.hpp"
#include "attendance/storage/sqlite_people_store.hpp"
#include "fakes.hpp"
#include "storage_contracts.hpp"
#include "store_contract.hpp"

#include <wajah/error.hpp>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <random>
#include <thread>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

struct Opened {
  explicit Opened(const std::filesystem::path& path, const std::filesystem::path& key = {})
      : folder(path), database(folder, {key, {}}), gallery(database), people(database), records(database) {}
  DataFolder folder;
  Database database;
  SqliteStore gallery;
  SqlitePeopleStore people;
  SqliteRecordStore records;
};

struct Fixture {
  TempFolder temp;
  std::filesystem::path data = temp.path() / "data", other = temp.path() / "other", file = temp.path() / "all.wajah";
};

// Two people with everything a person can have.
void fill(const std::filesystem::path& data, const std::filesystem::path& key = {}) {
  Opened open(data, key);
  auto ani = enrolment("1", "ANI", {1, 2});
  ani.photos[1].picture = {std::byte{1}, std::byte{2}, std::byte{255}};
  const auto id = open.gallery.enrol(ani)->person.id;
  open.gallery.enrol(enrolment("2", "BUDI", {3}));
  PersonChange change;
  change.group = "staff";
  change.site = "main";
  change.external_id = "x-1";
  change.metadata = R"({"a":"\u00e9"})";
  change.at = at_second(2000);
  REQUIRE(open.people.update(id, change, std::nullopt).fault == ChangeFault::none);
  REQUIRE(open.gallery.record({at_second(3000), "1", id, 0.75, 1}));
  REQUIRE(open.gallery.record({at_second(3001), "9, \"odd\"", std::nullopt, 0, 2}));
  REQUIRE(SqliteConsentStore(open.database).give(id, "v1", "paper", at_second(1)));
  SqliteAuditLog(open.database).append({at_second(1), "cli", "person.create", id, "1", "{}"});
  AttendanceBook book(open.records, {});
  CheckIn in;
  in.person = id;
  in.at = at_second(1'000'000);
  const auto checked = book.check(in);
  Correction correction;
  correction.event = checked.event.id;
  correction.at = at_second(999'000);
  correction.reason = "late";
  correction.actor = "hr";
  REQUIRE(book.correct(correction).event.corrects == checked.event.id);
}

ImportReport import_into(const std::filesystem::path& data, const std::filesystem::path& file,
                         const ImportOptions& options = {}, const std::filesystem::path& key = {}) {
  Opened open(data, key);
  return import_archive(open.database, file, options);
}

void check_whole(const std::filesystem::path& data, const std::filesystem::path& key = {}) {
  Opened open(data, key);
  const auto ani = open.people.person_with("1");
  REQUIRE(ani);
  CHECK(ani->person.name == "ANI");
  CHECK(ani->details == PersonDetails{"staff", "main", "x-1", R"({"a":"\u00e9"})", true});
  CHECK(ani->enrolled_at == at_second(1000));
  CHECK(ani->photos == 2);
  const auto found = open.gallery.embeddings("m1");
  CHECK(found.damaged == 0);
  REQUIRE(found.intact.size() == 3);
  CHECK(found.intact[0].values == new_photo(1).embedding);
  const auto photos = open.people.photos(ani->person.id);
  REQUIRE(photos.size() == 2);
  CHECK(open.people.picture(ani->person.id, photos[1].id) == std::vector{std::byte{1}, std::byte{2}, std::byte{255}});
  const auto rows = open.gallery.attendance(at_second(3000), at_second(3002), 0, 10);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].person->nik == "1");
  CHECK(rows[1].claimed_nik == "9, \"odd\"");
  CHECK(SqliteConsentStore(open.database).in_force(ani->person.id)->channel == "paper");
  SqliteAuditLog log(open.database);
  CHECK_FALSE(log.verify({}).broken_at);
  const auto events = open.records.events({}, 0, 10);
  REQUIRE(events.size() == 2);
  CHECK(events[0].person->nik == "1");
  CHECK(events[1].corrects == events[0].id);
  CHECK(events[1].reason == "late");
}

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "an archive brings everything into an empty folder, and nothing twice") {
  fill(data);
  const auto written = export_archive(data, file, {});
  CHECK(written.damaged == 0);
  CHECK(std::filesystem::status(file).permissions() == std::filesystem::perms(0600));
  const auto report = import_into(other, file);
  CHECK(report.people_added == 2);
  CHECK(report.photos_added == 3);
  CHECK(report.embeddings_added == 3);
  CHECK(report.pictures_added == 1);
  CHECK(report.attendance_added == 2);
  CHECK(report.events_added == 2);
  CHECK(report.consents_added == 1);
  CHECK(report.audit_taken);
  CHECK(report.conflicts.empty());
  check_whole(other);
  CHECK_FALSE(std::filesystem::exists(other / "import.staged"));

  const auto again = import_into(other, file);
  CHECK(again.people_known == 2);
  CHECK(again.people_added + again.photos_added + again.embeddings_added + again.pictures_added +
            again.attendance_added + again.events_added + again.consents_added ==
        0);
  check_whole(other);
}

TEST_CASE_FIXTURE(Fixture, "an archive that comes back into its own folder changes nothing") {
  fill(data);
  export_archive(data, file, {});
  const auto report = import_into(data, file);
  CHECK(report.people_known == 2);
  CHECK(report.events_added == 0);
  check_whole(data);
}

TEST_CASE_FIXTURE(Fixture, "what is here wins, and who has another name under the same NIK is left out and told") {
  fill(data);
  export_archive(data, file, {});
  {
    Opened open(other);
    open.gallery.enrol(enrolment("7", "TUTI", {7}));
    open.gallery.enrol(enrolment("1", "SOMEBODY ELSE", {8}));
    open.people.create({"2", "BUDI", {"managers", "", "x-1", "{}", true}, at_second(1)});
  }
  const auto report = import_into(other, file);
  CHECK(report.people_added == 0);
  CHECK(report.people_known == 1);
  REQUIRE(report.conflicts.size() == 1);
  CHECK(has(report.conflicts[0], "SOMEBODY ELSE"));
  CHECK(report.photos_added == 1);
  Opened open(other);
  CHECK(open.people.person_with("1")->photos == 1);
  CHECK(open.people.person_with("2")->details.group == "managers");
  CHECK(open.people.person_with("2")->photos == 1);
  const auto rows = open.gallery.attendance(at_second(3000), at_second(3002), 0, 10);
  REQUIRE(rows.size() == 2);
  CHECK_FALSE(rows[0].person);
}

TEST_CASE_FIXTURE(Fixture, "a dry run tells the same and writes nothing") {
  fill(data);
  export_archive(data, file, {});
  { Opened open(other); }
  const auto before = contents(other / "wajah.db");
  ImportOptions options;
  options.dry_run = true;
  CHECK(import_into(other, file, options).people_added == 2);
  CHECK(Opened(other).gallery.people().empty());
}

TEST_CASE_FIXTURE(Fixture, "who was erased from a folder does not come back with its own archive") {
  fill(data);
  export_archive(data, file, {});
  { CHECK(Opened(data).gallery.remove("1", "ANI")); }
  const auto report = import_into(data, file);
  CHECK(report.erased_before == 1);
  CHECK(report.people_added == 0);
  CHECK(Opened(data).gallery.people().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "an erased NIK does not come back in the attendance of the folder's own archive") {
  fill(data);
  {
    Opened open(data);
    REQUIRE(open.gallery.record({at_second(3002), "1", std::nullopt, 0, 1}));
  }
  export_archive(data, file, {});
  {
    Opened open(data);
    REQUIRE(open.people.remove(open.people.person_with("1")->person.id, true, at_second(1), std::nullopt));
  }
  const auto report = import_into(data, file);
  CHECK(report.erased_before == 1);
  CHECK(report.attendance_added == 0);
  CHECK(report.events_added == 0);
  Opened open(data);
  const auto rows = open.gallery.attendance(at_second(3000), at_second(3009), 0, 10);
  REQUIRE(rows.size() == 3);
  CHECK(std::ranges::count(rows, "", &AttendanceRow::claimed_nik) == 2);
}

TEST_CASE_FIXTURE(Fixture, "an archive brings no NIK or name that no request may, and no embedding that is none") {
  fill(data);
  {
    Opened open(data);
    Database::Write write(open.database);
    write->execute("UPDATE person SET nik = '../../x' WHERE nik = '2'");
    write->execute("INSERT INTO person (nik, name, enrolled_at) VALUES ('7', 'LINE' || char(10) || 'BREAK', 1)");
    write->execute("UPDATE person SET metadata = 'no json' WHERE nik = '1'");
    write.commit();
  }
  {
    Opened open(data);
    auto odd = enrolment("3", "CITRA", {});
    odd.photos = {{digest_number(40), 1, 1, {1, std::numeric_limits<float>::quiet_NaN(), 0}, {}},
                  {digest_number(41), 1, 1, {1, std::numeric_limits<float>::infinity(), 0}, {}},
                  {digest_number(42), 1, 1, {1, 0, 0}, {}}};
    open.gallery.enrol(odd);
  }
  export_archive(data, file, {});
  const auto report = import_into(other, file);
  CHECK(report.people_added == 2);
  REQUIRE(report.conflicts.size() == 2);
  CHECK(has(report.conflicts[0], "the NIK cannot be used"));
  CHECK(has(report.conflicts[1], "the name cannot be used"));
  CHECK(report.damaged == 2);
  Opened open(other);
  CHECK(open.gallery.find("../../x") == std::nullopt);
  CHECK(open.people.person_with("1")->details.metadata == "{}");
  CHECK(open.gallery.embeddings("m1").intact.size() == 3);
  CHECK(open.gallery.embeddings("m1").damaged == 0);
}

TEST_CASE_FIXTURE(Fixture, "an archive that unpacks to more than is taken is refused") {
  fill(data);
  export_archive(data, file, {});
  ImportOptions options;
  options.most_bytes = 1000;
  CHECK(has(message_of([&] { import_into(other, file, options); }), "unpacks to more"));
  CHECK(Opened(other).gallery.people().empty());
  CHECK_FALSE(std::filesystem::exists(other / "import.staged"));

  const auto bomb = temp.path() / "bomb.wajah";
  std::ofstream(bomb, std::ios::binary).flush();
  {
    ArchiveWriter writer(bomb, std::nullopt);
    writer.add("manifest.json", [](const ArchiveWriter::Write& out) {
      for (int i = 0; i < 2000; ++i) out(std::string(1023, ' ') + "\n");
    });
    writer.finish();
  }
  CHECK(has(message_of([&] { import_into(other, bomb); }), "manifest.json is longer than"));
  const auto sealed = temp.path() / "sealed.wajah";
  std::ofstream(sealed, std::ios::binary).flush();
  {
    ArchiveWriter writer(sealed, std::nullopt);
    writer.add("sealing.json", [](const ArchiveWriter::Write& out) { out(std::string(2 << 20, ' ')); });
    writer.finish();
  }
  options.passphrase = "x";
  options.most_bytes = std::numeric_limits<std::uint64_t>::max();
  CHECK(has(message_of([&] { import_into(other, sealed, options); }), "sealing.json is longer than"));
}

TEST_CASE_FIXTURE(Fixture,
                  "sealed templates leave a folder only in a sealed archive, and arrive under the other's key") {
  const auto key = temp.path() / "key", other_key = temp.path() / "other.key";
  Vault::make_file(key);
  Vault::make_file(other_key);
  fill(data, key);
  ExportOptions options;
  CHECK(has(message_of([&] { export_archive(data, file, options); }), "name its file"));
  options.key_file = other_key;
  CHECK(has(message_of([&] { export_archive(data, file, options); }), "holds key"));
  options.key_file = key;
  CHECK(has(message_of([&] { export_archive(data, file, options); }), "--passphrase-file"));
  CHECK_FALSE(std::filesystem::exists(file));
  options.passphrase = "correct horse battery";
  export_archive(data, file, options);
  CHECK_FALSE(has(contents(file), "ANI"));

  CHECK(has(message_of([&] { import_into(other, file); }), "sealed"));
  ImportOptions with;
  with.passphrase = "correct horse batterz";
  CHECK(has(message_of([&] { import_into(other, file, with); }), "passphrase"));
  with.passphrase = options.passphrase;
  CHECK(import_into(other, file, with, other_key).people_added == 2);
  check_whole(other, other_key);
}

TEST_CASE_FIXTURE(Fixture, "an archive that is damaged anywhere is refused, and nothing of it stays") {
  fill(data);
  export_archive(data, file, {});
  { Opened open(other); }
  const auto whole = contents(file);
  std::mt19937 random(6);
  int refused = 0;
  for (int round = 0; round < 40; ++round) {
    auto bytes = whole;
    if (round % 3 == 0) {
      bytes.resize(random() % bytes.size());
    } else {
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    }
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    // A bit that means nothing, such as a time in the zip's headers, may differ: then all of it arrives.
    const auto message = message_of([&] {
      ImportOptions options;
      options.dry_run = true;
      const auto added = import_into(other, file, options).photos_added;
      CHECK(added == 3);
    });
    if (!message.empty()) ++refused;
    CHECK_FALSE(std::filesystem::exists(other / "import.staged"));
  }
  CHECK(refused > 20);
  CHECK(Opened(other).gallery.people().empty());
  CHECK(has(message_of([&] { export_archive(data, file, {}); }), "--force"));
  CHECK(has(message_of([&] { import_into(other, temp.path() / "nowhere"); }), "no wajah archive"));
}

TEST_CASE_FIXTURE(Fixture, "killed at any moment of an import, the folder holds all of it or nothing") {
  fill(data);
  export_archive(data, file, {});
  std::mt19937 random(7);
  int arrived = 0;
  for (int round = 0; round < 12; ++round) {
    std::filesystem::remove_all(other);
    { Opened open(other); }
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      try {
        import_into(other, file);
        ::_exit(0);
      } catch (...) {
        ::_exit(1);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(round * 40));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    if (Opened(other).gallery.people().empty()) {
      CHECK(import_into(other, file).people_added == 2);
    } else {
      ++arrived;
    }
    check_whole(other);
  }
  MESSAGE(arrived, " of 12 imports had ended before they were killed");
}

TEST_CASE("lines of the original's log are read back as they were written") {
  const LocalTime day{2024, 7, 3, 0, 0, 0};
  const auto line = parse_log_line("07:58:11 - NIK: 12345, Name: BUDI, S.KOM, Accuracy: 0.987, Matched: True\r", day);
  REQUIRE(line);
  CHECK(line->at == LocalTime{2024, 7, 3, 7, 58, 11});
  CHECK(line->nik == "12345");
  CHECK(line->name == "BUDI, S.KOM");
  CHECK(line->accuracy == 0.987);
  CHECK(line->matched);
  const auto unknown = parse_log_line("23:59:59 - NIK: 1, Name: Unknown, Accuracy: 0.0, Matched: False", day);
  REQUIRE(unknown);
  CHECK_FALSE(unknown->matched);
  for (const char* bad :
       {"", "07:58 - NIK: 1", "24:00:00 - NIK: 1, Name: A, Accuracy: 0.1, Matched: True",
        "07:58:11 - NIK: 1, Name: A, Accuracy: x, Matched: True",
        "07:58:11 - NIK: 1, Name: A, Accuracy: 0.1, Matched: yes", "07:58:11 - Name: A, Accuracy: 0.1, Matched: True",
        "7:58:11 - NIK: 1, Name: A, Accuracy: 0.1, Matched: True"}) {
    CHECK_MESSAGE(!parse_log_line(bad, day), bad);
  }
  CHECK(day_of_log("logging_29-02-2024.txt") == LocalTime{2024, 2, 29, 0, 0, 0});
  for (const char* bad : {"logging_29-02-2023.txt", "logging_1-02-2023.txt", "logging_01-02-2023.txt.bak", "log.txt"}) {
    CHECK_MESSAGE(!day_of_log(bad), bad);
  }
}
