#include "attendance/storage/archive_parts.hpp"
#include "server/api/admin_routes.hpp"
#include "server/api/attendance_json.hpp"
#include "server/api/calendar_json.hpp"
#include "server/api/documented.hpp"
#include "server/api/people.hpp"
#include "server/api/values.hpp"
#include "server/problem.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

namespace wajah::server {
namespace json = boost::json;
using attendance::Consent;

namespace {

json::object consent_json(const Consent& consent, std::string_view zone) {
  return {{"id", consent.id},
          {"text_version", consent.text_version},
          {"channel", consent.channel},
          {"given_at", rfc3339(consent.given_at, zone)},
          {"withdrawn_at", nullable_time(consent.withdrawn_at, zone)},
          {"in_force", !consent.withdrawn_at}};
}

json::array consents_of(Backend& backend, attendance::PersonId person) {
  json::array items;
  for (const auto& consent : backend.consents.of(person)) {
    items.push_back(consent_json(consent, backend.book.options().zone));
  }
  return items;
}

Reply list_consents(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto person = the_person(backend, request);
  return json_reply(200, {{"items", consents_of(backend, person.person.id)}, {"next_cursor", nullptr}});
}

Reply give_consent(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto person = the_person(backend, request);
  const auto consent = backend.consents.give(person.person.id, text_or(request.body, "text_version", ""),
                                             text_or(request.body, "channel", "api"), backend.options.now());
  if (!consent) throw Problem("person_unknown", "The person was removed meanwhile.");
  audit(backend, request, "consent.give", person.person.id, person.person.nik);
  return json_reply(201, consent_json(*consent, backend.book.options().zone));
}

Reply withdraw_consent(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto person = the_person(backend, request);
  const auto withdrawn = backend.consents.withdraw(person.person.id, backend.options.now());
  backend.service.leave(person.person.id);
  audit(backend, request, "consent.withdraw", person.person.id, person.person.nik, {{"withdrawn", withdrawn}});
  backend.stop_matching(person.person.id);
  return json_reply(200, {{"withdrawn", withdrawn}, {"active", false}});
}

json::array events_of(Backend& backend, attendance::PersonId person) {
  constexpr std::size_t page = 500;
  const auto calendar = backend.book.calendar();
  attendance::EventFilter filter;
  filter.person = person;
  json::array items;
  attendance::EventId after = 0;
  for (;;) {
    const auto events = backend.book.events(filter, after, page);
    for (const auto& event : events) items.push_back(event_json(event, *calendar));
    if (events.size() < page) return items;
    after = events.back().id;
  }
}

// What /recognize/ wrote of them, or of whoever claimed to be them.
json::array recognitions_of(Backend& backend, const attendance::Person& person) {
  json::array items;
  for (const auto& row : backend.store.attendance_of(person)) {
    items.push_back(json::object{{"at", rfc3339(row.at, backend.book.options().zone)},
                                 {"claimed_nik", row.claimed_nik},
                                 {"matched", row.matched},
                                 {"accuracy", row.accuracy},
                                 {"faces", row.faces}});
  }
  return items;
}

json::array assignments_of(Backend& backend, attendance::PersonId person) {
  const auto calendar = backend.book.calendar();
  json::array items;
  for (const auto& assignment : calendar->entries().assignments) {
    const bool theirs = assignment.to == attendance::Assignment::To::person && assignment.person == person;
    if (theirs) items.push_back(assignment_json(assignment, *calendar));
  }
  return items;
}

json::value picture_of(Backend& backend, attendance::PersonId person, const attendance::PhotoRecord& photo) {
  const auto picture = photo.picture ? backend.people.picture(person, photo.id) : std::nullopt;
  return picture ? json::value(attendance::json_of(*picture)) : json::value(nullptr);
}

json::array photos_of(Backend& backend, attendance::PersonId person) {
  json::array items;
  for (const auto& photo : backend.people.photos(person)) {
    items.push_back(json::object{{"id", id_text('f', photo.id)},
                                 {"width", photo.width},
                                 {"height", photo.height},
                                 {"added_at", rfc3339(photo.added_at, backend.book.options().zone)},
                                 {"picture_kept", photo.picture},
                                 {"picture", picture_of(backend, person, photo)}});
  }
  return items;
}

Reply data_export(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto person = the_person(backend, request);
  const auto id = person.person.id;
  const auto& zone = backend.book.options().zone;
  json::object body{{"exported_at", rfc3339(backend.options.now(), zone)},
                    {"person", person_json(person, zone)},
                    {"photos", photos_of(backend, id)},
                    {"consents", consents_of(backend, id)},
                    {"attendance", events_of(backend, id)},
                    {"recognitions", recognitions_of(backend, person.person)},
                    {"assignments", assignments_of(backend, id)}};
  audit(backend, request, "person.data_export", id, person.person.nik);
  return json_reply(200, body).with("Content-Disposition",
                                    fmt::format("attachment; filename=\"{}.json\"", id_text('p', id)));
}

constexpr NamedSchema schemas[] = {
    {"Consent", R"({"type":"object","required":["id","text_version","channel","given_at","withdrawn_at","in_force"],
      "properties":{"id":{"type":"integer"},"text_version":{"type":"string"},"channel":{"type":"string"},
      "given_at":{"type":"string","format":"date-time"},"withdrawn_at":{"type":["string","null"],"format":"date-time"},
      "in_force":{"type":"boolean"}},"additionalProperties":false})"},
    {"Consents", R"({"type":"object","required":["items","next_cursor"],"properties":{"items":{"type":"array",
      "items":{"$ref":"#/components/schemas/Consent"}},"next_cursor":{"type":"null"}},"additionalProperties":false})"},
    {"NewConsent", R"({"type":"object","required":["text_version"],"properties":{
      "text_version":{"type":"string","minLength":1,"maxLength":64,"description":"of the text they agreed to"},
      "channel":{"type":"string","enum":["page","paper","api"]}},"additionalProperties":false})"},
    {"Withdrawal", R"({"type":"object","required":["withdrawn","active"],"properties":{
      "withdrawn":{"type":"integer"},"active":{"const":false}},"additionalProperties":false})"},
    {"DataExport", R"({"type":"object","required":["exported_at","person","photos","consents","attendance",
      "recognitions","assignments"],
      "properties":{"exported_at":{"type":"string","format":"date-time"},
      "person":{"$ref":"#/components/schemas/Person"},"photos":{"type":"array","items":{"type":"object",
      "description":"picture.base64: the kept picture, a JPEG"}},
      "consents":{"type":"array","items":{"$ref":"#/components/schemas/Consent"}},
      "attendance":{"type":"array","items":{"$ref":"#/components/schemas/Event"}},
      "recognitions":{"type":"array","description":"of /recognize/","items":{"type":"object"}},
      "assignments":{"type":"array","items":{"$ref":"#/components/schemas/Assignment"}}},
      "additionalProperties":false})"},
};

