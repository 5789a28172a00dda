// wajah keys, export and import as users run them, and how they read other people's folders.
#include "attendance/bulk/import_source.hpp"
#include "attendance/data_folder.hpp"
#include "attendance/sqlite_store.hpp"
#include "attendance/storage/database.hpp"
#include "cli/inputs.hpp"
#include "cli/program.hpp"

#include <wajah/error.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <chrono>
#include <filesystem>

using wajah::test::Outcome;
using wajah::test::Workplace;
namespace bulk = wajah::attendance;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

void enrol_somebody(const fs::path& data, const std::string& nik, const std::string& name) {
  const wajah::attendance::DataFolder folder(data);
  wajah::attendance::Database database(folder);
  wajah::attendance::SqliteStore store(database);
  wajah::attendance::Enrolment enrolment{nik, name, "m1", {{{}, 10, 10, {1, 2, 3}, {}}}, {}, {}};
  REQUIRE(store.enrol(enrolment));
}

const bulk::Verdict* verdict_on(const bulk::ImportSource& source, std::string_view part) {
  for (const bulk::Verdict& verdict : source.odd) {
    if (contains(verdict.file, part)) return &verdict;
  }
  return nullptr;
}

void make_odd_tree(const Workplace& place) {
  for (const char* folder :
       {"old/train_img/1/ANI", "old/train_img/2/budi", "old/train_img/3/CITRA_DEWI", "old/train_img/3/CITRA",
        "old/train_img/4", "old/train_img/..5/X", "old/train_img/6/KOSONG", "old/logging", "outside/TAMU"}) {
    fs::create_directories(place / folder);
  }
  place.write("old/train_img/1/ANI/ANI (1).jpg", std::string_view("x"));
  place.write("old/train_img/1/ANI/ANI (2).JPG", std::string_view("x"));
  place.write("old/train_img/1/ANI/notes.txt", std::string_view("x"));
  place.write("old/train_img/2/budi/1.png", std::string_view("x"));
  place.write("old/train_img/3/CITRA/1.jpg", std::string_view("x"));
  place.write("old/train_img/3/CITRA_DEWI/2.jpg", std::string_view("x"));
  place.write("old/train_img/4/loose.jpg", std::string_view("x"));
  place.write("old/train_img/stray.jpg", std::string_view("x"));
  place.write("outside/TAMU/1.jpg", std::string_view("x"));
  place.write("old/logging/logging_03-07-2024.txt", std::string_view("x"));
  place.write("old/logging/logging_30-06-2024.txt", std::string_view("x"));
  place.write("old/logging/nohup.out", std::string_view("x"));
  fs::create_directory_symlink(place / "outside", place / "old/train_img/7");
  fs::create_symlink(place / "outside/TAMU/1.jpg", place / "old/train_img/1/ANI/link.jpg");
  const auto now = fs::file_time_type::clock::now();
  fs::last_write_time(place / "old/train_img/3/CITRA", now - std::chrono::hours(1));
  fs::last_write_time(place / "old/train_img/3/CITRA_DEWI", now);
}

}  // namespace

TEST_CASE("the original's tree is read with all that is odd in it, and links are never followed") {
  const Workplace place;
  make_odd_tree(place);
  const auto source = bulk::read_original(place / "old");
  REQUIRE(source.people.size() == 3);
  CHECK(source.people[0].nik == "1");
  CHECK(source.people[0].name == "ANI");
  CHECK(source.people[0].photos.size() == 2);
  CHECK(source.people[1].name == "BUDI");
  CHECK(source.people[2].name == "CITRA_DEWI");
  CHECK(source.people[2].photos.size() == 2);
  REQUIRE(source.logs.size() == 2);
  CHECK(source.logs[0].filename() == "logging_30-06-2024.txt");
  for (const auto& [file, reason] :
       {std::pair("notes.txt", "ending"), std::pair("link.jpg", "link"), std::pair("train_img/7", "link"),
        std::pair("loose.jpg", "name"), std::pair("stray.jpg", "NIK"), std::pair("train_img/6", "no photos"),
        std::pair("nohup.out", "no log"), std::pair("2/budi", "capitals"), std::pair("train_img/3", "2 names")}) {
    const auto* verdict = verdict_on(source, file);
    REQUIRE_MESSAGE(verdict, file);
    CHECK_MESSAGE(contains(verdict->reason, reason), verdict->reason);
  }
  CHECK_THROWS_AS((void)bulk::read_original(place / "outside"), wajah::Error);
}

