// Many people at once: what a zip may unpack to, what is found in it, and enrolling it.
#include "attendance/bulk/bulk_import.hpp"

#include "attendance/bulk/unpack.hpp"
#include "attendance/records/attendance_book.hpp"
#include "attendance/records/sqlite_record_store.hpp"
#include "attendance/storage/sqlite_people_store.hpp"
#include "fakes.hpp"
#include "zip.hpp"

#include <wajah/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

namespace fs = std::filesystem;

struct Unpacked {
  explicit Unpacked(const ZipFiles& files, const UnpackLimits& limits = {}) : Unpacked(stored_zip(files), limits) {}
  explicit Unpacked(const std::string& zip, const UnpackLimits& limits = {}) {
    std::ofstream(folder.path() / "a.zip", std::ios::binary) << zip;
    fs::create_directory(root());
    unpack(folder.path() / "a.zip", root(), odd, limits);
  }

  [[nodiscard]] fs::path root() const { return folder.path() / "in"; }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
      if (entry.is_regular_file()) all.push_back(fs::relative(entry.path(), folder.path()).string());
    }
    std::ranges::sort(all);
    return all;
  }

  TempFolder folder;
  std::vector<Verdict> odd;
};

std::string error_of(const ZipFiles& files, const UnpackLimits& limits = {}) {
  try {
    const Unpacked unpacked(files, limits);
    (void)read_unpacked(unpacked.root(), {});
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    return error.what();
  }
  return "no error";
}

constexpr std::string_view table = "nik,nama,group\n1001,ANI,IT\n1002,BUDI,\n";

}  // namespace

TEST_CASE("a zip unpacks to photos, tables and logs, and to nothing outside of its folder") {
  const Unpacked unpacked(ZipFiles{{"staff/people.csv", "x"},
                                   {"staff/1001/a.JPG", "y"},
                                   {"../out.jpg", "z"},
                                   {"/abs.jpg", "z"},
                                   {"staff/../../up.jpg", "z"},
                                   {"a\\..\\b.jpg", "z"},
                                   {".hidden/a.jpg", "z"},
                                   {"__MACOSX/._a.jpg", "z"},
                                   {"staff/1001/run.sh", "z"},
                                   {"a/b/c/d/e/f/g.jpg", "z"},
                                   {"\xFF.jpg", "z"},
                                   {"line\nbreak.jpg", "z"},
                                   {std::string(300, 'a') + ".jpg", "z"}});
  CHECK(unpacked.files() == std::vector<std::string>{"a.zip", "in/staff/1001/a.JPG", "in/staff/people.csv"});
  CHECK(unpacked.odd.size() == 10);
  CHECK(contents(unpacked.root() / "staff" / "1001" / "a.JPG") == "y");
}

TEST_CASE("a zip that is none, is damaged or holds too much is refused") {
  CHECK_THROWS_AS(Unpacked{std::string("no zip")}, Error);
  auto damaged = stored_zip({{"a.jpg", "hello hello"}});
  damaged[damaged.find("hello")] = 'j';
  CHECK_THROWS_AS(Unpacked{damaged}, Error);
  CHECK(error_of({{"a.jpg", "1"}, {"b.jpg", "2"}}, {.files = 1}).find("more than 1 files") != std::string::npos);
  CHECK(error_of({{"a.jpg", std::string(3 << 20, 'x')}, {"b.jpg", "2"}}, {.bytes = 2 << 20}).find("more than 2 MiB") !=
        std::string::npos);
  const Unpacked large({{"a.jpg", std::string(3 << 20, 'x')}, {"b.jpg", "2"}}, {.bytes_each = 2 << 20});
  CHECK(large.files() == std::vector<std::string>{"a.zip", "in/b.jpg"});
  REQUIRE(large.odd.size() == 1);
  CHECK(large.odd[0].reason == "more than 2 MiB");
}

