// /api/v1: people who leave, withdraw consent or are deactivated, and every place that knows of them.
#include "api_site.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>

namespace wajah::server {
namespace {

namespace fs = std::filesystem;

std::string_view code(const Answered& answer) { return answer.json.at("code").as_string(); }

std::string path_of(const std::string& id) { return "/api/v1/people/" + id; }

// As an upload on the original's route left them.
fs::path mirrored(const ApiSite& api, std::string_view tree, std::string_view nik, std::string_view name) {
  const auto folder = api.below.options.log_folder.parent_path() / tree / nik / name;
  fs::create_directories(folder);
  std::ofstream(folder / "photo (1).jpg") << "JPEG";
  return folder;
}

bool audited(ApiSite& api, std::string_view action) {
  const auto rows = api.get(fmt::format("/api/v1/audit?action={}", action));
  return !rows.json.at("items").as_array().empty();
}

// A site whose trainings fail as long as `fails` says so.
struct Untrainable {
  std::atomic<bool> fails{false};
  ApiSite api{{}, {}, [this](attendance::ServiceOptions& options) {
                options.train = [this](auto samples, const auto& how) {
                  if (fails) fail(ErrorKind::model, "no training today");
                  return attendance::testing::train_nearest_mean(samples, how);
                };
              }};
};

}  // namespace

TEST_CASE("after consent was withdrawn, nothing but a new consent makes the person matchable again") {
  ApiSite api;
  const auto id = api.enrol("1", "ANI");
  const auto path = path_of(id);
  REQUIRE(api.send_json("POST " + path + "/consents", R"({"text_version":"1"})").status == 201);
  REQUIRE(api.remove(path + "/consents").status == 200);
  const auto seen = [&] {
    return !api.send_form("POST /api/v1/recognize", picture_part("ANI:9"))
                .json.at("faces")
                .at(0)
                .at("person")
                .is_null();
  };
  const auto faces = api.send_form("POST " + path + "/faces", picture_part("ANI:20", "images"));
  CHECK(faces.status == 409);
  CHECK(code(faces) == "person_inactive");
  const auto upload =
      api.send_form("POST /upload/", part("nik", "1") + part("nama", "ANI") + picture_part("ANI:21", "files"));
  CHECK(upload.status == 400);
  CHECK(upload.json.at("success") == false);
  CHECK(upload.json.at("message").as_string().starts_with("NIK 1 is deactivated"));
  CHECK(api.get(path).json.at("photos") == 3);
  CHECK_FALSE(seen());
  const auto again = api.send_json("PATCH " + path, R"({"active":true})");
  CHECK(again.status == 409);
  CHECK(code(again) == "consent_missing");
  CHECK_FALSE(seen());
  REQUIRE(api.send_json("POST " + path + "/consents", R"({"text_version":"2"})").status == 201);
  CHECK(api.send_json("PATCH " + path, R"({"active":true})").status == 200);
  CHECK(seen());
}

TEST_CASE("where consent is asked for, nobody becomes active without one") {
  ApiSite api([](OfficeOptions& options) { options.backend.require_consent = true; });
  const auto made = api.send_json("POST /api/v1/people", R"({"nik":"1","name":"ANI","active":false})");
  const auto path = path_of(std::string(made.json.at("id").as_string()));
  CHECK(code(api.send_json("PATCH " + path, R"({"active":true})")) == "consent_missing");
  REQUIRE(api.send_json("POST " + path + "/consents", R"({"text_version":"1"})").status == 201);
  CHECK(api.send_json("PATCH " + path, R"({"active":true})").status == 200);
}

TEST_CASE("somebody deactivated is not merged into somebody active") {
  ApiSite api;
  const auto ani = api.enrol("1", "ANI"), budi = api.enrol("2", "BUDI");
  api.send_json("PATCH " + path_of(ani), R"({"active":false})");
  const auto merge = [&](const std::string& from, const std::string& into) {
    return api.send_json("POST /api/v1/people:merge", fmt::format(R"({{"from":"{}","into":"{}"}})", from, into)).status;
  };
  CHECK(merge(ani, budi) == 409);
  CHECK(api.get(path_of(budi)).json.at("photos") == 3);
  CHECK(merge(budi, ani) == 200);
}

TEST_CASE("an erasure leaves no trace in folders, log, jobs and kept answers") {
  ApiSite api;
  const auto id = api.enrol("998877", "PLANTEDANI"), other = api.enrol("5", "BUDI");
  api.send_form("POST /recognize/", part("nik_input", "998877") + picture_part("PLANTEDANI:9", "file"));
  const auto photos = mirrored(api, "train_img", "998877", "PLANTEDANI");
  mirrored(api, "aligned_img", "998877", "PLANTEDANI");
  const auto others = mirrored(api, "train_img", "5", "BUDI");
  auto& jobs = api.office->backend().jobs;
  auto job = jobs.create("import", 1, {});
  job.state = attendance::JobState::done;
  job.result = R"({"people":998877,"left_out":[{"file":"998877/a.jpg","nik":"998877","reason":"dark"},
                  {"file":"5/a.jpg","nik":"5","reason":"NIK 998877 is PLANTEDANI here"},
                  {"file":"5/b.jpg","nik":"5","reason":"dark"}]})";
  REQUIRE(jobs.save(job));
  const std::string key = "Idempotency-Key: 7\r\n", body = R"({"text_version":"1"})";
  const auto consents = "POST " + path_of(id) + "/consents";
  REQUIRE(api.send_json(consents, body, key).status == 201);
  const std::string made_key = "Idempotency-Key: 8\r\n", made = R"({"nik":"998878","name":"CITRA"})";
  const auto citra = api.send_json("POST /api/v1/people", made, made_key);

  const auto erased = api.remove(path_of(id) + "?erase=true");
  REQUIRE(erased.status == 200);
  CHECK(erased.json.at("left_over").as_array().empty());
  CHECK_FALSE(fs::exists(photos.parent_path()));
  CHECK_FALSE(attendance::testing::anywhere_below(api.below.folder.path(), "PLANTEDANI"));
  CHECK_FALSE(attendance::testing::anywhere_below(api.below.options.log_folder, "998877"));
  CHECK(fs::exists(others));
  const auto told = api.get("/api/v1/jobs").json.at("items").at(0).at("result");
  CHECK(told.at("people") == 998877);
  REQUIRE(told.at("left_out").as_array().size() == 1);
  CHECK(told.at("left_out").at(0).at("file") == "5/b.jpg");

  REQUIRE(api.remove(path_of(std::string(citra.json.at("id").as_string()))).status == 204);
  const auto anew = api.send_json("POST /api/v1/people", made, made_key);
  CHECK(anew.status == 201);
  CHECK(anew.headers.count("idempotency-replayed") == 0);
  CHECK(anew.json.at("id") != citra.json.at("id"));
}

