#include "server/api/people_routes.hpp"

#include "attendance/text.hpp"
#include "server/api/documented.hpp"
#include "server/api/people.hpp"
#include "server/api/values.hpp"
#include "server/json.hpp"
#include "server/problem.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

namespace wajah::server {
namespace json = boost::json;
using attendance::PeopleQuery;
using attendance::PersonRecord;

namespace {

constexpr std::size_t most_metadata = 8 * kib;

// The rule of the original's routes, so that both surfaces can handle the same people.
std::string checked_name(const std::string& name) {
  auto fault = attendance::fault_of_name(name);
  if (!fault && !attendance::is_upper(name)) fault = "expected capital letters";
  if (!fault) return name;
  const auto detail = fmt::format("The name cannot be used: {}", *fault);
  throw Problem("validation_failed", detail, {error_entry({"body", "name"}, detail, "value_error")});
}

std::optional<std::string> metadata_in(const json::object& body) {
  const auto* metadata = body.if_contains("metadata");
  if (!metadata) return std::nullopt;
  auto text = to_text(*metadata);
  if (text.size() <= most_metadata) return text;
  const auto detail = fmt::format("expected at most {} bytes of JSON, got {}", most_metadata, text.size());
  throw Problem("validation_failed", detail, {error_entry({"body", "metadata"}, detail, "too_long")});
}

void check_site(Backend& backend, const std::optional<std::string>& code) {
  if (code && !code->empty()) (void)backend.book.site(*code);
}

PeopleQuery people_query(const json::object& query) {
  PeopleQuery result;
  result.text = text_or(query, "q", "");
  result.group = text_in(query, "group");
  result.site = text_in(query, "site");
  result.active = flag_in(query, "active");
  result.needs_photos = flag_in(query, "needs_photos");
  const auto order = text_or(query, "order", "name");
  if (order == "nik") result.order = attendance::PeopleOrder::nik;
  if (order == "enrolled") result.order = attendance::PeopleOrder::enrolled;
  result.limit = static_cast<std::size_t>(integer_in(query, "limit").value_or(50));
  return result;
}

// Not part of the person alone: it goes by the model in use, and the ETag is of the person.
json::object listed_json(const PersonRecord& person, std::string_view zone) {
  auto item = person_json(person, zone);
  item["needs_photos"] = person.needs_photos;
  return item;
}

Reply list_people(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto list = list_name("/people", request.query);
  auto query = people_query(request.query);
  query.model = backend.engine.model();
  if (request.caller.site) query.site = site_for(request.caller, query.site.value_or(""));
  query.after = backend.cursors.read(list, text_or(request.query, "cursor", ""));
  const auto page = backend.people.search(query);
  json::array items;
  for (const auto& person : page.people) items.push_back(listed_json(person, backend.book.options().zone));
  json::object body{{"items", std::move(items)}, {"next_cursor", nullptr}};
  if (!page.next.empty()) body["next_cursor"] = backend.cursors.sign(list, page.next);
  if (flag_in(request.query, "count").value_or(false)) body["total"] = backend.people.count(query);
  return json_reply(200, body);
}

Reply create_person(Site& site, Request& request) {
  auto& backend = *site.backend;
  attendance::NewPerson person;
  person.nik = text_or(request.body, "nik", "");
  person.name = checked_name(text_or(request.body, "name", ""));
  person.details.group = text_or(request.body, "group", "");
  person.details.site = site_for(request.caller, text_or(request.body, "site", ""));
  person.details.external_id = text_in(request.body, "external_id");
  person.details.metadata = metadata_in(request.body).value_or("{}");
  person.details.active = flag_in(request.body, "active").value_or(true);
  person.at = backend.options.now();
  check_site(backend, person.details.site);
  const auto made = backend.people.create(person);
  refuse_fault(made.fault);
  const auto& record = *made.person;
  if (record.details.active) backend.service.renamed(record.person);
  audit(backend, request, "person.create", record.person.id, record.person.nik);
  backend.announce("person.created", mention(record.person), record.person.id);
  return person_reply(backend, 201, record).with("Location", "/api/v1/people/" + id_text('p', record.person.id));
}

Reply show_person(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto person = the_person(backend, request);
  if (request.headers.get("if-none-match") == fmt::format("\"{}\"", person.version)) {
    return {304, "", "", {}};
  }
  return person_reply(backend, 200, person);
}

// Recognition goes by a change when the answer arrives. What happened to the person meanwhile may have been told
// before.
void tell_service(Backend& backend, const PersonRecord& before, const PersonRecord& now) {
  if (!now.details.active) return backend.stop_matching(now.person.id);
  if (!before.details.active) return backend.service.reload();
  backend.service.renamed(now.person);
  const auto latest = backend.people.person(now.person.id);
  if (!latest || !latest->details.active) backend.stop_matching(now.person.id);
}

void require_consent_to_activate(Backend& backend, const PersonRecord& person, const attendance::PersonChange& change) {
  if (!backend.options.require_consent || !change.active.value_or(false) || person.details.active) return;
  if (!backend.consents.in_force(person.person.id)) refuse_fault(attendance::ChangeFault::consent_missing);
}

Reply change_person(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto before = the_person(backend, request);
  attendance::PersonChange change;
  if (const auto name = text_in(request.body, "name")) change.name = checked_name(*name);
  change.group = text_in(request.body, "group");
  if (const auto code = text_in(request.body, "site")) change.site = site_for(request.caller, *code);
  change.external_id = text_in(request.body, "external_id");
  if (request.body.contains("external_id") && request.body.at("external_id").is_null()) change.external_id = "";
  change.metadata = metadata_in(request.body);
  change.active = flag_in(request.body, "active");
  change.at = backend.options.now();
  check_site(backend, change.site);
  require_consent_to_activate(backend, before, change);
  const auto changed = backend.people.update(before.person.id, change, wanted_version(request));
  refuse_fault(changed.fault);
  if (!changed.person->details.active) backend.service.leave(before.person.id);
  json::array fields;
  for (const auto& [name, value] : request.body) fields.push_back(json::value(name));
  audit(backend, request, "person.change", before.person.id, before.person.nik, {{"fields", std::move(fields)}});
  backend.announce("person.changed", mention(changed.person->person), before.person.id);
  if (changed.former_name) backend.files.renamed(changed.person->person, *changed.former_name);
  tell_service(backend, before, *changed.person);
  return person_reply(backend, 200, *changed.person);
}

std::string hex(const attendance::Digest& digest) {
  std::string text;
  for (const auto byte : digest) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

// The receipt proves by the audit log's hash that the erasure was written down, and names nobody.
attendance::AuditHead audit_erasure(Backend& backend, const Request& request, const attendance::Removed& removed,
                                    attendance::Time at) {
  return backend.audit.append({at, request.caller.name, "person.erase", std::nullopt, id_text('p', removed.person.id),
                               to_text(json::object{{"photos", removed.photos}})});
}

Reply erasure_receipt(Backend& backend, const Request& request, const attendance::Removed& removed) {
  const auto at = backend.options.now();
  const auto head = audit_erasure(backend, request, removed, at);
  backend.announce("person.removed", {{"id", id_text('p', removed.person.id)}});
  json::array left_over;
  for (const auto& part : backend.depart(removed.person, true)) left_over.push_back(json::value(part));
  return json_reply(200, {{"receipt", fmt::format("erase-{}-{}", removed.person.id, head.id)},
                          {"person_id", id_text('p', removed.person.id)},
                          {"erased_at", rfc3339(at, backend.book.options().zone)},
                          {"photos", removed.photos},
                          {"left_over", std::move(left_over)},
                          {"audit_row", head.id},
                          {"audit_hash", hex(head.hash)}});
}

Reply remove_person_v1(Site& site, Request& request) {
  auto& backend = *site.backend;
  const bool erase = flag_in(request.query, "erase").value_or(false);
  if (erase) require_scope(request, Scope::privacy);
  const auto person = the_person(backend, request);
  const auto removed = backend.people.remove(person.person.id, erase, backend.options.now(), wanted_version(request));
  if (!removed) refuse_fault(attendance::ChangeFault::stale_version);
  backend.service.leave(person.person.id);
  if (erase) return erasure_receipt(backend, request, *removed);
  const auto id = id_text('p', person.person.id);
  audit(backend, request, "person.remove", std::nullopt, id);
  backend.announce("person.removed", {{"id", id}});
  (void)backend.depart(removed->person, false);
  return empty_reply();
}

Reply merge_people(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto person = [&](std::string_view field) {
    auto found = find_person(backend, text_or(request.body, field, ""));
    if (found && may_see(request.caller, *found)) return std::move(*found);
    const std::string detail = "Nobody has this id.";
    throw Problem("person_unknown", detail, {error_entry({"body", field}, detail, "person_unknown")});
  };
  const auto from = person("from"), into = person("into");
  if (from.person.id == into.person.id) throw Problem("conflict", "from and into are the same person.");
  if (!from.details.active && into.details.active) {
    throw Problem("conflict",
                  "from is deactivated, and its photos would be matched again; activate or erase it first.");
  }
  const auto merged = backend.people.merge(from.person.id, into.person.id, backend.options.now());
  if (!merged) throw Problem("person_unknown", "One of the two was removed meanwhile.");
  backend.service.leave(from.person.id);
  audit(backend, request, "person.merge", into.person.id, into.person.nik,
        {{"from", id_text('p', from.person.id)}, {"photos", merged->moved.size()}});
  backend.announce("person.merged", {{"from", id_text('p', from.person.id)}, {"into", mention(into.person)}},
                   into.person.id);
  (void)backend.depart(merged->from, false);
  backend.service.reload();
  return json_reply(200, {{"into", person_json(merged->into, backend.book.options().zone)},
                          {"from", mention(merged->from)},
                          {"moved_photos", merged->moved.size()}});
}

constexpr Parameter list_parameters[] = {
    {Where::query, "q", "Somewhere in name, NIK or external id", R"({"type":"string","maxLength":128})"},
    {Where::query, "group", "Of this group", R"({"type":"string","maxLength":128})"},
    {Where::query, "site", "Of the site with this code", R"({"type":"string","maxLength":64})"},
    {Where::query, "active", "Only those who are, or are not, matched", R"({"type":"boolean"})"},
    {Where::query, "needs_photos", "Only those who need, or do not need, new photos", R"({"type":"boolean"})"},
    {Where::query, "order", "By what", R"({"type":"string","enum":["name","nik","enrolled"],"default":"name"})"},
    limit_parameter,
    cursor_parameter,
    count_parameter,
};
constexpr Parameter create_parameters[] = {idempotency_parameter};
constexpr Parameter one_parameters[] = {person_parameter};
constexpr Parameter change_parameters[] = {person_parameter, if_match_parameter};
constexpr Parameter remove_parameters[] = {
    person_parameter,
    if_match_parameter,
    {Where::query, "erase", "Also take the NIK out of attendance rows, and answer with a receipt (scope privacy)",
     R"({"type":"boolean"})"}};

constexpr Answer list_answers[] = {ok("PeoplePage", "A page of people"), problem(400, "The cursor is not of this list"),
                                   wrong_values};
constexpr Answer create_answers[] = {created("Person", "Made, without photos"), problem(409, "The NIK is taken"),
                                     wrong_values};
constexpr Answer show_answers[] = {
    ok("Person", "The person; ETag is its version"), {304, "Not changed since If-None-Match", "", ""}, no_such};
constexpr Answer change_answers[] = {
    ok("Person", "As it is now"), no_such,
    problem(409, "The external_id is taken, or consent was withdrawn and not given again"),
    problem(412, "Changed since If-Match"), wrong_values};
constexpr Answer remove_answers[] = {ok("Erasure", "Erased; a receipt"), nothing("Removed and not matchable any more"),
                                     no_such, problem(412, "Changed since If-Match")};
constexpr Answer merge_answers[] = {ok("Merged", "One person now"), no_such,
                                    problem(409, "They are the same, or from is deactivated and into is not"),
                                    wrong_values};

constexpr Route table[] = {
    {.verb = Verb::get,
     .path = "/api/v1/people",
     .tag = "people",
     .summary = "List and search people",
     .about = "needs_photos of each says whether the model in use knows nothing of somebody active: no embedding, and "
              "no kept picture to make one from. So it is of everybody without kept pictures after another model was "
              "chosen, and of those who have no photo yet.",
     .scope = Scope::people_read,
     .lane = Lane::query,
     .parameters = list_parameters,
     .answers = list_answers,
     .handle = list_people,
     .shape = Shape::problem},
    {.verb = Verb::post,
     .path = "/api/v1/people",
     .tag = "people",
     .summary = "Create a person",
     .about = "Without photos; POST .../faces adds them.",
     .scope = Scope::people_write,
     .lane = Lane::manage,
     .body_limit = 64 * kib,
     .parameters = create_parameters,
     .body = "NewPerson",
     .answers = create_answers,
     .handle = create_person,
     .shape = Shape::problem},
    {.verb = Verb::post,
     .path = "/api/v1/people:merge",
     .tag = "people",
     .summary = "Make one person of two",
     .about = "Photos, attendance and consents of `from` become those of `into`.",
     .scope = Scope::people_write,
     .lane = Lane::manage,
     .body_limit = 4 * kib,
     .parameters = create_parameters,
     .body = "Merge",
     .answers = merge_answers,
     .handle = merge_people,
     .shape = Shape::problem},
    {.verb = Verb::get,
     .path = "/api/v1/people/{id}",
     .tag = "people",
     .summary = "One person",
     .scope = Scope::people_read,
     .lane = Lane::query,
     .parameters = one_parameters,
     .answers = show_answers,
     .handle = show_person,
     .shape = Shape::problem},
    {.verb = Verb::patch,
     .path = "/api/v1/people/{id}",
     .tag = "people",
     .summary = "Change a person",
     .about = "A new name is in force in recognition when the answer arrives. Whoever withdrew consent becomes active "
              "again only after a new one was recorded.",
     .scope = Scope::people_write,
     .lane = Lane::manage,
     .body_limit = 64 * kib,
     .parameters = change_parameters,
     .body = "PersonPatch",
     .answers = change_answers,
     .handle = change_person,
     .shape = Shape::problem},
    {.verb = Verb::remove,
     .path = "/api/v1/people/{id}",
     .tag = "people",
     .summary = "Remove a person",
     .about = "Erases photos and embeddings; with erase also every trace of the NIK, in attendance, in jobs and in the "
              "daily log. left_over names what could not be removed from the disk; the server's log says why.",
     .scope = Scope::people_write,
     .lane = Lane::manage,
     .parameters = remove_parameters,
     .answers = remove_answers,
     .handle = remove_person_v1,
     .shape = Shape::problem},
};

}  // namespace

std::span<const Route> people_routes() { return table; }

}  // namespace wajah::server
