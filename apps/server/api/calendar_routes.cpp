#include "server/api/attendance_routes.hpp"
#include "server/api/calendar_json.hpp"
#include "server/api/documented.hpp"
#include "server/api/people.hpp"
#include "server/api/values.hpp"
#include "server/problem.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace wajah::server {
namespace json = boost::json;
using attendance::Assignment;
using attendance::RecordStore;

namespace {

Reply list_reply(json::array items) {
  return json_reply(200, {{"items", std::move(items)}, {"next_cursor", nullptr}});
}

std::string_view code_of(const Request& request) { return request.path.find("code")->second; }

std::int64_t entry_id(char letter, const Request& request) {
  const auto& text = request.path.find("id")->second;
  if (const auto id = parse_id(letter, text)) return *id;
  throw Problem("not_found", fmt::format("There is no {}.", header_text(text)));
}

Reply list_sites(Site& site, Request&) {
  json::array items;
  for (const auto& entry : site.backend->book.calendar()->entries().sites) items.push_back(site_json(entry));
  return list_reply(std::move(items));
}

Reply add_site(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto saved = backend.book.save(site_of(request.body));
  audit(backend, request, "site.create", std::nullopt, saved.code);
  return json_reply(201, site_json(saved)).with("Location", "/api/v1/sites/" + saved.code);
}

Reply replace_site(Site& site, Request& request) {
  auto& backend = *site.backend;
  auto entry = site_of(request.body);
  entry.id = site_with(*backend.book.calendar(), code_of(request)).id;
  const auto saved = backend.book.save(std::move(entry));
  audit(backend, request, "site.change", std::nullopt, saved.code);
  return json_reply(200, site_json(saved));
}

Reply remove_site(Site& site, Request& request) {
  auto& backend = *site.backend;
  backend.book.remove(RecordStore::Entry::site, site_with(*backend.book.calendar(), code_of(request)).id);
  audit(backend, request, "site.remove", std::nullopt, code_of(request));
  return empty_reply();
}

Reply list_shifts(Site& site, Request&) {
  json::array items;
  for (const auto& shift : site.backend->book.calendar()->entries().shifts) items.push_back(shift_json(shift));
  return list_reply(std::move(items));
}

Reply add_shift(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto saved = backend.book.save(shift_of(request.body));
  audit(backend, request, "shift.create", std::nullopt, saved.code);
  return json_reply(201, shift_json(saved)).with("Location", "/api/v1/shifts/" + saved.code);
}

Reply replace_shift(Site& site, Request& request) {
  auto& backend = *site.backend;
  auto shift = shift_of(request.body);
  shift.id = shift_with(*backend.book.calendar(), code_of(request)).id;
  const auto saved = backend.book.save(std::move(shift));
  audit(backend, request, "shift.change", std::nullopt, saved.code);
  return json_reply(200, shift_json(saved));
}

Reply remove_shift(Site& site, Request& request) {
  auto& backend = *site.backend;
  backend.book.remove(RecordStore::Entry::shift, shift_with(*backend.book.calendar(), code_of(request)).id);
  audit(backend, request, "shift.remove", std::nullopt, code_of(request));
  return empty_reply();
}

Reply list_assignments(Site& site, Request&) {
  const auto calendar = site.backend->book.calendar();
  json::array items;
  for (const auto& entry : calendar->entries().assignments) items.push_back(assignment_json(entry, *calendar));
  return list_reply(std::move(items));
}

// To a person, a group or a site: whichever one of the three the body names.
Assignment assignment_of(Backend& backend, const json::object& body) {
  const auto calendar = backend.book.calendar();
  if (body.contains("person") + body.contains("group") + body.contains("site") != 1) {
    throw Problem("validation_failed", "Expected exactly one of person, group and site.");
  }
  Assignment assignment;
  assignment.shift = shift_with(*calendar, text_or(body, "shift", "")).id;
  if (const auto id = text_in(body, "person")) {
    const auto person = find_person(backend, *id);
    if (!person) throw Problem("person_unknown", "Nobody has this id.");
    assignment.to = Assignment::To::person;
    assignment.person = person->person.id;
  } else if (const auto group = text_in(body, "group")) {
    assignment.to = Assignment::To::group;
    assignment.group = *group;
  } else {
    assignment.to = Assignment::To::site;
    assignment.site = site_with(*calendar, text_or(body, "site", "")).id;
  }
  assignment.from = needed_date(body, "from");
  assignment.until = date_in(body, "until");
  return assignment;
}

Reply add_assignment(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto saved = backend.book.save(assignment_of(backend, request.body));
  audit(backend, request, "assignment.create", std::nullopt, id_text('a', saved.id));
  return json_reply(201, assignment_json(saved, *backend.book.calendar()));
}

Reply remove_assignment(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto id = entry_id('a', request);
  backend.book.remove(RecordStore::Entry::assignment, id);
  audit(backend, request, "assignment.remove", std::nullopt, id_text('a', id));
  return empty_reply();
}

Reply list_holidays(Site& site, Request&) {
  const auto calendar = site.backend->book.calendar();
  json::array items;
  for (const auto& entry : calendar->entries().holidays) items.push_back(holiday_json(entry, *calendar));
  return list_reply(std::move(items));
}

Reply add_holiday(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto saved = backend.book.save(holiday_of(request.body, *backend.book.calendar()));
  audit(backend, request, "holiday.create", std::nullopt, attendance::date_text(saved.date));
  return json_reply(201, holiday_json(saved, *backend.book.calendar()));
}

Reply remove_holiday(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto id = entry_id('h', request);
  backend.book.remove(RecordStore::Entry::holiday, id);
  audit(backend, request, "holiday.remove", std::nullopt, id_text('h', id));
  return empty_reply();
}

constexpr NamedSchema schemas[] = {
    {"Site", R"({"type":"object","required":["code","name","zone","day_start","duplicate_minutes","direction"],
      "properties":{"code":{"type":"string"},"name":{"type":"string"},
      "zone":{"type":"string","description":"IANA name; empty: the service's"},
      "day_start":{"type":["string","null"],"description":"when a business date begins; null: the service's"},
      "duplicate_minutes":{"type":["integer","null"]},"direction":{"type":["string","null"],"enum":["in","out",null]}},
      "additionalProperties":false})"},
    {"Sites", R"({"type":"object","required":["items","next_cursor"],"properties":{"items":{"type":"array",
      "items":{"$ref":"#/components/schemas/Site"}},"next_cursor":{"type":"null"}},"additionalProperties":false})"},
    {"SiteInput", R"({"type":"object","required":["code","name"],"properties":{
      "code":{"type":"string","maxLength":64,"pattern":"^[A-Za-z0-9][A-Za-z0-9._-]*$"},
      "name":{"type":"string","maxLength":128},"zone":{"type":"string","maxLength":64},
      "day_start":{"type":["string","null"],"maxLength":5,"pattern":"^[0-2][0-9]:[0-5][0-9]$"},
      "duplicate_minutes":{"type":["integer","null"],"minimum":0,"maximum":1440},
      "direction":{"type":["string","null"],"enum":["in","out",null]}},"additionalProperties":false})"},
    {"Hours", R"({"type":"object","required":["start","end"],"properties":{
      "start":{"type":"string","maxLength":5,"pattern":"^[0-2][0-9]:[0-5][0-9]$"},
      "end":{"type":"string","maxLength":5,"pattern":"^[0-2][0-9]:[0-5][0-9]$",
      "description":"not after the start: on the next day"},
      "pause":{"type":"array","minItems":2,"maxItems":2,
      "items":{"type":"string","maxLength":5,"pattern":"^[0-2][0-9]:[0-5][0-9]$"}}},"additionalProperties":false})"},
    {"Shift", R"({"type":"object","required":["code","name","week"],"properties":{
      "code":{"type":"string","maxLength":64,"pattern":"^[A-Za-z0-9][A-Za-z0-9._-]*$"},
      "name":{"type":"string","maxLength":128},
      "week":{"type":"array","minItems":7,"maxItems":7,"description":"Monday first; null: a day off",
      "items":{"anyOf":[{"$ref":"#/components/schemas/Hours"},{"type":"null"}]}},
      "grace_minutes":{"type":"integer","minimum":0,"maximum":1440},
      "overtime_after_minutes":{"type":"integer","minimum":0,"maximum":1440}},"additionalProperties":false})"},
    {"Shifts", R"({"type":"object","required":["items","next_cursor"],"properties":{"items":{"type":"array",
      "items":{"$ref":"#/components/schemas/Shift"}},"next_cursor":{"type":"null"}},"additionalProperties":false})"},
    {"Assignment", R"({"type":"object","required":["id","shift","to","person","group","site","from","until"],
      "properties":{"id":{"type":"string"},"shift":{"type":["string","null"]},
      "to":{"type":"string","enum":["person","group","site"]},"person":{"type":["string","null"]},
      "group":{"type":["string","null"]},"site":{"type":["string","null"]},
      "from":{"type":"string","format":"date"},"until":{"type":["string","null"],"format":"date"}},
      "additionalProperties":false})"},
    {"Assignments", R"({"type":"object","required":["items","next_cursor"],"properties":{"items":{"type":"array",
      "items":{"$ref":"#/components/schemas/Assignment"}},"next_cursor":{"type":"null"}},
      "additionalProperties":false})"},
    {"NewAssignment", R"({"type":"object","required":["shift","from"],
      "description":"Exactly one of person, group and site","properties":{
      "shift":{"type":"string","maxLength":64},"person":{"type":"string","maxLength":80},
      "group":{"type":"string","minLength":1,"maxLength":128},"site":{"type":"string","minLength":1,"maxLength":64},
      "from":{"type":"string","format":"date"},"until":{"type":"string","format":"date"}},
      "additionalProperties":false})"},
    {"Holiday", R"({"type":"object","required":["id","date","name","site"],"properties":{"id":{"type":"string"},
      "date":{"type":"string","format":"date"},"name":{"type":"string"},
      "site":{"type":["string","null"],"description":"null: everywhere"}},"additionalProperties":false})"},
    {"Holidays", R"({"type":"object","required":["items","next_cursor"],"properties":{"items":{"type":"array",
      "items":{"$ref":"#/components/schemas/Holiday"}},"next_cursor":{"type":"null"}},"additionalProperties":false})"},
    {"NewHoliday", R"({"type":"object","required":["date","name"],"properties":{
      "date":{"type":"string","format":"date"},"name":{"type":"string","minLength":1,"maxLength":128},
      "site":{"type":"string","minLength":1,"maxLength":64}},"additionalProperties":false})"},
};

