#include "server/api/people_routes.hpp"

#include "attendance/identify.hpp"
#include "server/api/documented.hpp"
#include "server/api/looking.hpp"
#include "server/api/people.hpp"
#include "server/api/values.hpp"
#include "server/problem.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>

namespace wajah::server {
namespace json = boost::json;
using attendance::File;
using attendance::SkippedFile;

namespace {

json::object photo_json(const attendance::PhotoRecord& photo, std::string_view zone) {
  json::array models;
  for (const auto& model : photo.models) models.push_back(json::value(model));
  return {{"id", id_text('f', photo.id)},  {"width", photo.width},
          {"height", photo.height},        {"added_at", rfc3339(photo.added_at, zone)},
          {"picture_kept", photo.picture}, {"models", std::move(models)}};
}

// Names whom a photo resembles only to callers who may know everybody.
json::object rejected_json(const Request& request, const SkippedFile& skipped) {
  json::object result{{"file", skipped.filename},
                      {"code", attendance::name_of(skipped.fault)},
                      {"reason", skipped.reason},
                      {"resembles", nullptr}};
  if (skipped.resembles && request.caller.scopes.has(Scope::people_read)) {
    result["resembles"] = id_text('p', *skipped.resembles);
  }
  return result;
}

std::string_view code_of_cause(attendance::Cause cause) {
  using attendance::Cause;
  if (cause == Cause::duplicate_face) return "duplicate_face";
  return cause == Cause::no_face ? "face_not_found" : "face_unusable";
}

[[noreturn]] void refuse_photos(const attendance::Refusal& refusal) {
  json::array errors;
  for (const auto& skipped : refusal.skipped()) {
    errors.push_back(error_entry({"body", "images", skipped.filename}, skipped.reason,
                                 fmt::format("face.{}", attendance::name_of(skipped.fault))));
  }
  throw Problem(code_of_cause(refusal.cause()), refusal.what(), std::move(errors));
}

// As the routes that look at one picture tell it: a file of another kind is not a damaged picture.
[[noreturn]] void refuse_undecodable(const std::vector<File>& files, const attendance::Refusal& refusal) {
  const auto code = code_of_undecodable(files[refusal.skipped().front().index].bytes);
  throw Problem(code, refusal.what(), {error_entry({"body", "images"}, refusal.what(), "image.undecodable")});
}

// Of this person, whatever becomes of them while the photos are looked at.
attendance::UploadResult enrol(Backend& backend, const attendance::Person& person, const std::vector<File>& files,
                               attendance::Force force) {
  using attendance::Cause;
  try {
    return backend.service.upload(person.nik, person.name, files, force, attendance::Recognisable::later,
                                  {person.id, backend.options.require_consent});
  } catch (const attendance::Refusal& refusal) {
    const auto cause = refusal.cause();
    const bool of_photos = cause == Cause::no_face || cause == Cause::unusable_photos || cause == Cause::duplicate_face;
    if (of_photos) refuse_photos(refusal);
    if (cause == Cause::undecodable) refuse_undecodable(files, refusal);
    throw;
  }
}

void require_consent(Backend& backend, attendance::PersonId person) {
  if (!backend.options.require_consent || backend.consents.in_force(person)) return;
  throw Problem("consent_missing", "The person has given no consent, or has withdrawn it.");
}

Reply add_faces(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto person = the_person(backend, request);
  require_consent(backend, person.person.id);
  std::vector<File> files;
  for (auto& file : request.files("images")) files.push_back({std::move(file.filename), file.bytes});
  const auto force = flag_in(request.body, "force").value_or(false) ? attendance::Force::yes : attendance::Force::no;
  auto result = enrol(backend, person.person, files, force);
  json::array rejected;
  for (const auto& skipped : result.skipped) rejected.push_back(rejected_json(request, skipped));
  const auto now = backend.people.person(person.person.id).value_or(person);
  audit(backend, request, "person.enrol", person.person.id, person.person.nik,
        {{"stored", result.stored}, {"rejected", result.skipped.size()}});
  backend.announce("person.enrolled", {{"person", mention(now.person)}, {"photos", now.photos}}, person.person.id);
  backend.files.enrolled(result, files);
  backend.service.wait_for(result);
  auto reply = json_reply(201, {{"person", person_json(now, backend.book.options().zone)},
                                {"stored", result.stored},
                                {"rejected", std::move(rejected)}});
  reply.timings = stages(result);
  return reply;
}

Reply list_faces(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto person = the_person(backend, request);
  json::array items;
  for (const auto& photo : backend.people.photos(person.person.id)) {
    items.push_back(photo_json(photo, backend.book.options().zone));
  }
  return json_reply(200, {{"items", std::move(items)}, {"next_cursor", nullptr}});
}

attendance::PhotoId photo_id(const Request& request) {
  const auto& text = request.path.find("fid")->second;
  if (const auto id = parse_id('f', text)) return *id;
  throw Problem("face_unknown", fmt::format("The person has no photo {}.", header_text(text)));
}

Reply remove_face(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto person = the_person(backend, request);
  const auto photo = photo_id(request);
  if (!backend.people.remove_photo(person.person.id, photo, backend.options.now())) {
    throw Problem("face_unknown", "The person has no such photo.");
  }
  audit(backend, request, "person.remove_photo", person.person.id, person.person.nik, {{"photo", id_text('f', photo)}});
  backend.service.reload();
  return empty_reply();
}

Reply face_image(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto person = the_person(backend, request);
  const auto picture = backend.people.picture(person.person.id, photo_id(request));
  if (!picture) throw Problem("face_unknown", "There is no such photo, or pictures are not kept.");
  return {200, "image/jpeg", {reinterpret_cast<const char*>(picture->data()), picture->size()}, {}};
}

// Says yes or no about the claimed person and nothing about anybody else.
Reply verify_person(Site& site, Request& request) {
  const Stopwatch watch;
  auto& backend = *site.backend;
  const auto person = the_person(backend, request);
  const auto look = look_at(site, request, "image");
  const auto& face = only_face(look, "image");
  const auto claim =
      attendance::verify_claim(*backend.service.gallery(), person.person.id, face.embedding, backend.service.options());
  json::object body{{"matched", claim.accepted},
                    {"person_id", id_text('p', person.person.id)},
                    {"similarity", rounded(claim.similarity, 4)},
                    {"confidence", rounded(claim.confidence, 4)},
                    {"face", face_json(face)}};
  add_machine(body, site, watch);
  auto reply = json_reply(200, body);
  reply.timings = stages(look.analysis.times);
  return reply;
}

constexpr NamedSchema schemas[] = {
    {"RejectedPhoto", R"({"type":"object","required":["file","code","reason","resembles"],"properties":{
      "file":{"type":"string"},"code":{"type":"string","enum":["no_face","several_faces","unclear","too_small",
      "blurred","dark","bright","low_contrast","turned","cut_off","not_same_person","duplicate_face"]},
      "reason":{"type":"string"},"resembles":{"type":["string","null"],
      "description":"whom a duplicate_face resembles, for callers with people:read"}},"additionalProperties":false})"},
    {"Enrolment", R"({"type":"object","required":["person","stored","rejected"],"properties":{
      "person":{"$ref":"#/components/schemas/Person"},
      "stored":{"type":"integer","minimum":0,"description":"photos of this request the person now has"},
      "rejected":{"type":"array","items":{"$ref":"#/components/schemas/RejectedPhoto"}}},
      "additionalProperties":false})"},
    {"Photo", R"({"type":"object","required":["id","width","height","added_at","picture_kept","models"],"properties":{
      "id":{"type":"string"},"width":{"type":"integer"},"height":{"type":"integer"},
      "added_at":{"type":"string","format":"date-time"},"picture_kept":{"type":"boolean"},
      "models":{"type":"array","items":{"type":"string"}}},"additionalProperties":false})"},
    {"Photos", R"({"type":"object","required":["items","next_cursor"],"properties":{
      "items":{"type":"array","items":{"$ref":"#/components/schemas/Photo"}},
      "next_cursor":{"type":"null"}},"additionalProperties":false})"},
    {"ClaimVerdict", R"({"type":"object","required":["matched","person_id","similarity","confidence","face","model",
      "device","took_ms"],"properties":{"matched":{"type":"boolean"},"person_id":{"type":"string"},
      "similarity":{"type":"number"},"confidence":{"type":"number","minimum":0,"maximum":1},
      "face":{"$ref":"#/components/schemas/DetectedFace"},"model":{"type":"string"},"device":{"type":"string"},
      "took_ms":{"type":"number"}},"additionalProperties":false})"},
};

