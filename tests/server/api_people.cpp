// /api/v1: people and their photos.
#include "api_site.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <set>

namespace wajah::server {
namespace {

std::string_view code(const Answered& answer) { return answer.json.at("code").as_string(); }

}  // namespace

TEST_CASE("people are created, shown, searched page by page, changed and removed") {
  ApiSite api;
  const auto made =
      api.send_json("POST /api/v1/people", R"({"nik":"12345","name":"DENNIS","group":"IT","metadata":{"shirt":"L"}})");
  CHECK(made.status == 201);
  const std::string id(made.json.at("id").as_string());
  CHECK(made.headers.at("location") == "/api/v1/people/" + id);
  CHECK(made.json.at("metadata").at("shirt") == "L");
  CHECK(api.get("/api/v1/people/" + id).json.at("nik") == "12345");
  CHECK(api.get("/api/v1/people/nik:12345").json.at("id").as_string() == id);

  for (const auto* name : {"ANI", "BUDI", "CITRA", "DEWI"}) {
    CHECK(api.send_json("POST /api/v1/people", fmt::format(R"({{"nik":"N-{0}","name":"{0}"}})", name)).status == 201);
  }
  std::set<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 3; ++page) {
    const auto list = api.get("/api/v1/people?limit=2&count=true" + cursor);
    CHECK(list.json.at("total") == 5);
    for (const auto& person : list.json.at("items").as_array()) seen.insert(std::string(person.at("name").as_string()));
    const auto& next = list.json.at("next_cursor");
    if (page < 2) {
      cursor = "&cursor=" + std::string(next.as_string());
    } else {
      CHECK(next.is_null());
    }
  }
  CHECK(seen == std::set<std::string>{"ANI", "BUDI", "CITRA", "DENNIS", "DEWI"});
  CHECK(api.get("/api/v1/people?q=dewi").json.at("items").as_array().size() == 1);
  CHECK(api.get("/api/v1/people?group=IT").json.at("items").at(0).at("id").as_string() == id);

  const auto changed = api.send_json("PATCH /api/v1/people/" + id, R"({"name":"DENNIS R","external_id":"sap-7"})");
  CHECK(changed.status == 200);
  CHECK(changed.json.at("name") == "DENNIS R");
  CHECK(changed.json.at("external_id") == "sap-7");
  CHECK(changed.json.at("group") == "IT");
  CHECK(api.remove("/api/v1/people/" + id).status == 204);
  CHECK(code(api.get("/api/v1/people/" + id)) == "person_unknown");
}

TEST_CASE("who needs new photos for the model in use is listed") {
  ApiSite api;
  api.enrol("1", "ANI");
  api.enrol("2", "BUDI");
  const auto needing = [&](const char* flag) {
    const auto list = api.get(std::string("/api/v1/people?count=true&needs_photos=") + flag);
    REQUIRE(list.json.at("total") == 1);
    CHECK(list.json.at("items").at(0).at("needs_photos") == (std::string_view(flag) == "true"));
    return std::string(list.json.at("items").at(0).at("name").as_string());
  };
  CHECK(api.get("/api/v1/people?needs_photos=true&count=true").json.at("total") == 0);
  {
    attendance::Database::Write write(*api.below.database);
    write->execute(
        "UPDATE embedding SET model = 'former' WHERE photo IN "
        "(SELECT photo.id FROM photo JOIN person ON person.id = photo.person WHERE person.nik = '2')");
    write.commit();
  }
  CHECK(needing("true") == "BUDI");
  CHECK(needing("false") == "ANI");
}

TEST_CASE("a cursor works for its own list only") {
  ApiSite api;
  for (int i = 0; i < 3; ++i) {
    api.send_json("POST /api/v1/people", fmt::format(R"({{"nik":"{}","name":"A"}})", i + 1));
  }
  const std::string cursor(api.get("/api/v1/people?limit=1").json.at("next_cursor").as_string());
  CHECK(api.get("/api/v1/people?limit=1&cursor=" + cursor).status == 200);
  for (const auto& target : {"/api/v1/people?order=nik&cursor=" + cursor, "/api/v1/people?cursor=" + cursor + "x",
                             std::string("/api/v1/people?cursor=AAAA")}) {
    const auto refused = api.get(target);
    CHECK(refused.status == 400);
    CHECK(code(refused) == "bad_cursor");
  }
}