TEST_CASE("what could not be removed from the disk is told, and the erasure stands") {
  ApiSite api;
  const auto id = api.enrol("1", "ANI");
  const auto folder = mirrored(api, "train_img", "1", "ANI");
  fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
  // The superuser may remove it all the same; a folder in the place of a log's new file stops everybody.
  fs::create_directories(api.below.options.log_folder);
  std::ofstream(api.below.options.log_folder / "logging_01-02-2024.txt")
      << "07:58:11 - NIK: 1, Name: ANI, Accuracy: 0.5, Matched: True\n";
  fs::create_directories(api.below.options.log_folder / "logging_01-02-2024.txt.new" / "in_the_way");
  const auto erased = api.remove(path_of(id) + "?erase=true");
  fs::permissions(fs::exists(folder) ? folder : api.below.folder.path(), fs::perms::owner_all);
  REQUIRE(erased.status == 200);
  const auto& left = erased.json.at("left_over").as_array();
  CHECK(std::ranges::find(left, boost::json::value("logging")) != left.end());
  CHECK(api.get(path_of(id)).status == 404);
}

TEST_CASE("with compat.tree every removal and rename is followed by the folders") {
  ApiSite api([](OfficeOptions& options) { options.backend.compat.tree = true; });
  const auto ani = api.enrol("1", "ANI"), budi = api.enrol("2", "BUDI");
  const auto before = mirrored(api, "train_img", "1", "ANI");
  REQUIRE(api.send_json("PATCH " + path_of(ani), R"({"name":"ANI BARU"})").status == 200);
  CHECK_FALSE(fs::exists(before));
  CHECK(fs::exists(before.parent_path() / "ANI BARU" / "photo (1).jpg"));
  const auto theirs = mirrored(api, "train_img", "2", "BUDI");
  REQUIRE(api.send_json("POST /api/v1/people:merge", fmt::format(R"({{"from":"{}","into":"{}"}})", budi, ani)).status ==
          200);
  CHECK_FALSE(fs::exists(theirs.parent_path()));
  REQUIRE(api.remove(path_of(ani)).status == 204);
  CHECK_FALSE(fs::exists(before.parent_path()));
  api.enrol("3", "CITRA");
  const auto old = mirrored(api, "train_img", "3", "CITRA");
  auto retention = api.office->retention({.templates = std::chrono::days(1)});
  CHECK(retention.run(api.below.options.now() + std::chrono::days(10)).people == 1);
  CHECK_FALSE(fs::exists(old.parent_path()));
}

