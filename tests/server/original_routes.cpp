// The original service's three routes, byte for byte.
#include "server/original_routes.hpp"

#include "server/json.hpp"
#include "test_server.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <limits>
#include <string>

namespace wajah::server {
namespace {

using attendance::Cause;
using attendance::Refusal;

std::string missing(std::string_view field) {
  return fmt::format(R"({{"type":"missing","loc":["body","{}"],"msg":"Field required","input":null}})", field);
}

const std::string one_upload = part("nik", "12345") + part("nama", "BUDI") + part("files", "JPEG", "a.jpg");
const std::string one_recognition = part("nik_input", "12345") + part("file", "JPEG", "a.jpg");
const std::string one_removal = part("nik_hapus", "12345") + part("nama", "BUDI");

attendance::FaceResult face(std::optional<std::string> nik, std::string name, double accuracy) {
  attendance::FaceResult result;
  result.nik = std::move(nik);
  result.name = std::move(name);
  result.accuracy = accuracy;
  return result;
}

}  // namespace

TEST_CASE("upload says how many photos were stored") {
  TestServer server;
  const auto answer =
      ask_once(server.port(), form("POST /upload/", part("nik", "12345") + part("nama", "ÉLISE \"X\"") +
                                                        part("files", "ONE", "a.jpg") + part("files", "TWO", "b.jpg")));
  CHECK(answer.status == 200);
  CHECK(answer.headers.at("content-type") == "application/json");
  CHECK(answer.body ==
        R"({"success":true,"message":"Successfully uploaded 2 images for NIK 12345, Name ÉLISE \"X\""})");
  const auto uploads = server.api.uploads();
  REQUIRE(uploads.size() == 1);
  CHECK(uploads[0].nik == "12345");
  CHECK(uploads[0].name == "ÉLISE \"X\"");
  CHECK(uploads[0].files == std::vector<std::pair<std::string, std::string>>{{"a.jpg", "ONE"}, {"b.jpg", "TWO"}});
  CHECK(answer.headers.count("x-wajah-skipped") == 0);
}

TEST_CASE("upload names what it left out in a header that is always ASCII") {
  TestServer server;
  server.api.on_upload = [](const FakeApi::Upload& upload) {
    attendance::UploadResult result{{1, upload.nik, upload.name}, 1, {}, {}};
    result.skipped = {{"b c\r\nSet-Cookie: x.jpg", "no face, or too small"}, {"\xc3\xa9", "no face"}};
    return result;
  };
  const auto answer = ask_once(server.port(), form("POST /upload/", one_upload));
  CHECK(answer.headers.at("x-wajah-skipped") ==
        "b%20c%0D%0ASet-Cookie%3A%20x.jpg: no face or too small, %C3%A9: no face");
  CHECK(answer.headers.count("set-cookie") == 0);

  std::vector<attendance::SkippedFile> many(100, {std::string(60, 'n'), "no face"});
  const auto text = skipped_text(many);
  CHECK(text.size() < 2100);
  CHECK(text.find(" more") != std::string::npos);
}

TEST_CASE("upload's refusals have the original's texts") {
  TestServer server;
  const auto refused = [&](Cause cause, const std::string& text) {
    server.api.on_upload = [=](const FakeApi::Upload&) -> attendance::UploadResult { throw Refusal(cause, text); };
    return ask_once(server.port(), form("POST /upload/", one_upload));
  };
  const auto check = [&](Cause cause, int status, std::string_view body) {
    const auto answer = refused(cause, "why \"so\"");
    CHECK(answer.status == status);
    CHECK(answer.body == body);
    CHECK(answer.headers.count("retry-after") == (status == 503 ? 1 : 0));
  };
  constexpr std::string_view message = R"({"success":false,"message":"why \"so\""})";
  check(Cause::name_not_upper, 400, R"({"detail":"Nama must be in capital letters"})");
  check(Cause::too_many_files, 400, R"({"success":false,"message":"Maximum 100 images are allowed"})");
  check(Cause::no_files, 422, fmt::format(R"({{"detail":[{}]}})", missing("files")));
  check(Cause::bad_nik, 400, message);
  check(Cause::bad_name, 400, message);
  check(Cause::undecodable, 400, message);
  check(Cause::no_face, 400, message);
  check(Cause::busy, 503, message);
  check(Cause::stopping, 503, message);
  check(Cause::late, 504, message);
  check(Cause::training, 500, message);
}