TEST_CASE("a change with an old ETag changes nothing") {
  ApiSite api;
  const auto made = api.send_json("POST /api/v1/people", R"({"nik":"1","name":"ANI"})");
  const auto path = "/api/v1/people/" + std::string(made.json.at("id").as_string());
  const auto tag = made.headers.at("etag");
  const auto with_tag = [](const std::string& etag) { return "If-Match: " + etag + "\r\n"; };
  CHECK(api.get(path, "If-None-Match: " + tag + "\r\n").status == 304);
  const auto first = api.send_json("PATCH " + path, R"({"name":"ANI B"})", with_tag(tag));
  CHECK(first.status == 200);
  CHECK(first.headers.at("etag") != tag);
  const auto second = api.send_json("PATCH " + path, R"({"name":"ANI C"})", with_tag(tag));
  CHECK(second.status == 412);
  CHECK(code(second) == "changed_meanwhile");
  CHECK(api.remove(path, with_tag(tag)).status == 412);
  CHECK(api.get(path).json.at("name") == "ANI B");
  CHECK(api.remove(path, with_tag(first.headers.at("etag"))).status == 204);
}

TEST_CASE("wrong values are named, each at its place") {
  ApiSite api;
  const auto refused = api.send_json("POST /api/v1/people", R"({"nik":"a b","metadata":3,"wage":1})");
  CHECK(refused.status == 422);
  CHECK(refused.headers.at("content-type") == "application/problem+json");
  CHECK(code(refused) == "validation_failed");
  std::set<std::string> types;
  for (const auto& error : refused.json.at("errors").as_array()) {
    CHECK(error.at("loc").at(0) == "body");
    types.insert(std::string(error.at("loc").at(1).as_string()) + " " + std::string(error.at("type").as_string()));
  }
  CHECK(types == std::set<std::string>{"name missing", "nik string_pattern_mismatch", "metadata dict_type",
                                       "wage extra_forbidden"});
  CHECK(code(api.send_json("POST /api/v1/people", R"({"nik":"1","name":"kecil"})")) == "validation_failed");
  CHECK(code(api.send_json("POST /api/v1/people", "{")) == "bad_body");
  CHECK(code(api.get("/api/v1/people?limit=0")) == "validation_failed");
  CHECK(code(api.get("/api/v1/people?limit=many")) == "validation_failed");
  CHECK(code(api.get("/api/v1/people?colour=red")) == "validation_failed");
  CHECK(code(api.get("/api/v1/people?active=perhaps")) == "validation_failed");
  const auto text = ask_once(api.port(), with_body("POST /api/v1/people", "text/plain", "hello"));
  CHECK(text.status == 415);
  CHECK(api.get("/api/v1/people?count=true").json.at("total") == 0);
}

TEST_CASE("a taken NIK is refused, and the same request under the same key is done once") {
  ApiSite api;
  const std::string key = "Idempotency-Key: 7c1\r\n", body = R"({"nik":"1","name":"ANI"})";
  const auto first = api.send_json("POST /api/v1/people", body, key);
  const auto again = api.send_json("POST /api/v1/people", body, key);
  CHECK(first.status == 201);
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(again.headers.at("idempotency-replayed") == "true");
  const auto other = api.send_json("POST /api/v1/people", R"({"nik":"2","name":"ANI"})", key);
  CHECK(other.status == 409);
  CHECK(code(other) == "key_reused");
  const auto taken = api.send_json("POST /api/v1/people", body);
  CHECK(taken.status == 409);
  CHECK(code(taken) == "nik_taken");
}

