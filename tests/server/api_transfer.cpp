// /api/v1: many people at once, and everything in one archive.
#include "api_site.hpp"
#include "attendance/zip.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

namespace wajah::server {
namespace {

using attendance::testing::stored_zip;
using attendance::testing::ZipFiles;

const ZipFiles staff{{"staff.csv", "nik,nama\n1001,ANI\n1002,BUDI\n1003,CITRA\n"},
                     {"1001/a.jpg", "ANI:1"},
                     {"1001/b.jpg", "none"},
                     {"1002/a.jpg", "BUDI:1"},
                     {"1003/a.jpg", "broken"}};

std::string file_part(std::string_view bytes) { return part("file", bytes, "people.zip"); }

// The job as it is when it has ended.
boost::json::object ended(ApiSite& api, const Answered& begun) {
  REQUIRE_MESSAGE(begun.status == 202, begun.body);
  for (int tries = 0; tries < 500; ++tries) {
    const auto job = api.get(begun.headers.at("location"));
    REQUIRE(job.status == 200);
    const auto state = job.json.at("state").as_string();
    if (state == "done" || state == "failed") return job.json.as_object();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  FAIL("the job has not ended");
  return {};
}

std::size_t temporary_folders(const ApiSite& api) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(api.below.folder.path())) {
    if (entry.is_directory() && entry.path().filename().string().starts_with("temporary-")) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("a zip of people is enrolled as a job that says what was left out") {
  ApiSite api;
  const auto begun = api.send_form("POST /api/v1/people:import", file_part(stored_zip(staff)));
  const auto job = ended(api, begun);
  CHECK(job.at("state") == "done");
  CHECK(job.at("kind") == "import");
  CHECK(job.at("done") == 4);
  CHECK(job.at("total") == 4);
  const auto& result = job.at("result").as_object();
  CHECK(result.at("people") == 2);
  CHECK(result.at("people_left_out") == 1);
  CHECK(result.at("photos") == 2);
  REQUIRE(result.at("left_out").as_array().size() == 2);
  CHECK(result.at("left_out").at(0).at("file") == "1001/b.jpg");
  CHECK(result.at("left_out").at(1).at("nik") == "1003");
  CHECK(result.at("left_out").at(1).at("reason").as_string().find(api.below.folder.path().string()) ==
        std::string::npos);
  const auto seen = api.send_form("POST /api/v1/recognize", picture_part("BUDI:9"));
  CHECK(seen.json.at("faces").at(0).at("person").at("nik") == "1002");
  CHECK(temporary_folders(api) == 0);
  const auto audit = api.get("/api/v1/audit?action=people.import");
  CHECK(audit.json.at("items").at(0).at("detail").at("people") == 2);

  // The list may come beside the zip.
  ZipFiles photos(staff.begin() + 1, staff.end());
  const auto again = ended(api, api.send_form("POST /api/v1/people:import",
                                              file_part(stored_zip(photos)) + part("csv", staff[0].second, "s.csv")));
  CHECK(again.at("result").at("people") == 2);
  CHECK(api.get("/api/v1/people?count=true").json.at("total") == 2);
}

TEST_CASE("an import that cannot be one fails with a sentence, and stores nothing") {
  ApiSite api;
  for (const auto& [bytes, sentence] : {std::pair<std::string, std::string>{"no zip", "no zip"},
                                        {stored_zip({{"1001/a.jpg", "ANI:1"}}), "0 CSV files"},
                                        {stored_zip({{"a.csv", "x,y\n"}, {"1001/a.jpg", "ANI:1"}}), "nik and nama"}}) {
    const auto job = ended(api, api.send_form("POST /api/v1/people:import", file_part(bytes)));
    CHECK(job.at("state") == "failed");
    const std::string error(job.at("result").at("error").as_string());
    CHECK_MESSAGE(error.find(sentence) != std::string::npos, error);
    CHECK(error.find(api.below.folder.path().string()) == std::string::npos);
  }
  CHECK(api.send_form("POST /api/v1/people:import", part("force", "true")).status == 422);
  CHECK(api.get("/api/v1/people?count=true").json.at("total") == 0);
  CHECK(temporary_folders(api) == 0);
}

TEST_CASE("nobody is imported without the consent that is asked for") {
  ApiSite api([](OfficeOptions& options) { options.backend.require_consent = true; });
  const auto made = api.send_json("POST /api/v1/people", R"({"nik":"1002","name":"BUDI"})");
  const auto consents = fmt::format("POST /api/v1/people/{}/consents", made.json.at("id").as_string());
  REQUIRE(api.send_json(consents.c_str(), R"({"text_version":"2026-01","channel":"paper"})").status == 201);
  const auto job = ended(api, api.send_form("POST /api/v1/people:import", file_part(stored_zip(staff))));
  CHECK(job.at("result").at("people") == 1);
  CHECK(job.at("result").at("people_left_out") == 2);
  CHECK(api.get("/api/v1/people/nik:1001").status == 404);
}

TEST_CASE("an archive leaves with everything and comes into another installation, recognisable") {
  ApiSite from;
  from.enrol("1001", "ANI");
  from.send_form("POST /api/v1/attendance/check", picture_part("ANI:7"));
  for (const bool sealed : {false, true}) {
    const auto archive = from.download("/api/v1/people:export", sealed ? "X-Wajah-Passphrase: open sesame\r\n" : "");
    REQUIRE(archive.status == 200);
    CHECK(archive.headers.at("content-type") == "application/vnd.wajah.archive");
    CHECK(archive.body.starts_with("PK"));
    CHECK(temporary_folders(from) == 0);

    ApiSite to;
    const auto passphrase = sealed ? part("passphrase", "open sesame") : "";
    if (sealed) {
      const auto refused = ended(to, to.send_form("POST /api/v1/people:import", file_part(archive.body)));
      CHECK(refused.at("state") == "failed");
    }
    const auto job = ended(to, to.send_form("POST /api/v1/people:import", file_part(archive.body) + passphrase));
    CHECK_MESSAGE(job.at("state") == "done", boost::json::serialize(job));
    CHECK(job.at("result").at("people") == 1);
    CHECK(job.at("result").at("events") == 1);
    const auto seen = to.send_form("POST /api/v1/recognize", picture_part("ANI:9"));
    CHECK(seen.json.at("faces").at(0).at("person").at("nik") == "1001");
  }
}

}  // namespace wajah::server