TEST_CASE("more than 100 files: the original's text, at the 101st") {
  TestServer server;
  std::string parts = part("nik", "1") + part("nama", "A");
  for (int i = 0; i < 101; ++i) parts += part("files", "JPEG", "a.jpg");
  const auto answer = ask_once(server.port(), form("POST /upload/", parts));
  CHECK(answer.status == 400);
  CHECK(answer.body == R"({"success":false,"message":"Maximum 100 images are allowed"})");
  CHECK(server.api.calls() == 0);
}

TEST_CASE("recognise gives one result for each face, floats as Python writes them") {
  TestServer server;
  server.api.on_recognise = [](const std::string& nik, const std::string& picture) {
    CHECK(picture == "JPEG");
    attendance::RecogniseResult result{{}, nik, false, 3, "Wajah Tidak Dikenali"};
    result.results = {face("12345", "BUDI", 0.9834), face({}, "Unknown", 1e-5), face({}, "Unknown", 1)};
    return result;
  };
  const auto answer = ask_once(server.port(), form("POST /recognize/", one_recognition));
  CHECK(answer.status == 200);
  CHECK(answer.body ==
        R"({"results":[{"nik":"12345","name":"BUDI","accuracy":0.9834},{"nik":null,"name":"Unknown","accuracy":1e-05},)"
        R"({"nik":null,"name":"Unknown","accuracy":1.0}],"nik_input":"12345","nik_matched":false,"face_num":3,)"
        R"("message":"Wajah Tidak Dikenali"})");
}

TEST_CASE("recognise: matched, and nobody there") {
  TestServer server;
  server.api.on_recognise = [](const std::string& nik, const std::string&) {
    attendance::RecogniseResult result{{}, nik, true, 1, "BUDI TERDETEKSI"};
    result.results = {face("12345", "BUDI", 0.75)};
    return result;
  };
  CHECK(ask_once(server.port(), form("POST /recognize/", one_recognition)).body ==
        R"({"results":[{"nik":"12345","name":"BUDI","accuracy":0.75}],"nik_input":"12345","nik_matched":true,)"
        R"("face_num":1,"message":"BUDI TERDETEKSI"})");
  server.api.on_recognise = nullptr;
  CHECK(ask_once(server.port(), form("POST /recognize/", one_recognition)).body ==
        R"({"results":[],"nik_input":"12345","nik_matched":false,"face_num":0,"message":"Wajah Tidak Dikenali"})");
}

TEST_CASE("recognise of what is no picture") {
  TestServer server;
  server.api.on_recognise = [](const std::string&, const std::string&) -> attendance::RecogniseResult {
    throw Refusal(Cause::undecodable, "the picture: a GIF\nis not taken");
  };
  const auto answer = ask_once(server.port(), form("POST /recognize/", one_recognition));
  CHECK(answer.status == 400);
  CHECK(answer.body == R"({"message":"An error occurred during face recognition"})");
  CHECK(answer.headers.at("x-wajah-error") == "the picture: a GIF%0Ais not taken");
}