TEST_CASE("photos are taken one by one, with a reason for each that is not") {
  ApiSite api;
  const auto id = api.enrol("1", "ANI", 3);
  const auto path = "/api/v1/people/" + id;
  const auto mixed =
      api.send_form("POST " + path + "/faces", picture_part("ANI:7", "images") + picture_part("none", "images"));
  CHECK(mixed.status == 201);
  CHECK(mixed.json.at("stored") == 1);
  CHECK(mixed.json.at("rejected").at(0).at("code") == "no_face");
  CHECK(mixed.json.at("rejected").at(0).at("file") == "none.jpg");
  CHECK(mixed.json.at("person").at("photos") == 4);

  const auto none = api.send_form("POST " + path + "/faces", picture_part("none", "images"));
  CHECK(none.status == 422);
  CHECK(none.json.at("errors").at(0).at("type") == "face.no_face");
  const auto broken =
      api.send_form("POST " + path + "/faces", picture_part("ANI:8", "images") + picture_part("broken", "images"));
  CHECK(broken.status == 415);
  CHECK(code(broken) == "unsupported_image");

  const auto photos = api.get(path + "/faces");
  CHECK(photos.json.at("items").as_array().size() == 4);
  const std::string photo(photos.json.at("items").at(0).at("id").as_string());
  CHECK(api.get(path + "/faces/" + photo + "/image").status == 404);
  CHECK(api.remove(path + "/faces/" + photo).status == 204);
  CHECK(api.remove(path + "/faces/" + photo).status == 404);
  CHECK(api.remove(path + "/faces/nonsense").status == 404);
  CHECK(api.get(path).json.at("photos") == 3);
}

TEST_CASE("the same face under another NIK is refused unless forced") {
  ApiSite api;
  api.enrol("1", "ANI", 3);
  const auto made = api.send_json("POST /api/v1/people", R"({"nik":"2","name":"ANITA"})");
  const auto path = "/api/v1/people/" + std::string(made.json.at("id").as_string()) + "/faces";
  const auto parts = picture_part("ANI:20", "images") + picture_part("ANI:21", "images");
  const auto refused = api.send_form("POST " + path, parts);
  CHECK(refused.status == 409);
  CHECK(code(refused) == "duplicate_face");
  CHECK(refused.body.find("\"1\"") == std::string::npos);
  const auto forced = api.send_form("POST " + path, parts + part("force", "true"));
  CHECK(forced.status == 201);
  CHECK(forced.json.at("stored") == 2);
}

TEST_CASE("whoever is renamed, inactive, merged or removed is so in recognition when the answer arrives") {
  ApiSite api;
  const auto ani = api.enrol("1", "ANI"), budi = api.enrol("2", "BUDI");
  const auto seen = [&](std::string_view face) {
    return api.send_form("POST /api/v1/recognize", picture_part(face)).json.at("faces").at(0);
  };
  CHECK(seen("ANI:9").at("person").at("name") == "ANI");
  api.send_json("PATCH /api/v1/people/" + ani, R"({"name":"ANI BARU"})");
  CHECK(seen("ANI:9").at("person").at("name") == "ANI BARU");
  api.send_json("PATCH /api/v1/people/" + ani, R"({"active":false})");
  CHECK(seen("ANI:9").at("person").is_null());
  api.send_json("PATCH /api/v1/people/" + ani, R"({"active":true})");
  CHECK(seen("ANI:9").at("person").at("id").as_string() == ani);

  const auto merged =
      api.send_json("POST /api/v1/people:merge", fmt::format(R"({{"from":"{}","into":"{}"}})", budi, ani));
  CHECK(merged.status == 200);
  CHECK(merged.json.at("moved_photos") == 3);
  CHECK(api.get("/api/v1/people/" + budi).status == 404);
  CHECK(api.get("/api/v1/people/" + ani).json.at("photos") == 6);
  CHECK(api.send_json("POST /api/v1/people:merge", fmt::format(R"({{"from":"{0}","into":"{0}"}})", ani)).status == 409);
  CHECK(api.send_json("POST /api/v1/people:merge", R"({"from":"p_99","into":"p_98"})").status == 404);

  CHECK(api.remove("/api/v1/people/" + ani).status == 204);
  CHECK(seen("ANI:9").at("decision") != "known");
}

TEST_CASE("a claim is answered about the claimed person and nobody else") {
  ApiSite api;
  const auto ani = api.enrol("1", "ANI");
  api.enrol("2", "BUDI");
  const auto verify = [&](std::string_view face) {
    return api.send_form(fmt::format("POST /api/v1/people/{}/verify", ani), picture_part(face));
  };
  CHECK(verify("ANI:5").json.at("matched") == true);
  const auto other = verify("BUDI:5");
  CHECK(other.json.at("matched") == false);
  CHECK(other.body.find("BUDI") == std::string::npos);
  CHECK(code(verify("ANI:5 BUDI:5")) == "several_faces");
  CHECK(code(verify("none")) == "face_not_found");
}

}  // namespace wajah::server