constexpr Parameter photo_parameter{Where::path, "fid", "Of the photo: f_7", R"({"type":"string","maxLength":40})",
                                    true};
constexpr Parameter add_parameters[] = {person_parameter, idempotency_parameter};
constexpr Parameter list_parameters[] = {person_parameter};
constexpr Parameter photo_parameters[] = {person_parameter, photo_parameter};

constexpr Field add_fields[] = {
    {"images", FieldKind::files, "1 to 100 photos of this one person: JPEG, PNG or WebP"},
    {"force", FieldKind::text, "Take them though the face resembles somebody else, or they do not resemble each other",
     false, R"({"type":"boolean"})"},
};
constexpr Field verify_fields[] = {picture_field};

constexpr Answer add_answers[] = {
    created("Enrolment", "Stored, and recognisable from now on; photos that cannot be used are named in rejected"),
    no_such,
    problem(409,
            "The face belongs to somebody else (duplicate_face), consent is missing, or the person is "
            "deactivated"),
    no_picture,
    problem(422, "No photo can be used; errors[] says why for each"),
};
constexpr Answer list_answers[] = {ok("Photos", "In the order they came"), no_such};
constexpr Answer remove_answers[] = {nothing("Removed and not matched by any more"), no_such};
constexpr Answer image_answers[] = {{200, "The upright picture", "image/jpeg", ""}, no_such};
constexpr Answer verify_answers[] = {ok("ClaimVerdict", "Whether the face is this person's"), no_such, no_picture,
                                     bad_picture};

