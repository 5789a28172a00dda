// /api/v1: routes that look and write nothing.
#include "api_site.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace wajah::server {
namespace {

std::string_view code(const Answered& answer) { return answer.json.at("code").as_string(); }

}  // namespace

TEST_CASE("detect and embed tell of every face; none is an empty list") {
  ApiSite api;
  for (const auto* route : {"detect", "embed", "recognize"}) {
    INFO(route);
    const auto two = api.send_form(fmt::format("POST /api/v1/{}", route), picture_part("ANI BUDI"));
    CHECK(two.status == 200);
    CHECK(two.json.at("faces").as_array().size() == 2);
    CHECK(two.json.at("image").at("width") == 640);
    CHECK(two.headers.at("server-timing").find("detect;dur=") != std::string::npos);
    CHECK(
        api.send_form(fmt::format("POST /api/v1/{}", route), picture_part("none")).json.at("faces").as_array().empty());
  }
  const auto small = api.send_form("POST /api/v1/detect", picture_part("ANI") + part("min_face", "100"));
  CHECK(small.json.at("faces").as_array().empty());
}

TEST_CASE("quality says of a photo what enrolling says, whatever the strictness") {
  using attendance::Strictness;
  for (const Strictness strictness : {Strictness::off, Strictness::standard, Strictness::strict}) {
    CAPTURE(strictness);
    ApiSite api({}, {}, [&](attendance::ServiceOptions& rules) { rules.strictness = strictness; });
    api.send_json("POST /api/v1/people", R"({"nik":"1","name":"ANI"})");
    for (const auto* photo : {"ANI:2", "ANI!dark", "ANI!blurred", "ANI:1 BUDI", "none"}) {
      CAPTURE(photo);
      const auto told = api.send_form("POST /api/v1/quality", picture_part(photo));
      REQUIRE(told.status == 200);
      const auto enrolled = api.send_form("POST /api/v1/people/nik:1/faces",
                                          picture_part("ANI:9", "images") + picture_part(photo, "images"));
      REQUIRE(enrolled.status == 201);
      const auto& rejected = enrolled.json.at("rejected").as_array();
      CHECK(told.json.at("usable").as_bool() == rejected.empty());
      if (!rejected.empty()) {
        CHECK(told.json.at("fault") == rejected.at(0).at("code"));
        CHECK(told.json.at("reason") == rejected.at(0).at("reason"));
      }
      const auto& faces = told.json.at("faces").as_array();
      CHECK(faces.size() == (std::string_view(photo) == "none" ? 0 : 1));
      if (!faces.empty() && !rejected.empty()) {
        CHECK(faces[0].at("quality").at("issues").at(0) == told.json.at("fault"));
        CHECK(faces[0].at("reasons").at(0) == told.json.at("reason"));
      }
    }
  }
}

TEST_CASE("a hint promises what enrolling asks for") {
  ApiSite api;
  api.send_json("POST /api/v1/people", R"({"nik":"1","name":"ANI"})");
  const auto nobody = api.send_form("POST /api/v1/people/nik:1/faces", picture_part("none", "images"));
  CHECK(code(nobody) == "face_not_found");
  const auto limit = fmt::format("at least {:.0f} pixels wide ({:.0f} ", standard_limits.size, strict_limits.size);
  CHECK(nobody.json.at("hint").as_string().find(limit) != std::string_view::npos);
  const auto dark = picture_part("ANI!dark", "images") + part("force", "true");
  const auto refused = api.send_form("POST /api/v1/people/nik:1/faces", dark);
  CHECK(code(refused) == "face_unusable");
  CHECK(refused.json.at("hint").as_string().find("not_same_person and duplicate_face only") != std::string_view::npos);
}

TEST_CASE("a picture may come as a form, alone, or as base64 in JSON") {
  ApiSite api;
  const auto raw = ask_once(api.port(), with_body("POST /api/v1/detect", "image/jpeg", "ANI"));
  CHECK(raw.status == 200);
  const auto base64 = api.send_json("POST /api/v1/detect", R"({"image":"QU5JIEJVREk="})");
  CHECK(base64.status == 200);
  CHECK(base64.json.at("faces").as_array().size() == 2);
  CHECK(api.send_json("POST /api/v1/detect", R"({"image":"data:image/jpeg;base64,QU5J"})").status == 200);
  const auto wrong = api.send_json("POST /api/v1/detect", R"({"image":"***"})");
  CHECK(wrong.status == 422);
  CHECK(wrong.json.at("errors").at(0).at("loc").at(1) == "image");
  const auto missing = api.send_json("POST /api/v1/detect", "{}");
  CHECK(missing.json.at("errors").at(0).at("type") == "missing");
  CHECK(code(api.send_form("POST /api/v1/detect", part("image", "ANI"))) == "validation_failed");
}

TEST_CASE("pictures that cannot be read are told apart from formats that are not taken") {
  ApiSite api;
  const auto unknown = api.send_form("POST /api/v1/detect", picture_part("broken"));
  CHECK(unknown.status == 415);
  CHECK(code(unknown) == "unsupported_image");
  CHECK(unknown.json.at("errors").at(0).at("type") == "image.undecodable");
  const auto fault = api.send_form("POST /api/v1/detect", picture_part("fault"));
  CHECK(fault.status == 500);
  CHECK(fault.body.find("fire") == std::string::npos);
}