TEST_CASE("people are found by the one CSV of a zip, by a given one, or as the original kept them") {
  const auto niks = [](const ImportSource& source) {
    std::vector<std::string> all;
    for (const auto& person : source.people) all.push_back(person.nik);
    return all;
  };
  const std::vector<std::string> both{"1001", "1002"};
  const Unpacked wrapped(
      ZipFiles{{"staff/1001/a.jpg", "1"}, {"staff/1002_1.jpg", "2"}, {"staff/p.csv", std::string(table)}});
  CHECK(niks(read_unpacked(wrapped.root(), {})) == both);
  const Unpacked bare(ZipFiles{{"1001/a.jpg", "1"}});
  std::ofstream(bare.folder.path() / "given.csv") << table;
  CHECK(niks(read_unpacked(bare.root(), bare.folder.path() / "given.csv")) == std::vector<std::string>{"1001"});
  const Unpacked original(
      ZipFiles{{"old/train_img/1001/ANI/ANI (1).jpg", "1"}, {"old/train_img/1002/BUDI/BUDI (1).jpg", "1"}});
  CHECK(niks(read_unpacked(original.root(), {})) == both);
  CHECK(error_of({{"1001/a.jpg", "1"}}).find("0 CSV files") != std::string::npos);
  CHECK(error_of({{"a.csv", "1"}, {"b.csv", "1"}}).find("2 CSV files") != std::string::npos);
}

TEST_CASE("a zip of people is enrolled, what cannot be used keeps nothing else out, and again changes nothing") {
  testing::Site site;
  auto& service = site.start();
  SqlitePeopleStore people(*site.database);
  const Unpacked unpacked(ZipFiles{{"p.csv", std::string(table) + "1003,CITRA,\n"},
                                   {"1001/a.jpg", "ANI:1"},
                                   {"1001/b.jpg", "broken"},
                                   {"1001/c.jpg", "none"},
                                   {"1002/a.jpg", "BUDI:1"},
                                   {"1002/b.jpg", "BUDI:2"},
                                   {"1003/a.jpg", "none"}});
  const auto source = read_unpacked(unpacked.root(), {});
  BulkRules rules;
  std::vector<std::size_t> steps;
  for (int round = 0; round < 2; ++round) {
    BulkReport report;
    enrol_source(service, people, source, rules, report, [&](std::size_t done, std::size_t total) {
      CHECK(total == 6);
      steps.push_back(done);
    });
    CHECK(report.people == 2);
    CHECK(report.people_left_out == 1);
    CHECK(report.photos == 3);
    CHECK(report.photos_left_out == 3);
    CHECK(service.status().counts.photos == 3);
  }
  CHECK(std::vector(steps.begin(), steps.begin() + 4) == std::vector<std::size_t>{0, 3, 5, 6});
  CHECK(people.person_with("1001")->details.group == "IT");
  CHECK(service.recognise("1002", picture("BUDI:7")).nik_matched);  // when it returns, not some time after

  std::ofstream(unpacked.root() / "p.csv") << "nik,nama,site\n1001,ANI,HQ\n1002,BUDI,NOWHERE\n";
  rules.has_site = [](std::string_view code) { return code == "HQ"; };
  BulkReport placed;
  enrol_source(service, people, read_unpacked(unpacked.root(), {}), rules, placed, [](std::size_t, std::size_t) {});
  CHECK(people.person_with("1001")->details.site == "HQ");
  CHECK(people.person_with("1001")->details.group == "IT");  // a list that says nothing of it takes nothing away
  CHECK(people.person_with("1002")->details.site.empty());
  CHECK(std::ranges::count_if(placed.verdicts, [](const Verdict& verdict) {
          return verdict.nik == "1002" && verdict.reason.starts_with("there is no site NOWHERE");
        }) == 1);

  rules.objection = [](std::string_view nik) { return nik == "1001" ? "no consent" : ""; };
  BulkReport report;
  enrol_source(service, people, source, rules, report, [](std::size_t, std::size_t) {});
  CHECK(report.people == 1);
  CHECK(std::ranges::count(report.verdicts, "no consent", &Verdict::reason) == 3);
  rules.stopping = [] { return true; };
  CHECK(testing::Site::cause_of([&] {
          enrol_source(service, people, source, rules, report, [](std::size_t, std::size_t) {});
        }) == Cause::stopping);
}

