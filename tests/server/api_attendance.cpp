// /api/v1: checking in, the book, its calendar and its sheets.
#include "api_site.hpp"

#include "server/route.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <filesystem>

namespace wajah::server {
namespace {

std::string_view code(const Answered& answer) { return answer.json.at("code").as_string(); }

Answered check_in(ApiSite& api, std::string_view face, std::string_view more = "", std::string_view headers = "") {
  return api.send_form("POST /api/v1/attendance/check", picture_part(face) + std::string(more), headers);
}

}  // namespace

TEST_CASE("a face at the door is recorded once, in and then out") {
  ApiSite api;  // 2026-11-22 07:58:11 in Jakarta
  const auto id = api.enrol("12345", "DENNIS");
  const auto in = check_in(api, "DENNIS:7");
  CHECK(in.status == 201);
  CHECK(in.json.at("matched") == true);
  const auto& event = in.json.at("event");
  CHECK(event.at("person").at("id").as_string() == id);
  CHECK(event.at("direction") == "in");
  CHECK(event.at("at") == "2026-11-22T07:58:11+07:00");
  CHECK(event.at("business_date") == "2026-11-22");
  CHECK(event.at("source") == "face");
  CHECK(event.at("duplicate_of").is_null());
  CHECK(in.json.at("message").at("id") == "Selamat pagi, DENNIS");
  CHECK(in.json.at("message").at("en") == "Good morning, DENNIS");

  api.below.seconds += 60;
  const auto again = check_in(api, "DENNIS:8");
  CHECK(again.status == 200);
  CHECK(again.json.at("event").at("duplicate_of") == event.at("id"));

  api.below.seconds += 9 * 3600;
  const auto out = check_in(api, "DENNIS:9");
  CHECK(out.status == 201);
  CHECK(out.json.at("event").at("direction") == "out");
  CHECK(out.json.at("message").at("id") == "Sampai jumpa, DENNIS");
  CHECK(api.get("/api/v1/attendance/events").json.at("items").as_array().size() == 2);
}

TEST_CASE("strangers and wrong claims leave no event and learn no name") {
  ApiSite api;
  api.enrol("1", "ANI");
  api.enrol("2", "BUDI");
  const auto stranger = check_in(api, "STRANGER");
  CHECK(stranger.status == 200);
  CHECK(stranger.json.at("matched") == false);
  CHECK(stranger.json.at("event").is_null());
  const auto wrong = check_in(api, "BUDI:5", part("nik", "1"));
  CHECK(wrong.json.at("matched") == false);
  CHECK(wrong.body.find("BUDI") == std::string::npos);
  const auto nobody = check_in(api, "BUDI:5", part("nik", "404"));
  CHECK(nobody.status == 200);
  CHECK(nobody.json.at("matched") == false);
  const auto right = check_in(api, "BUDI:5", part("nik", "2"));
  CHECK(right.status == 201);
  CHECK(right.json.at("event").at("source") == "claim");
  CHECK(code(check_in(api, "ANI BUDI")) == "several_faces");
  CHECK(check_in(api, "ANI:5", part("site", "nowhere")).status == 404);
  CHECK(api.get("/api/v1/attendance/events").json.at("items").as_array().size() == 1);
}

TEST_CASE("a check that is sent again under its key is answered again") {
  ApiSite api;
  api.enrol("1", "ANI");
  const std::string key = "Idempotency-Key: kiosk-1-77\r\n";
  const auto first = check_in(api, "ANI:5", "", key);
  api.below.seconds += 3600;
  const auto again = check_in(api, "ANI:5", "", key);
  CHECK(again.body == first.body);
  CHECK(again.status == 201);
  CHECK(check_in(api, "ANI:6", "", key).status == 409);
  CHECK(api.get("/api/v1/attendance/events").json.at("items").as_array().size() == 1);
}

TEST_CASE("the original's recognition is entered in the book") {
  ApiSite api;
  api.enrol("1", "ANI");
  const auto answer = api.send_form("POST /recognize/", part("nik_input", "1") + picture_part("ANI:5", "file"));
  CHECK(answer.json.at("nik_matched") == true);
  const auto items = api.get("/api/v1/attendance/events").json.at("items").as_array();
  REQUIRE(items.size() == 1);
  CHECK(items[0].at("source") == "original");
  CHECK(api.send_form("POST /recognize/", part("nik_input", "2") + picture_part("ANI:5", "file"))
            .json.at("results").at(0).at("nik") == "1");
  api.site.compat.disclose_other = false;
  const auto hidden = api.send_form("POST /recognize/", part("nik_input", "2") + picture_part("ANI:5", "file"));
  CHECK(hidden.json.at("results").at(0).at("nik").is_null());
  CHECK(hidden.json.at("results").at(0).at("name") == "Unknown");
}

TEST_CASE("an operator enters and corrects with a reason; the event itself stays") {
  ApiSite api;
  const auto id = api.enrol("1", "ANI");
  const auto entered = api.send_json(
      "POST /api/v1/attendance/events",
      fmt::format(R"({{"person":"{}","direction":"in","at":"2026-11-22T07:00:00+07:00","reason":"camera broken"}})", id));
  CHECK(entered.status == 201);
  CHECK(entered.json.at("source") == "manual");
  CHECK(entered.json.at("actor") == "local");
  const std::string event(entered.json.at("id").as_string());
  const auto path = "/api/v1/attendance/events/" + event;
  const auto corrected = api.send_json("PATCH " + path, R"({"at":"2026-11-22T06:50:00+07:00","reason":"gate log"})");
  CHECK(corrected.status == 200);
  CHECK(corrected.json.at("corrects").as_string() == event);
  CHECK(api.get(path).json.at("corrected_by") == corrected.json.at("id"));
  CHECK(api.get(path).json.at("at") == "2026-11-22T07:00:00+07:00");
  CHECK(api.send_json("PATCH " + path, R"({"strike":true,"reason":"twice"})").status == 409);
  CHECK(api.send_json("PATCH /api/v1/attendance/events/e_99", R"({"strike":true,"reason":"x"})").status == 404);
  CHECK(api.send_json("PATCH " + path, R"({"strike":true})").status == 422);
  CHECK(api.get("/api/v1/attendance/events?counting=true").json.at("items").as_array().size() == 1);
}

TEST_CASE("a kiosk's key checks in at its own site and changes nothing") {
  ApiSite api;
  const auto id = api.enrol("1", "ANI");
  CHECK(api.send_json("POST /api/v1/sites", R"({"code":"gate","name":"Gate","zone":"Asia/Makassar"})").status == 201);
  api.site.authenticate = [](const Request&, const Route&) -> std::variant<Caller, Reply> {
    return Caller{"key:kiosk", "kiosk", {Scope::recognize, Scope::attendance_write}, "gate", true};
  };
  const auto checked = check_in(api, "ANI:5");
  CHECK(checked.status == 201);
  CHECK(checked.json.at("event").at("site") == "gate");
  CHECK(checked.json.at("event").at("at") == "2026-11-22T08:58:11+08:00");
  CHECK(code(check_in(api, "ANI:6", part("site", "main"))) == "wrong_site");
  const auto entry = api.send_json(
      "POST /api/v1/attendance/events",
      fmt::format(R"({{"person":"{}","direction":"in","at":"2026-11-22T07:00:00+07:00","reason":"x"}})", id));
  CHECK(entry.status == 403);
  CHECK(code(entry) == "scope_missing");
  CHECK(api.get("/api/v1/people").status == 403);
}

TEST_CASE("a late arrival by the person's shift, in days, summary and the sheet") {
  ApiSite api;
  const auto id = api.enrol("1", "=ANI");
  const std::string day = R"({"start":"07:00","end":"16:00","pause":["12:00","13:00"]})";
  const auto shift = fmt::format(
      R"({{"code":"PAGI","name":"Pagi","week":[{0},{0},{0},{0},{0},{0},{0}],"grace_minutes":10}})", day);
  CHECK(api.send_json("POST /api/v1/shifts", shift).status == 201);
  CHECK(api.send_json("POST /api/v1/shifts", shift).status == 409);
  CHECK(api.send_json("POST /api/v1/assignments",
                      fmt::format(R"({{"shift":"PAGI","person":"{}","from":"2026-11-01"}})", id)).status == 201);
  const auto in = check_in(api, "=ANI:5");
  CHECK(in.json.at("event").at("status") == "late");
  CHECK(in.json.at("event").at("shift") == "PAGI");
  CHECK(in.json.at("event").at("late_minutes") == 58);
  CHECK(api.get("/api/v1/attendance/inside").json.at("items").as_array().size() == 1);
  api.below.seconds += 10 * 3600;
  check_in(api, "=ANI:6");
  CHECK(api.get("/api/v1/attendance/inside").json.at("items").as_array().empty());

  const auto days = api.get("/api/v1/attendance/days?from=2026-11-22&to=2026-11-22");
  const auto& row = days.json.at("items").at(0).at("days").at(0);
  CHECK(row.at("status") == "late");
  CHECK(row.at("worked_minutes") == 540);
  CHECK(row.at("out") == "2026-11-22T17:58:11+07:00");
  const auto sums = api.get("/api/v1/attendance/summary?from=2026-11-22&to=2026-11-22&person=" + id);
  CHECK(sums.json.at("items").at(0).at("summary").at("days_late") == 1);

  const auto csv = api.download("/api/v1/attendance/export?from=2026-11-22&to=2026-11-22");
  CHECK(csv.headers.at("content-type") == "text/csv; charset=utf-8");
  CHECK(csv.headers.at("content-disposition") == "attachment; filename=\"attendance-2026-11-22-2026-11-22.csv\"");
  CHECK(csv.body.starts_with("\xEF\xBB\xBF"));
  CHECK(csv.body.find("'=ANI") != std::string::npos);
  const auto book = api.download("/api/v1/attendance/export?format=xlsx&from=2026-11-01&to=2026-11-30");
  CHECK(book.status == 200);
  CHECK(book.body.starts_with("PK"));
  const auto page = api.download("/api/v1/attendance/export?format=json&from=2026-11-22&to=2026-11-22");
  CHECK(page.body == api.get("/api/v1/attendance/days?from=2026-11-22&to=2026-11-22").body);
  for (const auto& entry : std::filesystem::directory_iterator(api.below.folder.path())) {
    CHECK_FALSE(entry.path().filename().string().starts_with("temporary-"));
  }
  CHECK(api.get("/api/v1/attendance/export?format=pdf").status == 422);
  CHECK(api.get("/api/v1/attendance/days?from=2026-13-01").status == 422);
}

TEST_CASE("a page holds no more days than an answer can bear, and its cursor leads on") {
  ApiSite api;
  for (int i = 0; i < 20; ++i) {
    api.send_json("POST /api/v1/people", fmt::format(R"({{"nik":"{}","name":"ANI"}})", 100 + i));
  }
  const std::string period = "from=2023-11-21&to=2026-11-22&limit=500";
  const auto page = api.get("/api/v1/attendance/days?" + period);
  CHECK(page.json.at("items").as_array().size() == 18);
  REQUIRE(page.json.at("next_cursor").is_string());
  const auto rest =
      api.get("/api/v1/attendance/days?" + period + "&cursor=" + std::string(page.json.at("next_cursor").as_string()));
  CHECK(rest.json.at("items").as_array().size() == 2);
  CHECK(rest.json.at("next_cursor").is_null());
  CHECK(api.get("/api/v1/attendance/summary?" + period).json.at("items").as_array().size() == 20);
}

TEST_CASE("dates and times that cannot be kept are refused, wherever they come") {
  ApiSite api;
  const auto id = api.enrol("1", "ANI");
  for (const auto* date : {"0001-01-01", "1899-12-31", "1969-12-31"}) {
    INFO(date);
    const auto body = fmt::format(R"({{"date":"{}","name":"x"}})", date);
    CHECK(code(api.send_json("POST /api/v1/holidays", body)) == "validation_failed");
    CHECK(api.get(fmt::format("/api/v1/attendance/days?from={}", date)).status == 422);
    CHECK(api.get(fmt::format("/api/v1/attendance/events?from={}", date)).status == 422);
  }
  CHECK(api.send_json("POST /api/v1/holidays", R"({"date":"9999-12-31","name":"x"})").status == 201);
  for (const auto* at :
       {"0001-01-01T08:00:00Z", "1901-01-01T08:00:00Z", "1970-01-01T00:00:00+07:00", "9999-12-31T23:59:59Z"}) {
    INFO(at);
    const auto entry =
        api.send_json("POST /api/v1/attendance/events",
                      fmt::format(R"({{"person":"{}","direction":"in","at":"{}","reason":"x"}})", id, at));
    CHECK(entry.status == 422);
  }
  CHECK(api.get("/api/v1/attendance/days?from=9999-01-01&to=9999-12-31").status == 422);
  CHECK(api.send_json("POST /api/v1/keys", R"({"name":"x","role":"hr","expires_at":"9999-12-31T23:59:59Z"})").status ==
        422);
  CHECK(api.get("/api/v1/audit?to=9999-12-31T23:59:59Z").status == 422);
  CHECK(api.get("/api/v1/sites").status == 200);
  CHECK(api.get("/api/v1/attendance/events").json.at("items").as_array().empty());
}

TEST_CASE("one damaged entry is left out of the calendar and told of; it can be removed") {
  ApiSite api;
  api.enrol("1", "ANI");
  const auto made = api.send_json("POST /api/v1/holidays", R"({"date":"2026-12-25","name":"Natal"})");
  const std::string id(made.json.at("id").as_string());
  {
    attendance::Database::Write write(*api.below.database);
    write->execute("UPDATE holiday SET date = '-8428-07-12'; UPDATE calendar_revision SET revision = revision + 1");
    write.commit();
  }
  CHECK(api.get("/api/v1/holidays").json.at("items").as_array().empty());
  CHECK(check_in(api, "ANI:5").status == 201);
  CHECK(api.get("/api/v1/attendance/days").status == 200);
  const auto calendar = api.office->book().calendar();
  const auto& unreadable = calendar->entries().unreadable;
  REQUIRE(unreadable.size() == 1);
  CHECK(unreadable[0].find("holiday " + id) != std::string::npos);
  CHECK(unreadable[0].find("-8428-07-12") != std::string::npos);
  CHECK(api.remove("/api/v1/holidays/" + id).status == 204);
  CHECK(api.office->book().calendar()->entries().unreadable.empty());
}

TEST_CASE("whoever only checks in takes the server's time; others say when, within bounds") {
  ApiSite api;  // 2026-11-22 07:58:11 in Jakarta
  api.enrol("1", "ANI");
  Caller caller{"key:kiosk", "kiosk", {Scope::attendance_write}, std::nullopt, true};
  api.site.authenticate = [&](const Request&, const Route&) -> std::variant<Caller, Reply> { return caller; };
  const auto refused = check_in(api, "ANI:5", part("at", "2001-01-01T08:00:00+07:00"));
  CHECK(refused.status == 403);
  CHECK(code(refused) == "scope_missing");
  CHECK(check_in(api, "ANI:5", part("at", "2026-11-22T07:58:00+07:00")).status == 403);
  caller.scopes.add(Scope::attendance_read);
  for (const auto* at : {"2001-01-01T08:00:00+07:00", "2026-11-19T07:58:00+07:00", "2026-11-22T08:00:00+07:00"}) {
    INFO(at);
    CHECK(code(check_in(api, "ANI:5", part("at", at))) == "validation_failed");
  }
  const auto late = check_in(api, "ANI:5", part("at", "2026-11-21T07:00:00+07:00"));
  CHECK(late.status == 201);
  CHECK(late.json.at("event").at("source") == "kiosk");
  CHECK(late.json.at("event").at("at") == "2026-11-21T07:00:00+07:00");
  const auto ahead = check_in(api, "ANI:6", part("at", "2026-11-22T07:59:00+07:00"));
  CHECK(ahead.json.at("event").at("at") == "2026-11-22T07:58:11+07:00");
  CHECK(ahead.json.at("event").at("source") == "face");
}

TEST_CASE("two kiosks that count alike do not meet in an Idempotency-Key") {
  ApiSite api;
  api.enrol("1", "ANI");
  api.enrol("2", "BUDI");
  Caller caller{"key:a", "kiosk", {Scope::attendance_write}, std::nullopt, true};
  api.site.authenticate = [&](const Request&, const Route&) -> std::variant<Caller, Reply> { return caller; };
  const std::string key = "Idempotency-Key: 000123\r\n";
  CHECK(check_in(api, "ANI:5", "", key).status == 201);
  caller.name = "key:b";
  const auto other = check_in(api, "BUDI:5", "", key);
  CHECK(other.status == 201);
  CHECK(other.json.at("event").at("person").at("name") == "BUDI");
}

TEST_CASE("events of a group are of those who belonged to it on the date") {
  ApiSite api;
  const auto id = api.enrol("1", "ANI");
  api.enrol("2", "BUDI");
  api.send_json("PATCH /api/v1/people/" + id, R"({"group":"IT"})");
  check_in(api, "ANI:5");
  check_in(api, "BUDI:5");
  const auto listed = api.get("/api/v1/attendance/events?group=IT").json.at("items").as_array();
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].at("person").at("name") == "ANI");
  CHECK(api.get("/api/v1/attendance/events?group=IT&person=nik:2").json.at("items").as_array().empty());
}