TEST_CASE("a staff list finds its photos in folders and loose") {
  const Workplace place;
  for (const char* folder : {"photos/1", "photos/elsewhere"}) fs::create_directories(place / folder);
  for (const char* photo : {"photos/1/a.jpg", "photos/1/b.jpg", "photos/2.jpg", "photos/2_1.jpg", "photos/2-x y.png",
                            "photos/22.jpg", "photos/elsewhere/3.jpg"}) {
    place.write(photo, std::string_view("x"));
  }
  place.write("staff.csv", std::string_view("\xEF\xBB\xBFNIK;Nama;Group;external_id\r\n1;\"ANI; S.KOM\";staff;x1\r\n"
                                            "2;BUDI;;\r\n3;CITRA;;\r\n2;BUDI LAGI;;\r\n"));
  const auto source = bulk::read_staff(place / "photos", place / "staff.csv");
  REQUIRE(source.people.size() == 2);
  CHECK(source.people[0].name == "ANI; S.KOM");
  CHECK(source.people[0].details.group == "staff");
  CHECK(source.people[0].details.external_id == "x1");
  CHECK(source.people[0].photos.size() == 2);
  CHECK(source.people[1].photos.size() == 3);
  CHECK(contains(verdict_on(source, "staff.csv:4")->reason, "no photos"));
  CHECK(contains(verdict_on(source, "staff.csv:5")->reason, "earlier line"));
  CHECK(contains(verdict_on(source, "photos/elsewhere")->reason, "no line"));
  place.write("staff.csv", std::string_view("a,b\n1,2\n"));
  CHECK_THROWS_AS((void)bulk::read_staff(place / "photos", place / "staff.csv"), wajah::Error);
}

TEST_CASE("CSV is read as RFC 4180 has it") {
  using Rows = std::vector<std::vector<std::string>>;
  CHECK(bulk::parse_csv("a,b\n1,2\n") == Rows{{"a", "b"}, {"1", "2"}});
  CHECK(bulk::parse_csv("a,b\r\n\"x, \"\"y\"\"\",\"l1\nl2\"") == Rows{{"a", "b"}, {"x, \"y\"", "l1\nl2"}});
  CHECK(bulk::parse_csv("a,b\n,\n") == Rows{{"a", "b"}, {"", ""}});
  CHECK(bulk::parse_csv("").empty());
  CHECK_THROWS_AS((void)bulk::parse_csv("a\n\"b"), wajah::Error);
}

TEST_CASE("keys are made, listed and revoked, and shown once") {
  const Workplace place;
  const auto made = place.run({"keys", "create", "--name", "gate", "--role", "kiosk", "--site", "main", "--days", "30",
                               "--scopes", "recognize,attendance:write", "--json"});
  REQUIRE_MESSAGE(made.status == 0, made.err);
  const auto key = json::parse(made.out).as_object();
  const std::string text(key.at("key").as_string()), id(key.at("id").as_string());
  CHECK(text.starts_with("wjh_" + id + "_"));
  CHECK(key.at("scopes").as_array().size() == 2);
  CHECK(key.at("expires").is_string());
  const auto listed = place.run({"keys", "list"});
  CHECK(contains(listed.out, id));
  CHECK(contains(listed.out, "in force"));
  CHECK_FALSE(contains(listed.out, text.substr(text.size() - 20)));
  CHECK(place.run({"keys", "revoke", id}).status == 0);
  CHECK(contains(place.run({"keys", "list"}).out, "revoked"));
  CHECK(place.run({"keys", "revoke", id}).status == 3);
  for (const auto& wrong : {std::vector<std::string>{"keys", "create"},
                            {"keys", "create", "--name", "x", "--role", "boss"},
                            {"keys", "create", "--name", "x", "--days", "-1"},
                            {"keys", "rotate"}}) {
    const auto outcome = place.run(wrong);
    CHECK(outcome.status == 2);
    CHECK_MESSAGE(outcome.one_sentence(), outcome.err);
  }
}

TEST_CASE("backups and archives go out and come back from the command line") {
  const Workplace place;
  enrol_somebody(place / "data", "1", "ANI");
  CHECK(contains(place.run({"export", "--backup", "copy.db"}).out, "1 people, 1 photos"));
  CHECK(place.run({"export", "--backup", "copy.db"}).status == 3);
  CHECK(place.run({"export", "--backup", "copy.db", "--force"}).status == 0);
  CHECK(place.run({"import", "--backup", "copy.db"}).status == 3);
  CHECK(place.run({"import", "--backup", "copy.db", "--force"}).status == 0);
  CHECK(place.run({"import", "--backup", "copy.db", "--data", "second"}).status == 0);

  place.write("passphrase", std::string_view("a long passphrase\n"));
  const auto plain = place.run({"export", "plain.wajah"});
  CHECK(contains(plain.out, "1 people, 1 photos, 1 embeddings"));
  CHECK(contains(plain.out, "not sealed"));
  CHECK(place.run({"export", "sealed.wajah", "--passphrase-file", "passphrase"}).status == 0);
  CHECK(contains(place.run({"import", "sealed.wajah", "--data", "third"}).err, "--passphrase-file"));
  const auto dry =
      place.run({"import", "sealed.wajah", "--data", "third", "--passphrase-file", "passphrase", "--dry-run"});
  CHECK(contains(dry.out, "nothing was written"));
  CHECK(contains(place.run({"people", "list", "--data", "third"}).out, "ANI") == false);
  CHECK(contains(place.run({"import", "sealed.wajah", "--data", "third", "--passphrase-file", "passphrase"}).out,
                 "1 people added"));
  CHECK(contains(place.run({"people", "list", "--data", "third"}).out, "ANI"));
  for (const auto& wrong : {std::vector<std::string>{"export"},
                            {"export", "a.wajah", "--backup", "b"},
                            {"import"},
                            {"import", "a.wajah", "--original", "b"},
                            {"import", "--dir", "photos"}}) {
    CHECK_MESSAGE(place.run(wrong).status == 2, wrong.back());
  }
}