constexpr Parameter code_parameters[] = {
    {Where::path, "code", "Its code", R"({"type":"string","maxLength":64})", true}};
constexpr Parameter id_parameters[] = {{Where::path, "id", "Its id", R"({"type":"string","maxLength":40})", true}};

constexpr Answer sites_answers[] = {ok("Sites")};
constexpr Answer add_site_answers[] = {created("Site"), problem(409, "The code is taken"), wrong_values};
constexpr Answer replace_site_answers[] = {ok("Site"), no_such, problem(409, "A code cannot change"), wrong_values};
constexpr Answer shifts_answers[] = {ok("Shifts")};
constexpr Answer add_shift_answers[] = {created("Shift"), problem(409, "The code is taken"), wrong_values};
constexpr Answer replace_shift_answers[] = {ok("Shift"), no_such, problem(409, "A code cannot change"), wrong_values};
constexpr Answer assignments_answers[] = {ok("Assignments")};
constexpr Answer add_assignment_answers[] = {created("Assignment"), no_such, wrong_values};
constexpr Answer holidays_answers[] = {ok("Holidays")};
constexpr Answer add_holiday_answers[] = {created("Holiday"), no_such, problem(409, "The date has one"), wrong_values};
constexpr Answer remove_answers[] = {nothing("Removed"), no_such, problem(409, "Something still refers to it")};