constexpr Route table[] = {
    {.verb = Verb::post,
     .path = "/api/v1/people/{id}/faces",
     .tag = "people",
     .summary = "Add photos of a person",
     .about = "Good photos are stored although others of the same request are not.",
     .scope = Scope::people_write,
     .lane = Lane::manage,
     .body_limit = 200 * mib,
     .parameters = add_parameters,
     .fields = add_fields,
     .answers = add_answers,
     .handle = add_faces,
     .shape = Shape::problem},
    {.verb = Verb::get,
     .path = "/api/v1/people/{id}/faces",
     .tag = "people",
     .summary = "A person's photos",
     .scope = Scope::people_read,
     .lane = Lane::query,
     .parameters = list_parameters,
     .answers = list_answers,
     .handle = list_faces,
     .shape = Shape::problem},
    {.verb = Verb::remove,
     .path = "/api/v1/people/{id}/faces/{fid}",
     .tag = "people",
     .summary = "Remove a photo",
     .scope = Scope::people_write,
     .lane = Lane::manage,
     .parameters = photo_parameters,
     .answers = remove_answers,
     .handle = remove_face,
     .shape = Shape::problem},
    {.verb = Verb::get,
     .path = "/api/v1/people/{id}/faces/{fid}/image",
     .tag = "people",
     .summary = "A kept picture",
     .about = "Only where privacy.keep_originals is on.",
     .scope = Scope::people_read,
     .lane = Lane::query,
     .parameters = photo_parameters,
     .answers = image_answers,
     .handle = face_image,
     .shape = Shape::problem},
    {.verb = Verb::post,
     .path = "/api/v1/people/{id}/verify",
     .tag = "people",
     .summary = "Is it this person? (1:1)",
     .about = "Compares one face with the claimed person alone and names nobody else. Nothing is recorded.",
     .scope = Scope::recognize,
     .lane = Lane::recognise,
     .body_limit = picture_limit,
     .parameters = list_parameters,
     .fields = verify_fields,
     .answers = verify_answers,
     .handle = verify_person,
     .shape = Shape::problem},
};

}  // namespace

std::span<const Route> face_routes() { return table; }
std::span<const NamedSchema> face_schemas() { return schemas; }

}  // namespace wajah::server