TEST_CASE("templates are sealed, sealed anew and laid open from the command line") {
  const Workplace place;
  enrol_somebody(place / "data", "1", "ANI");
  CHECK(place.run({"keys", "make-file", "first.key"}).status == 0);
  CHECK(place.run({"keys", "make-file", "first.key"}).status == 3);
  CHECK(place.run({"keys", "make-file", "second.key"}).status == 0);
  CHECK(place.run({"people", "list", "--storage-key-file", "first.key"}).status == 0);
  const auto locked = place.run({"people", "list"});
  CHECK(locked.status == 3);
  CHECK_MESSAGE(contains(locked.err, "storage.key_file"), locked.err);
  CHECK(place.run({"keys", "rotate", "--storage-key-file", "first.key", "--new-key-file", "second.key"}).status == 0);
  CHECK(place.run({"people", "list", "--storage-key-file", "first.key"}).status == 3);
  CHECK(place.run({"people", "list"}, {{"WAJAH_STORAGE_KEY_FILE", "second.key"}}).status == 0);
  INFO("variables of options that are no settings are not taken for slips of those that are");
  const std::map<std::string, std::string> options{{"WAJAH_JSON", "1"}, {"WAJAH_EXACT", "direct"}};
  CHECK(place.run({"people", "list", "--storage-key-file", "second.key"}, options).out.starts_with("{"));
  INFO("the data folder's own settings say where the key is");
  place.write("data/wajah.toml", std::string_view("[storage]\nkey_file = \"second.key\"\n"));
  CHECK(place.run({"people", "list"}).status == 0);
  CHECK(place.run({"people", "list"}, {{"WAJAH_STORAGE_KEY_FILE", "first.key"}}).status == 3);
  fs::rename(place / "data/wajah.toml", place / "elsewhere.toml");
  CHECK(place.run({"people", "list"}).status == 3);
  CHECK(place.run({"people", "list", "--config", "elsewhere.toml"}).status == 0);
  CHECK(place.run({"keys", "rotate", "--storage-key-file", "second.key", "--lay-open"}).status == 0);
  CHECK(place.run({"people", "list"}).status == 0);
}

TEST_CASE("another installation is taken over, and doing it again adds nothing") {
  const Workplace place;
  write_random_mtcnn(place);
  write_random_embedder(place);
  fs::create_directories(place / "old/train_img/1/ANI");
  fs::create_directories(place / "old/logging");
  place.write("old/train_img/1/ANI/1.jpg", wajah::test::drawn_jpeg());
  place.write("old/train_img/1/ANI/broken.jpg", std::string_view("no picture"));
  place.write("old/logging/logging_03-07-2024.txt",
              std::string_view("07:58:11 - NIK: 1, Name: ANI, Accuracy: 0.987, Matched: True\nnonsense\n"
                               "08:01:00 - NIK: 9, Name: Unknown, Accuracy: 0.0, Matched: False\n"));
  const std::vector<std::string> command{
      "import",    "--original",           "old",          "--mtcnn", "mtcnn.safetensors",
      "--weights", "embedder.safetensors", "--strictness", "off",     "--json"};
  const auto first = place.run(command);
  REQUIRE_MESSAGE((first.status == 0 || first.status == 3), first.err);
  const auto result = json::parse(first.out).as_object();
  CHECK(result.at("attendance_rows").as_int64() == 2);
  const auto verdicts = place.read("wajah-import.csv");
  CHECK(contains(verdicts, "broken.jpg"));
  CHECK(contains(verdicts, "logging_03-07-2024.txt:2"));
  const auto again = json::parse(place.run(command).out).as_object();
  CHECK(again.at("attendance_rows").as_int64() == 0);
  CHECK(again.at("events").as_int64() == 0);
}