constexpr Route list_route(std::string_view path, std::string_view title, std::span<const Answer> answers,
                           Reply (*handle)(Site&, Request&)) {
  return {.path = path,
          .tag = "calendar",
          .summary = title,
          .scope = Scope::attendance_read,
          .lane = Lane::query,
          .answers = answers,
          .handle = handle,
          .shape = Shape::problem};
}

constexpr Route write_route(Verb verb, std::string_view path, std::string_view title, std::string_view body,
                            std::span<const Parameter> parameters, std::span<const Answer> answers,
                            Reply (*handle)(Site&, Request&)) {
  return {.verb = verb,
          .path = path,
          .tag = "calendar",
          .summary = title,
          .scope = Scope::admin,
          .lane = Lane::manage,
          .body_limit = body.empty() ? 0 : 32 * kib,
          .parameters = parameters,
          .body = body,
          .answers = answers,
          .handle = handle,
          .shape = Shape::problem};
}

constexpr Parameter post_parameters[] = {idempotency_parameter};

constexpr Route table[] = {
    list_route("/api/v1/sites", "Sites", sites_answers, list_sites),
    write_route(Verb::post, "/api/v1/sites", "Add a site", "SiteInput", post_parameters, add_site_answers, add_site),
    write_route(Verb::put, "/api/v1/sites/{code}", "Replace a site", "SiteInput", code_parameters,
                replace_site_answers, replace_site),
    write_route(Verb::remove, "/api/v1/sites/{code}", "Remove a site", "", code_parameters, remove_answers,
                remove_site),
    list_route("/api/v1/shifts", "Shifts", shifts_answers, list_shifts),
    write_route(Verb::post, "/api/v1/shifts", "Add a shift", "Shift", post_parameters, add_shift_answers, add_shift),
    write_route(Verb::put, "/api/v1/shifts/{code}", "Replace a shift", "Shift", code_parameters,
                replace_shift_answers, replace_shift),
    write_route(Verb::remove, "/api/v1/shifts/{code}", "Remove a shift", "", code_parameters, remove_answers,
                remove_shift),
    list_route("/api/v1/assignments", "Who works which shift", assignments_answers, list_assignments),
    write_route(Verb::post, "/api/v1/assignments", "Assign a shift", "NewAssignment", post_parameters,
                add_assignment_answers, add_assignment),
    write_route(Verb::remove, "/api/v1/assignments/{id}", "Remove an assignment", "", id_parameters, remove_answers,
                remove_assignment),
    list_route("/api/v1/holidays", "Holidays", holidays_answers, list_holidays),
    write_route(Verb::post, "/api/v1/holidays", "Add a holiday", "NewHoliday", post_parameters, add_holiday_answers,
                add_holiday),
    write_route(Verb::remove, "/api/v1/holidays/{id}", "Remove a holiday", "", id_parameters, remove_answers,
                remove_holiday),
};

}  // namespace

std::span<const Route> calendar_routes() { return table; }
std::span<const NamedSchema> calendar_schemas() { return schemas; }

}  // namespace wajah::server