TEST_CASE("what became of a photo is told also where paths are long") {
  testing::Site site;
  auto& service = site.start();
  SqlitePeopleStore people(*site.database);
  const std::string deep = std::string(150, 'd') + "/";
  const Unpacked unpacked(ZipFiles{{"p.csv", std::string(table)},
                                   {deep + "x.jpg", "y"},
                                   {"1001/" + std::string(150, 'a') + "1.jpg", "ANI:1"},
                                   {"1001/" + std::string(150, 'a') + "2.jpg", "broken"},
                                   {"1001/" + std::string(150, 'a') + "3.jpg", "none"},
                                   {"1002/" + std::string(150, 'b') + "1.jpg", "none"}});
  BulkReport report;
  std::size_t told = 0;
  BulkRules rules;
  rules.enrolled = [&](const UploadResult& uploaded, std::span<const File> files) {
    CHECK(uploaded.person.nik == "1001");
    CHECK(files.size() == 2);
    ++told;
  };
  enrol_source(service, people, read_unpacked(unpacked.root(), {}), rules, report, [](std::size_t, std::size_t) {});
  CHECK(report.people == 1);
  CHECK(report.photos == 1);
  CHECK(report.photos_left_out == 3);
  CHECK(told == 1);
  const auto reason_of = [&](std::string_view ending) {
    const auto found =
        std::ranges::find_if(report.verdicts, [&](const Verdict& v) { return v.file.ends_with(ending); });
    return found == report.verdicts.end() ? "" : found->verdict + ": " + found->reason;
  };
  CHECK(reason_of("a1.jpg") == "enrolled: ");
  CHECK(reason_of("a2.jpg") == "left_out: picture: not a JPEG, PNG or WebP");
  CHECK(reason_of("a3.jpg") == "left_out: no face was found");
  CHECK(reason_of("b1.jpg") == "left_out: no face was found");
}

TEST_CASE("a file and a folder of one name in a zip are told, not taken for a fault of the server") {
  for (const auto& files : {ZipFiles{{"a.jpg", "1"}, {"a.jpg/b.jpg", "2"}, {"c.jpg", "3"}},
                            ZipFiles{{"a.jpg/b.jpg", "2"}, {"a.jpg", "1"}, {"c.jpg", "3"}}}) {
    const Unpacked unpacked(files);
    REQUIRE(unpacked.odd.size() == 1);
    CHECK(unpacked.odd[0].reason.find("the same name") != std::string::npos);
    CHECK(fs::exists(unpacked.root() / "c.jpg"));
  }
}

TEST_CASE("a log's days and repeated check-ins are those of the book's options") {
  testing::Site site;
  auto& service = site.start();
  SqlitePeopleStore people(*site.database);
  SqliteRecordStore records(*site.database);
  const Unpacked unpacked(ZipFiles{{"train_img/1001/ANI/a.jpg", "ANI:1"},
                                   {"logging/logging_03-07-2024.txt",
                                    "01:00:00 - NIK: 1001, Name: ANI, Accuracy: 0.9, Matched: True\n"
                                    "01:20:00 - NIK: 1001, Name: ANI, Accuracy: 0.9, Matched: True\n"}});
  const auto source = read_unpacked(unpacked.root(), {});
  BulkReport report;
  enrol_source(service, people, source, {}, report, [](std::size_t, std::size_t) {});
  BookOptions options;
  options.day_start = Minutes(0);
  options.duplicate_window = Minutes(30);
  import_logs(*site.store, records, source, options, report, [](std::size_t, std::size_t) {});
  CHECK(report.rows == 2);
  CHECK(report.events == 1);
  const auto events = records.events({}, 0, 10);
  REQUIRE(events.size() == 1);
  CHECK(date_text(events[0].date) == "2024-07-03");
}