TEST_CASE("hapus takes a form of either kind") {
  TestServer server;
  constexpr std::string_view gone =
      R"({"success":true,"message":"Successfully deleted data for NIK 12345, Name BUDI and retrained the model",)"
      R"("training_success":true})";
  CHECK(ask_once(server.port(), form("DELETE /hapus/", one_removal)).body == gone);
  CHECK(ask_once(server.port(),
                 with_body("DELETE /hapus", "application/x-www-form-urlencoded", "nik_hapus=12345&nama=BUDI"))
            .body == gone);

  server.api.on_remove = [](const std::string& nik, const std::string& name) {
    return attendance::RemoveResult{{1, nik, name}, 3, false, "secret cause"};
  };
  const auto failed = ask_once(server.port(), form("DELETE /hapus/", one_removal));
  CHECK(failed.status == 500);
  CHECK(failed.body.starts_with(R"({"success":false,"message":"Training failed after deletion: )"));
  CHECK(failed.body.ends_with(R"(,"training_success":false})"));
  CHECK(failed.body.find("secret") == std::string::npos);

  server.api.on_remove = [](const std::string&, const std::string&) -> attendance::RemoveResult {
    throw Refusal(Cause::unknown_person, "nobody with NIK 12345 and name BUDI");
  };
  const auto unknown = ask_once(server.port(), form("DELETE /hapus/", one_removal));
  CHECK(unknown.status == 404);
  CHECK(unknown.body == R"({"success":false,"message":"nobody with NIK 12345 and name BUDI"})");
}

TEST_CASE("missing fields are listed in the order of the form") {
  TestServer server;
  const auto missing_of = [&](std::string_view request, std::initializer_list<std::string_view> names) {
    std::string entries;
    for (const auto name : names) entries += (entries.empty() ? "" : ",") + missing(name);
    const auto answer = ask_once(server.port(), request);
    CHECK(answer.status == 422);
    CHECK(answer.body == fmt::format(R"({{"detail":[{}]}})", entries));
  };
  missing_of(form("POST /upload/", ""), {"nik", "nama", "files"});
  missing_of(form("POST /upload/", part("nama", "A")), {"nik", "files"});
  missing_of(form("POST /upload/", part("nik", "") + part("nama", "A") + part("files", "x", "a")), {"nik"});
  missing_of(form("POST /recognize/", part("nik_input", "1") + part("file", "", "a.jpg")), {"file"});
  missing_of("POST /recognize/ HTTP/1.1\r\nHost: a\r\n\r\n", {"nik_input", "file"});
  missing_of(with_body("POST /recognize/", "application/json", R"({"nik_input":"1"})"), {"nik_input", "file"});
  missing_of(with_body("DELETE /hapus/", "application/x-www-form-urlencoded", "nama=A"), {"nik_hapus"});
  CHECK(server.api.calls() == 0);
}

TEST_CASE("faults behind the routes are told without their texts") {
  TestServer server;
  const auto broken = [&](const std::function<void()>& fault) {
    server.api.on_upload = [=](const FakeApi::Upload&) -> attendance::UploadResult {
      fault();
      return {};
    };
    server.api.on_recognise = [=](const std::string&, const std::string&) -> attendance::RecogniseResult {
      fault();
      return {};
    };
  };
  broken([] { throw std::runtime_error("/secret/path"); });
  auto answer = ask_once(server.port(), form("POST /upload/", one_upload));
  CHECK(answer.status == 500);
  CHECK(answer.body == R"({"success":false,"message":"An error occurred"})");
  answer = ask_once(server.port(), form("POST /recognize/", one_recognition));
  CHECK(answer.status == 500);
  CHECK(answer.body == R"({"message":"An error occurred during face recognition"})");
  broken([] { throw Error(ErrorKind::storage, "disk full at /secret/path"); });
  answer = ask_once(server.port(), form("POST /upload/", one_upload));
  CHECK(answer.status == 503);
  CHECK(answer.headers.at("retry-after") == "2");
  CHECK(answer.body.find("secret") == std::string::npos);
  CHECK(server.warnings.size() == 3);
  CHECK(server.warnings[2].find("/secret/path") != std::string::npos);
}

TEST_CASE("without models every attendance route says how to get them") {
  TestServer server;
  server.site.api = nullptr;
  server.site.without = "no weights: run `wajah models fetch`";
  auto answer = ask_once(server.port(), form("POST /upload/", one_upload));
  CHECK(answer.status == 503);
  CHECK(answer.body == R"({"success":false,"message":"no weights: run `wajah models fetch`"})");
  answer = ask_once(server.port(), form("POST /recognize/", one_recognition));
  CHECK(answer.status == 503);
  CHECK(answer.body == R"({"message":"no weights: run `wajah models fetch`"})");
  CHECK(ask_once(server.port(), form("DELETE /hapus/", one_removal)).status == 503);
  CHECK(ask_once(server.port(), get("/readyz")).body ==
        R"({"status":"unavailable","reason":"no weights: run `wajah models fetch`"})");
  CHECK(ask_once(server.port(), get("/healthz")).body == R"({"status":"ok"})");
  CHECK(ask_once(server.port(), get("/docs")).status == 200);
}

TEST_CASE("JSON is Python's") {
  namespace json = boost::json;
  const json::object value{{"b", 1},
                           {"a", -0.0},
                           {"c", 1e16},
                           {"d", 0.1},
                           {"e", nullptr},
                           {"f", true},
                           {"g", json::array{1.5, "x", json::object{}}},
                           {"h", "\"\\/\b\f\n\r\t\x01\x7f é😀 \xff"}};
  CHECK(to_text(value) ==
        "{\"b\":1,\"a\":-0.0,\"c\":1e+16,\"d\":0.1,\"e\":null,\"f\":true,\"g\":[1.5,\"x\",{}],"
        "\"h\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f é😀 \xef\xbf\xbd\"}");
  CHECK(to_text(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
}

}  // namespace wajah::server