TEST_CASE("a training that fails undoes nothing, hides nothing, and is not told where the change is in force") {
  Untrainable site;
  auto& api = site.api;
  const auto ani = api.enrol("1", "ANI"), budi = api.enrol("2", "BUDI"), citra = api.enrol("3", "CITRA");
  site.fails = true;
  const auto stored = api.send_form("POST " + path_of(ani) + "/faces", picture_part("ANI:20", "images"));
  CHECK(stored.status == 500);
  CHECK(code(stored) == "not_trained");
  CHECK(api.get(fmt::format("/api/v1/audit?action=person.enrol&person={}", ani)).json.at("items").as_array().size() ==
        2);
  const auto photo = std::string(api.get(path_of(ani) + "/faces").json.at("items").at(0).at("id").as_string());
  CHECK(api.remove(path_of(ani) + "/faces/" + photo).status == 500);
  CHECK(audited(api, "person.remove_photo"));

  CHECK(api.send_json("PATCH " + path_of(ani), R"({"active":false})").status == 200);
  CHECK(audited(api, "person.change"));
  CHECK(api.remove(path_of(budi) + "/consents").status == 200);
  CHECK(audited(api, "consent.withdraw"));
  CHECK(api.remove(path_of(citra)).status == 204);
  CHECK(audited(api, "person.remove"));
  const auto erased = api.remove(path_of(budi) + "?erase=true");
  CHECK(erased.status == 200);
  CHECK(audited(api, "person.erase"));
  CHECK(api.send_form("POST /api/v1/recognize", picture_part("BUDI:9")).json.at("faces").at(0).at("person").is_null());
  auto retention = api.office->retention({.templates = std::chrono::days(1)});
  CHECK(retention.run(api.below.options.now() + std::chrono::days(10)).people == 1);
  CHECK(audited(api, "retention.erase"));
}

TEST_CASE("the export of a person's data holds recognitions, pictures and assignments as well") {
  ApiSite api;
  const auto id = api.enrol("1", "ANI");
  api.send_form("POST /recognize/", part("nik_input", "1") + picture_part("ANI:9", "file"));
  api.send_form("POST /recognize/", part("nik_input", "1") + picture_part("STRANGER", "file"));
  const std::string mondays =
      R"({"code":"MON","name":"Mondays","week":[{"start":"07:00","end":"12:00"},null,null,null,null,null,null]})";
  REQUIRE(api.send_json("POST /api/v1/shifts", mondays).status == 201);
  REQUIRE(api.send_json("POST /api/v1/assignments",
                        fmt::format(R"({{"shift":"MON","person":"{}","from":"2026-01-01"}})", id))
              .status == 201);
  const auto data = api.get(path_of(id) + "/data-export");
  REQUIRE(data.status == 200);
  REQUIRE(data.json.at("recognitions").as_array().size() == 2);
  CHECK(data.json.at("recognitions").at(0).at("matched") == true);
  CHECK(data.json.at("recognitions").at(1).at("matched") == false);
  CHECK(data.json.at("assignments").at(0).at("shift") == "MON");
  CHECK(data.json.at("photos").at(0).at("picture").is_null());
}

TEST_CASE("an answer that held a secret is not kept to be told again") {
  ApiSite api;
  const std::string key = "Idempotency-Key: 9\r\n", body = R"({"name":"gate","role":"kiosk"})";
  const auto first = api.send_json("POST /api/v1/keys", body, key);
  REQUIRE(first.status == 201);
  const auto again = api.send_json("POST /api/v1/keys", body, key);
  CHECK(again.status == 409);
  CHECK(code(again) == "conflict");
  CHECK(again.body.find(first.json.at("key").as_string()) == std::string::npos);
  CHECK(api.get("/api/v1/keys").json.at("items").as_array().size() == 1);
}

}  // namespace wajah::server
