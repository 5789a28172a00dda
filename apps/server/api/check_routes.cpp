#include "attendance/identify.hpp"
#include "server/api/attendance_json.hpp"
#include "server/api/attendance_routes.hpp"
#include "server/api/documented.hpp"
#include "server/api/looking.hpp"
#include "server/api/people.hpp"
#include "server/api/values.hpp"
#include "server/problem.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <charconv>
#include <chrono>

namespace wajah::server {
namespace json = boost::json;
using attendance::Checked;
using attendance::CheckIn;
using attendance::Identity;

namespace {

// How long a door may have been without the server.
constexpr std::chrono::hours longest_offline{72};

// A key of one site acts there and nowhere else.
std::string site_of(const Request& request, std::string_view asked) {
  const auto& bound = request.caller.site;
  if (!bound) return std::string(asked);
  if (!asked.empty() && asked != *bound) {
    throw Problem("wrong_site", fmt::format("The key belongs to the site {}.", *bound));
  }
  return *bound;
}

// A time other than now makes attendance of any day, so it is not a door's to give: it takes a key that may also read
// the book, and bounds.
std::optional<attendance::Time> time_of_check(const Backend& backend, const Request& request) {
  using namespace std::chrono_literals;
  const auto at = time_in(request.body, "at");
  if (!at) return std::nullopt;
  if (!request.caller.scopes.has(Scope::attendance_read)) {
    throw Problem("scope_missing", "`at` needs the scope attendance:read; without it the server's time is recorded.");
  }
  const auto now = backend.options.now();
  if (*at > now && *at <= now + 1min) return std::nullopt;  // clocks differ a little
  if (*at >= now - longest_offline && *at <= now) return at;
  const auto detail = fmt::format("expected a time of the last {} hours, up to now", longest_offline / 1h);
  throw Problem("validation_failed", fmt::format("at: {}", detail),
                {error_entry({"body", "at"}, detail, "value_error")});
}

std::optional<attendance::Direction> direction_in(const json::object& body) {
  return attendance::parse_direction(text_or(body, "direction", "auto"));
}

// Who stands there: the claimed person or nobody for a claim, else whoever is found. A NIK that nobody has looks like
// one whose face does not fit.
Identity who(Backend& backend, const Request& request, std::span<const float> embedding) {
  const auto nik = text_in(request.body, "nik");
  const auto gallery = backend.service.gallery();
  const auto& rules = backend.service.options();
  if (!nik) return attendance::identify(*gallery, embedding, rules);
  const auto person = backend.people.person_with(*nik);
  if (!person) return {};
  const auto claim = attendance::verify_claim(*gallery, person->person.id, embedding, rules);
  Identity identity;
  identity.similarity = claim.similarity;
  identity.confidence = claim.confidence;
  if (claim.accepted) {
    identity.finding = attendance::Finding::known;
    identity.person = person->person;
  }
  return identity;
}

CheckIn check_in(const Request& request, const Identity& identity, std::optional<attendance::Time> at) {
  CheckIn check;
  check.person = identity.person->id;
  check.site = site_of(request, text_or(request.body, "site", ""));
  check.direction = direction_in(request.body);
  check.source = request.body.contains("nik") ? attendance::Source::claim : attendance::Source::face;
  check.similarity = identity.similarity;
  check.at = at;
  if (check.at) check.source = attendance::Source::kiosk;
  check.actor = request.caller.name;
  check.idempotency_key = request.headers.get("idempotency-key");
  return check;
}

bool is_new(const Checked& checked) { return !checked.duplicate && !checked.replayed; }

void announce(Backend& backend, const Checked& checked, const attendance::Calendar& calendar) {
  if (!is_new(checked)) return;
  const auto person = checked.event.person ? std::optional(checked.event.person->id) : std::nullopt;
  backend.announce("attendance.recorded", checked_json(checked, calendar), person);
}

Reply check(Site& site, Request& request) {
  auto& backend = *site.backend;
  (void)backend.book.site(site_of(request, text_or(request.body, "site", "")));
  const auto at = time_of_check(backend, request);
  const auto look = look_at(site, request, "image");
  const auto identity = who(backend, request, only_face(look, "image").embedding);
  const bool known = identity.finding == attendance::Finding::known;
  // Whether a NIK is somebody's must not show in how alike a wrong face is.
  const bool told = known || !request.body.contains("nik");
  json::object body{{"event", nullptr},
                    {"matched", known},
                    {"decision", attendance::name_of(identity.finding)},
                    {"similarity", told ? rounded(identity.similarity, 4) : 0.0},
                    {"confidence", told ? rounded(identity.confidence, 4) : 0.0},
                    {"message", not_recognised()}};
  bool made = false;
  if (known) {
    const auto checked = backend.book.check(check_in(request, identity, at));
    const auto calendar = backend.book.calendar();
    body["event"] = checked_json(checked, *calendar);
    body["message"] = greeting(checked.event);
    announce(backend, checked, *calendar);
    made = is_new(checked);
  }
  auto reply = json_reply(made ? 201 : 200, body);
  reply.timings = stages(look.analysis.times);
  return reply;
}

attendance::EventFilter event_filter(Backend& backend, const Request& request) {
  const auto& query = request.query;
  attendance::EventFilter filter;
  filter.from = date_in(query, "from");
  filter.to = date_in(query, "to");
  filter.all = !flag_in(query, "counting").value_or(false);
  if (const auto id = text_in(query, "person")) {
    const auto person = find_person(backend, *id);
    if (!person) throw Problem("person_unknown", "Nobody has this id.");
    filter.person = person->person.id;
  }
  const auto code = site_of(request, text_or(query, "site", ""));
  if (!code.empty()) filter.site = backend.book.site(code).id;
  filter.group = text_in(query, "group");
  return filter;
}

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Reply list_events(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto list = list_name("/events", request.query);
  const auto after = number_of(backend.cursors.read(list, text_or(request.query, "cursor", "")));
  const auto limit = static_cast<std::size_t>(integer_in(request.query, "limit").value_or(50));
  const auto events = backend.book.events(event_filter(backend, request), after, limit + 1);
  const auto calendar = backend.book.calendar();
  json::array items;
  for (std::size_t i = 0; i < std::min(limit, events.size()); ++i) items.push_back(event_json(events[i], *calendar));
  json::object body{{"items", std::move(items)}, {"next_cursor", nullptr}};
  if (events.size() > limit) body["next_cursor"] = backend.cursors.sign(list, std::to_string(events[limit - 1].id));
  return json_reply(200, body);
}

attendance::EventId event_id(const Request& request) {
  const auto& text = request.path.find("id")->second;
  if (const auto id = parse_id('e', text)) return *id;
  throw Problem("not_found", fmt::format("There is no event {}.", header_text(text)));
}

// To a caller of one site there are no events of others.
attendance::Event the_event(Backend& backend, const Request& request) {
  const auto event = backend.book.event(event_id(request));
  const auto& bound = request.caller.site;
  if (event && (!bound || backend.book.site(*bound).id == event->site)) return *event;
  throw Problem("not_found", "There is no such event.");
}

Reply show_event(Site& site, Request& request) {
  auto& backend = *site.backend;
  return json_reply(200, event_json(the_event(backend, request), *backend.book.calendar()));
}

// Checking in is what a kiosk may do; changing the book is for those who may also read it.
void require_clerk(const Request& request) { require_scope(request, Scope::attendance_read); }

Reply enter_event(Site& site, Request& request) {
  require_clerk(request);
  auto& backend = *site.backend;
  const auto person = find_person(backend, text_or(request.body, "person", ""));
  if (!person) throw Problem("person_unknown", "Nobody has this id.");
  attendance::ManualEntry entry;
  entry.person = person->person.id;
  entry.site = site_of(request, text_or(request.body, "site", ""));
  entry.direction = direction_in(request.body).value_or(attendance::Direction::in);
  entry.at = needed_time(request.body, "at");
  entry.reason = text_or(request.body, "reason", "");
  entry.actor = request.caller.name;
  entry.idempotency_key = request.headers.get("idempotency-key");
  const auto checked = backend.book.enter(entry);
  const auto calendar = backend.book.calendar();
  audit(backend, request, "attendance.enter", person->person.id, person->person.nik,
        {{"event", id_text('e', checked.event.id)}});
  announce(backend, checked, *calendar);
  return json_reply(is_new(checked) ? 201 : 200, checked_json(checked, *calendar));
}

Reply correct_event(Site& site, Request& request) {
  require_clerk(request);
  auto& backend = *site.backend;
  attendance::Correction correction;
  correction.event = the_event(backend, request).id;
  correction.at = time_in(request.body, "at");
  correction.direction = direction_in(request.body);
  if (request.body.contains("site")) correction.site = site_of(request, text_or(request.body, "site", ""));
  correction.strike = flag_in(request.body, "strike").value_or(false);
  correction.reason = text_or(request.body, "reason", "");
  correction.actor = request.caller.name;
  correction.idempotency_key = request.headers.get("idempotency-key");
  const auto checked = backend.book.correct(correction);
  const auto calendar = backend.book.calendar();
  const auto person = checked.event.person ? std::optional(checked.event.person->id) : std::nullopt;
  audit(backend, request, "attendance.correct", person, id_text('e', correction.event),
        {{"by", id_text('e', checked.event.id)}});
  backend.announce("attendance.corrected", checked_json(checked, *calendar), person);
  return json_reply(200, checked_json(checked, *calendar));
}

Reply inside(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto code = site_of(request, text_or(request.query, "site", ""));
  std::optional<attendance::SiteId> where;
  if (!code.empty()) where = backend.book.site(code).id;
  const auto calendar = backend.book.calendar();
  json::array items;
  for (const auto& event : backend.book.inside(where)) items.push_back(event_json(event, *calendar));
  return json_reply(200, {{"items", std::move(items)}, {"next_cursor", nullptr}});
}

constexpr std::string_view direction_schema = R"({"type":"string","enum":["auto","in","out"],"default":"auto"})";
constexpr std::string_view code_schema = R"({"type":"string","maxLength":64})";
constexpr std::string_view date_schema = R"({"type":"string","format":"date"})";

constexpr Field check_fields[] = {
    picture_field,
    {"nik", FieldKind::text, "The NIK that the person claims: then only that person is compared", false,
     R"({"type":"string","maxLength":64})"},
    {"site", FieldKind::text, "Code of the site; a key of one site need not say it", false, code_schema},
    {"direction", FieldKind::text, "auto: in for the first of the business date, out later", false, direction_schema},
    {"at", FieldKind::text, "When, if it was taken down offline within the last 72 hours; needs attendance:read too",
     false, R"({"type":"string","format":"date-time"})"},
};
constexpr Parameter check_parameters[] = {idempotency_parameter};
constexpr Parameter events_parameters[] = {
    {Where::query, "from", "First business date", date_schema},
    {Where::query, "to", "Last business date", date_schema},
    {Where::query, "person", "p_12, or nik:12345", R"({"type":"string","maxLength":80})"},
    {Where::query, "group", "Of those who belonged to this group on the date", R"({"type":"string","maxLength":128})"},
    {Where::query, "site", "Code of the site", code_schema},
    {Where::query, "counting", "Leave out what was struck or corrected", R"({"type":"boolean"})"},
    limit_parameter,
    cursor_parameter,
};
constexpr Parameter event_parameter{Where::path, "id", "Of the event: e_9", R"({"type":"string","maxLength":40})",
                                    true};
constexpr Parameter event_parameters[] = {event_parameter};
constexpr Parameter correct_parameters[] = {event_parameter, idempotency_parameter};
constexpr Parameter inside_parameters[] = {{Where::query, "site", "Code of the site", code_schema}};

constexpr Answer check_answers[] = {ok("Check", "Not recognised, or a repetition: nothing was written"),
                                    created("Check", "Recorded"),
                                    problem(403, "The key belongs to another site, or may not say when"),
                                    problem(404, "There is no such site"),
                                    no_picture,
                                    bad_picture};
constexpr Answer events_answers[] = {ok("EventPage", "By business date, those of a date in the order written"),
                                     problem(400, "The cursor is not of this list"), no_such, wrong_values};
constexpr Answer enter_answers[] = {ok("CheckedEvent", "A repetition of an earlier event"),
                                    created("CheckedEvent", "Written"), problem(403, "Not for kiosks"), no_such,
                                    wrong_values};
constexpr Answer show_answers[] = {ok("Event"), no_such};
constexpr Answer correct_answers[] = {ok("CheckedEvent", "The event that now stands for it"),
                                      problem(403, "Not for kiosks"), no_such, problem(409, "It was corrected already"),
                                      wrong_values};
constexpr Answer inside_answers[] = {ok("EventPage", "The arrivals of those who have not left, oldest first"), no_such};

constexpr Route table[] = {
    {.verb = Verb::post,
     .path = "/api/v1/attendance/check",
     .tag = "attendance",
     .summary = "Check in or out",
     .about = "Recognises the face, or verifies the claimed NIK, and records it. A repetition within the duplicate "
              "window writes nothing.",
     .scope = Scope::attendance_write,
     .lane = Lane::recognise,
     .body_limit = picture_limit,
     .parameters = check_parameters,
     .fields = check_fields,
     .answers = check_answers,
     .handle = check,
     .shape = Shape::problem},
    {.verb = Verb::get,
     .path = "/api/v1/attendance/events",
     .tag = "attendance",
     .summary = "Events",
     .scope = Scope::attendance_read,
     .lane = Lane::query,
     .parameters = events_parameters,
     .answers = events_answers,
     .handle = list_events,
     .shape = Shape::problem},
    {.verb = Verb::post,
     .path = "/api/v1/attendance/events",
     .tag = "attendance",
     .summary = "Enter an event by hand",
     .about = "For whoever could not be recognised; the reason is kept.",
     .scope = Scope::attendance_write,
     .lane = Lane::manage,
     .body_limit = 8 * kib,
     .parameters = check_parameters,
     .body = "NewEvent",
     .answers = enter_answers,
     .handle = enter_event,
     .shape = Shape::problem},
    {.verb = Verb::get,
     .path = "/api/v1/attendance/events/{id}",
     .tag = "attendance",
     .summary = "One event",
     .scope = Scope::attendance_read,
     .lane = Lane::query,
     .parameters = event_parameters,
     .answers = show_answers,
     .handle = show_event,
     .shape = Shape::problem},
    {.verb = Verb::patch,
     .path = "/api/v1/attendance/events/{id}",
     .tag = "attendance",
     .summary = "Correct an event",
     .about = "Writes an event that stands for it; the event itself never changes.",
     .scope = Scope::attendance_write,
     .lane = Lane::manage,
     .body_limit = 8 * kib,
     .parameters = correct_parameters,
     .body = "EventCorrection",
     .answers = correct_answers,
     .handle = correct_event,
     .shape = Shape::problem},
    {.verb = Verb::get,
     .path = "/api/v1/attendance/inside",
     .tag = "attendance",
     .summary = "Who is inside now",
     .about = "For a headcount: everybody who has arrived and not left.",
     .scope = Scope::attendance_read,
     .lane = Lane::query,
     .parameters = inside_parameters,
     .answers = inside_answers,
     .handle = inside,
     .shape = Shape::problem},
};

}  // namespace

std::span<const Route> check_routes() { return table; }

}  // namespace wajah::server