TEST_CASE("events and days come page by page") {
  ApiSite api;
  for (const auto* name : {"ANI", "BUDI", "CITRA"}) {
    api.enrol(name, name);
    check_in(api, fmt::format("{}:5", name));
  }
  for (const std::string list : {"events", "days", "summary"}) {
    INFO(list);
    std::size_t seen = 0;
    std::string cursor;
    for (int page = 0; page < 3; ++page) {
      const auto answer = api.get("/api/v1/attendance/" + list + "?limit=1" + cursor);
      seen += answer.json.at("items").as_array().size();
      const auto& next = answer.json.at("next_cursor");
      CHECK(next.is_null() == (page == 2));
      if (page < 2) cursor = "&cursor=" + std::string(next.as_string());
    }
    CHECK(seen == 3);
  }
}

TEST_CASE("sites, shifts and holidays are listed, replaced and removed") {
  ApiSite api;
  CHECK(api.get("/api/v1/sites").json.at("items").as_array().size() == 1);
  CHECK(api.send_json("POST /api/v1/sites", R"({"code":"B","name":"B","day_start":"05:00","direction":"in"})").status == 201);
  CHECK(api.send_json("PUT /api/v1/sites/B", R"({"code":"B","name":"Gate B"})").json.at("name") == "Gate B");
  CHECK(api.send_json("PUT /api/v1/sites/C", R"({"code":"C","name":"C"})").status == 404);
  CHECK(api.send_json("POST /api/v1/sites", R"({"code":"D","name":"D","day_start":"29:00"})").status == 422);
  CHECK(api.send_json("POST /api/v1/sites", R"({"code":"D","name":"D","zone":"Asia/Nowhere"})").status == 422);
  const auto holiday = api.send_json("POST /api/v1/holidays", R"({"date":"2026-12-25","name":"Natal","site":"B"})");
  CHECK(holiday.status == 201);
  CHECK(holiday.json.at("site") == "B");
  CHECK(api.get("/api/v1/holidays").json.at("items").as_array().size() == 1);
  CHECK(api.remove("/api/v1/holidays/" + std::string(holiday.json.at("id").as_string())).status == 204);
  CHECK(api.remove("/api/v1/holidays/h_99").status == 404);
  CHECK(api.remove("/api/v1/sites/B").status == 204);
  const std::string mondays = R"({"code":"MON","name":"Mondays","week":[{"start":"07:00","end":"12:00"},null,null,null,null,null,null]})";
  CHECK(api.send_json("POST /api/v1/shifts", mondays).status == 201);
  CHECK(api.send_json("PUT /api/v1/shifts/MON", mondays).status == 200);
  CHECK(api.send_json("POST /api/v1/assignments", R"({"shift":"MON","from":"2026-01-01"})").status == 422);
  const auto assigned = api.send_json("POST /api/v1/assignments", R"({"shift":"MON","group":"IT","from":"2026-01-01"})");
  CHECK(assigned.status == 201);
  CHECK(api.remove("/api/v1/shifts/MON").status == 409);
  CHECK(api.remove("/api/v1/assignments/" + std::string(assigned.json.at("id").as_string())).status == 204);
  CHECK(api.remove("/api/v1/shifts/MON").status == 204);
}

}  // namespace wajah::server