constexpr Parameter one_parameters[] = {person_parameter};
constexpr Parameter post_parameters[] = {person_parameter, idempotency_parameter};
constexpr Answer list_answers[] = {ok("Consents", "In the order given"), no_such};
constexpr Answer give_answers[] = {created("Consent", "Recorded"), no_such, wrong_values};
constexpr Answer withdraw_answers[] = {ok("Withdrawal", "Withdrawn; the person is not matched from now on"), no_such};
constexpr Answer export_answers[] = {ok("DataExport", "All that is held about the person"), no_such};

constexpr Route table[] = {
    {.path = "/api/v1/people/{id}/consents",
     .tag = "privacy",
     .summary = "A person's consents",
     .scope = Scope::people_read,
     .lane = Lane::query,
     .parameters = one_parameters,
     .answers = list_answers,
     .handle = list_consents,
     .shape = Shape::problem},
    {.verb = Verb::post,
     .path = "/api/v1/people/{id}/consents",
     .tag = "privacy",
     .summary = "Record a consent",
     .scope = Scope::people_write,
     .lane = Lane::manage,
     .body_limit = 4 * kib,
     .parameters = post_parameters,
     .body = "NewConsent",
     .answers = give_answers,
     .handle = give_consent,
     .shape = Shape::problem},
    {.verb = Verb::remove,
     .path = "/api/v1/people/{id}/consents",
     .tag = "privacy",
     .summary = "Withdraw consent",
     .about = "Matching stops at once; the templates stay until the person is erased.",
     .scope = Scope::people_write,
     .lane = Lane::manage,
     .parameters = one_parameters,
     .answers = withdraw_answers,
     .handle = withdraw_consent,
     .shape = Shape::problem},
    {.path = "/api/v1/people/{id}/data-export",
     .tag = "privacy",
     .summary = "All data about a person",
     .scope = Scope::privacy,
     .lane = Lane::query,
     .parameters = one_parameters,
     .answers = export_answers,
     .handle = data_export,
     .shape = Shape::problem},
};

}  // namespace

std::span<const Route> privacy_routes() { return table; }
std::span<const NamedSchema> privacy_schemas() { return schemas; }

}  // namespace wajah::server