TEST_CASE("photos to enrol that are none are told apart in the same words") {
  ApiSite api;
  api.send_json("POST /api/v1/people", R"({"nik":"1","name":"ANI"})");
  const auto unknown = api.send_form("POST /api/v1/people/nik:1/faces", picture_part("broken", "images"));
  CHECK(unknown.status == 415);
  CHECK(code(unknown) == "unsupported_image");
  CHECK(unknown.json.at("errors").at(0).at("type") == "image.undecodable");
}

TEST_CASE("numbers that are none, too many files and JSON beyond its limits are refused with what was expected") {
  ApiSite api;
  for (const auto* number : {"nan", "inf", "-inf"}) {
    const auto answer = api.send_form("POST /api/v1/detect", picture_part("ANI") + part("min_face", number));
    CHECK(answer.status == 422);
    CHECK(answer.json.at("errors").at(0).at("loc").at(1) == "min_face");
  }
  std::string parts;
  for (int i = 0; i < 65; ++i) parts += picture_part("ANI", "images");
  const auto many = api.send_form("POST /api/v1/recognize:batch", parts);
  CHECK(many.status == 422);
  CHECK(many.json.at("detail").as_string().find("64 files") != std::string::npos);
  CHECK(many.json.at("errors").as_array().size() == 1);

  const auto announced = [&](std::string_view path, std::size_t size) {
    return ask_once(api.port(), fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                            "Content-Length: {}\r\n\r\n",
                                            path, size))
        .status;
  };
  CHECK(announced("/api/v1/recognize:batch", (std::size_t{16} << 20) + 1) == 413);
  CHECK(announced("/api/v1/people/p_1/faces", (std::size_t{16} << 20) + 1) == 413);
  CHECK(api.send_json("POST /api/v1/people:import", "[0,0,0,0]").status == 415);
  std::string numbers = "[0";
  for (int i = 0; i < 100'000; ++i) numbers += ",0";
  const auto flood = api.send_json("POST /api/v1/detect", R"({"image":)" + numbers + "]}");
  CHECK(flood.status == 400);
  CHECK(flood.json.at("detail").as_string().find("100000 values") != std::string::npos);
  CHECK(api.send_json("POST /api/v1/people", R"({"nik":"1","name":"ANI","nik":"2"})").status == 400);
  CHECK(api.get("/api/v1/people").json.at("items").as_array().empty());
}

TEST_CASE("recognition tells known, unknown and what is uncertain") {
  ApiSite api;
  const auto id = api.enrol("12345", "DENNIS");
  const auto faces = api.send_form("POST /api/v1/recognize", picture_part("DENNIS:9 STRANGER")).json.at("faces");
  CHECK(faces.at(0).at("decision") == "known");
  CHECK(faces.at(0).at("person").at("id").as_string() == id);
  CHECK(faces.at(0).at("person").at("nik") == "12345");
  CHECK(faces.at(1).at("person").is_null());
  CHECK(faces.at(1).at("decision") != "known");
  CHECK(faces.at(0).at("liveness").at("status") == "not_checked");
  CHECK(api.below.rows().empty());
}

TEST_CASE("one bad picture of a batch spoils no other") {
  ApiSite api;
  api.enrol("1", "ANI");
  const auto batch =
      api.send_form("POST /api/v1/recognize:batch", picture_part("ANI:5", "images") + picture_part("broken", "images") +
                                                        picture_part("none", "images"));
  CHECK(batch.status == 200);
  const auto& items = batch.json.at("items").as_array();
  REQUIRE(items.size() == 3);
  CHECK(items[0].at("faces").at(0).at("person").at("nik") == "1");
  CHECK(items[1].at("error").at("type") == "unsupported_image");
  CHECK(items[1].at("image").is_null());
  CHECK(items[2].at("faces").as_array().empty());
  std::string many;
  for (int i = 0; i < 65; ++i) many += picture_part("ANI", "images");
  CHECK(api.send_form("POST /api/v1/recognize:batch", many).status == 422);
}

TEST_CASE("two photos of one person are told from photos of two") {
  ApiSite api;
  const auto compare = [&](std::string_view a, std::string_view b) {
    return api.send_form("POST /api/v1/verify", picture_part(a, "image1") + picture_part(b, "image2"));
  };
  CHECK(compare("ANI:1", "ANI:2").json.at("same") == true);
  CHECK(compare("ANI:1", "BUDI:1").json.at("same") == false);
  const auto none = compare("ANI:1", "none");
  CHECK(none.status == 422);
  CHECK(none.json.at("errors").at(0).at("loc").at(1) == "image2");
}

TEST_CASE("paths and verbs that are not there are problems below /api") {
  ApiSite api;
  const auto lost = api.get("/api/v1/nothing");
  CHECK(lost.status == 404);
  CHECK(code(lost) == "not_found");
  CHECK(lost.headers.at("content-type") == "application/problem+json");
  const auto verb = ask_once(api.port(), with_body("PUT /api/v1/people", "application/json", "{}"));
  CHECK(verb.status == 405);
  CHECK(verb.headers.at("allow") == "GET, HEAD, POST");
  CHECK(api.get("/elsewhere").body == R"({"detail":"Not Found"})");
  const auto indonesian = api.get("/api/v1/people/p_9", "Accept-Language: id\r\n");
  CHECK(indonesian.json.at("title") == "Orang tidak dikenal");
  CHECK(indonesian.json.at("request_id").as_string() == indonesian.headers.at("x-request-id"));
}

}  // namespace wajah::server
