#include "server/api/admin_routes.hpp"
#include "server/api/documented.hpp"
#include "server/api/people.hpp"
#include "server/api/values.hpp"
#include "server/json.hpp"
#include "server/problem.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <charconv>

namespace wajah::server {
namespace json = boost::json;

namespace {

Reply sse_reply(std::shared_ptr<BodySource> source) {
  Reply reply{200, std::string(sse_type), {}, {}};
  reply.source = std::move(source);
  return reply.with("X-Accel-Buffering", "no");
}

Reply system_facts(Site& site, Request&) {
  auto& backend = *site.backend;
  const auto status = backend.service.status();
  const auto load = backend.engine.load();
  return json_reply(
      200, {{"version", site.info.version},
            {"model", status.model},
            {"device", site.device()},
            {"zone", backend.book.options().zone},
            {"time", rfc3339(backend.options.now(), backend.book.options().zone)},
            {"gallery",
             {{"people", status.counts.people},
              {"photos", status.counts.photos},
              {"waiting_people", status.counts.waiting_people},
              {"damaged_photos", status.damaged},
              {"reembedding", status.reembedding}}},
            {"engine",
             {{"recognitions_waiting", load.recognise_waiting},
              {"enrolments_waiting", load.enrol_waiting},
              {"running", load.running}}},
            {"listeners", backend.feed.listeners()},
            {"training_error",
             status.training_error.empty() ? json::value(nullptr) : json::value(status.training_error)}});
}

json::object model_json(const ModelFacts& model, bool active) {
  return {{"id", model.id},
          {"active", active},
          {"licence", model.licence.empty() ? json::value(nullptr) : json::value(model.licence)},
          {"dimension", model.dimension > 0 ? json::value(model.dimension) : json::value(nullptr)},
          {"about", model.about}};
}

Reply list_models(Site& site, Request&) {
  json::array items{model_json(site.backend->options.model, true)};
  return json_reply(200, {{"items", std::move(items)}, {"next_cursor", nullptr}});
}

// Embeddings of different models never meet, so another model is a matter of a start, not of a request.
Reply activate_model(Site& site, Request& request) {
  const auto& model = site.backend->options.model;
  if (request.path.find("id")->second == model.id) return json_reply(200, model_json(model, true));
  throw Problem("conflict",
                "Another model needs a start with its --weights; kept pictures are embedded again in the background.");
}

Reply train(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto job = backend.job_runner.start("train", 1, [&backend](const JobRunner::Progress& progress) {
    backend.service.reload();
    progress(1, 1);
    const auto counts = backend.service.status().counts;
    return json::object{{"people", counts.people}, {"photos", counts.photos}};
  });
  audit(backend, request, "train", std::nullopt, id_text('j', job.id));
  const auto place = "/api/v1/jobs/" + id_text('j', job.id);
  return json_reply(202, job_json(job, backend.book.options().zone)).with("Location", place);
}

// Whoever may bring people in sees how far that is; all other jobs are the administrator's.
attendance::JobRecord the_job(Backend& backend, const Request& request) {
  require_all_sites(request);
  const auto id = parse_id('j', request.path.find("id")->second);
  auto job = id ? backend.jobs.job(*id) : std::nullopt;
  const bool theirs = job && (job->kind == "import" || request.caller.scopes.has(Scope::admin));
  if (!theirs) throw Problem("not_found", "There is no such job.");
  return std::move(*job);
}

Reply list_jobs(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto limit = static_cast<std::size_t>(integer_in(request.query, "limit").value_or(50));
  json::array items;
  for (const auto& job : backend.jobs.jobs(limit)) items.push_back(job_json(job, backend.book.options().zone));
  return json_reply(200, {{"items", std::move(items)}, {"next_cursor", nullptr}});
}

Reply show_job(Site& site, Request& request) {
  auto& backend = *site.backend;
  return json_reply(200, job_json(the_job(backend, request), backend.book.options().zone));
}

bool has_ended(std::string_view state) { return state != "queued" && state != "running"; }

// One body that says how the job stands, for a job that has ended already.
class SaidOnce final : public BodySource {
 public:
  explicit SaidOnce(std::string text) : text_(std::move(text)) {}
  Piece next() override { return {std::exchange(text_, {}), true}; }
  void on_news(std::function<void()>) override {}

 private:
  std::string text_;
};

Reply job_events(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto id = id_text('j', the_job(backend, request).id);
  auto source = backend.feed.listen([id](std::string_view event, std::string_view data) {
    if (event != job_event) return Feed::Wish::skip;
    const auto job = json::parse(data);
    if (job.at("id").as_string() != id) return Feed::Wish::skip;
    return has_ended(job.at("state").as_string()) ? Feed::Wish::take_and_end : Feed::Wish::take;
  });
  // Looked at after listening has begun, so that an end in between is not missed.
  const auto now = the_job(backend, request);
  if (!has_ended(name_of(now.state))) return sse_reply(std::move(source));
  return sse_reply(
      std::make_shared<SaidOnce>(sse_event(job_event, to_text(job_json(now, backend.book.options().zone)))));
}

// The person that an event is about, if they are here.
std::optional<attendance::PersonRecord> person_of(const Backend& backend, std::string_view data) {
  const auto message = json::parse(data);
  const auto& about = message.at("data").as_object();
  const auto* person = about.if_contains("person");
  const auto* id = person ? person->as_object().if_contains("id") : about.if_contains("id");
  const auto number = id ? parse_id('p', id->as_string()) : std::nullopt;
  return number ? backend.people.person(*number) : std::nullopt;
}

// What a caller may hear: attendance and people of the own site, and people only with people:read.
Feed::Wish wish_of(const Backend& backend, const Caller& caller, std::string_view event, std::string_view data) {
  if (event == job_event) return Feed::Wish::skip;
  const bool of_people = event.starts_with("person.") || event.starts_with("people.");
  if (of_people && !caller.scopes.has(Scope::people_read)) return Feed::Wish::skip;
  if (!caller.site) return Feed::Wish::take;
  if (of_people) {
    const auto person = person_of(backend, data);
    return person && may_see(caller, *person) ? Feed::Wish::take : Feed::Wish::skip;
  }
  const auto message = json::parse(data);
  const auto* site = message.at("data").as_object().if_contains("site");
  return site && site->as_string() == *caller.site ? Feed::Wish::take : Feed::Wish::skip;
}

Reply live_events(Site& site, Request& request) {
  auto& backend = *site.backend;
  return sse_reply(
      backend.feed.listen([&backend, caller = request.caller](std::string_view event, std::string_view data) {
        return wish_of(backend, caller, event, data);
      }));
}

std::string hex(const attendance::Digest& digest) {
  std::string text;
  for (const auto byte : digest) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

json::object audit_json(const attendance::AuditRow& row, std::string_view zone) {
  return {{"id", row.id},
          {"at", rfc3339(row.event.at, zone)},
          {"actor", row.event.actor},
          {"action", row.event.action},
          {"person", row.event.person ? json::value(id_text('p', *row.event.person)) : json::value(nullptr)},
          {"subject", row.event.subject},
          {"detail", row.erased ? json::value(json::object{}) : json::parse(row.event.detail)},
          {"erased", row.erased},
          {"hash", hex(row.hash)}};
}

Reply list_audit(Site& site, Request& request) {
  require_all_sites(request);
  auto& backend = *site.backend;
  const auto list = list_name("/audit", request.query);
  attendance::AuditQuery query;
  query.from = time_in(request.query, "from");
  query.to = time_in(request.query, "to");
  query.action = text_or(request.query, "action", "");
  query.actor = text_or(request.query, "actor", "");
  if (const auto person = text_in(request.query, "person")) query.person = parse_id('p', *person).value_or(0);
  const auto position = backend.cursors.read(list, text_or(request.query, "cursor", ""));
  if (!position.empty()) query.before = parse_id('r', position);
  query.limit = static_cast<std::size_t>(integer_in(request.query, "limit").value_or(50));
  const auto rows = backend.audit.rows(query);
  json::array items;
  for (const auto& row : rows) items.push_back(audit_json(row, backend.book.options().zone));
  json::object body{{"items", std::move(items)}, {"next_cursor", nullptr}};
  if (rows.size() == query.limit && rows.back().id > 1) {
    body["next_cursor"] = backend.cursors.sign(list, id_text('r', rows.back().id));
  }
  return json_reply(200, body);
}

Reply verify_audit(Site& site, Request&) {
  const auto verdict = site.backend->audit.verify();
  return json_reply(200, {{"intact", !verdict.broken_at},
                          {"rows", verdict.rows},
                          {"broken_at", verdict.broken_at ? json::value(*verdict.broken_at) : json::value(nullptr)},
                          {"head", {{"id", verdict.head.id}, {"hash", hex(verdict.head.hash)}}}});
}

constexpr NamedSchema schemas[] = {
    {"System", R"({"type":"object","required":["version","model","device","zone","time","gallery","engine",
      "listeners","training_error"],"properties":{"version":{"type":"string"},"model":{"type":"string"},
      "device":{"type":"string"},"zone":{"type":"string"},"time":{"type":"string","format":"date-time"},
      "gallery":{"type":"object","required":["people","photos","waiting_people","damaged_photos","reembedding"],
      "properties":{"people":{"type":"integer"},"photos":{"type":"integer"},"waiting_people":{"type":"integer"},
      "damaged_photos":{"type":"integer"},"reembedding":{"type":"boolean"}},"additionalProperties":false},
      "engine":{"type":"object","required":["recognitions_waiting","enrolments_waiting","running"],"properties":{
      "recognitions_waiting":{"type":"integer"},"enrolments_waiting":{"type":"integer"},
      "running":{"type":"integer"}},"additionalProperties":false},
      "listeners":{"type":"integer"},"training_error":{"type":["string","null"]}},"additionalProperties":false})"},
    {"Model", R"({"type":"object","required":["id","active","licence","dimension","about"],"properties":{
      "id":{"type":"string"},"active":{"type":"boolean"},"licence":{"type":["string","null"]},
      "dimension":{"type":["integer","null"]},"about":{"type":"string"}},"additionalProperties":false})"},
    {"Models", R"({"type":"object","required":["items","next_cursor"],"properties":{"items":{"type":"array",
      "items":{"$ref":"#/components/schemas/Model"}},"next_cursor":{"type":"null"}},"additionalProperties":false})"},
    {"Job", R"({"type":"object","required":["id","kind","state","done","total","result","created_at","updated_at"],
      "properties":{"id":{"type":"string"},"kind":{"type":"string"},
      "state":{"type":"string","enum":["queued","running","done","failed","cancelled"]},"done":{"type":"integer"},
      "total":{"type":"integer"},"result":{"type":"object"},"created_at":{"type":"string","format":"date-time"},
      "updated_at":{"type":"string","format":"date-time"}},"additionalProperties":false})"},
    {"Jobs", R"({"type":"object","required":["items","next_cursor"],"properties":{"items":{"type":"array",
      "items":{"$ref":"#/components/schemas/Job"}},"next_cursor":{"type":"null"}},"additionalProperties":false})"},
    {"AuditRow", R"({"type":"object","required":["id","at","actor","action","person","subject","detail","erased",
      "hash"],"properties":{"id":{"type":"integer"},"at":{"type":"string","format":"date-time"},
      "actor":{"type":"string"},"action":{"type":"string"},"person":{"type":["string","null"]},
      "subject":{"type":"string"},"detail":{"type":"object"},
      "erased":{"type":"boolean","description":"its texts went with the person; the chain still holds"},
      "hash":{"type":"string"}},"additionalProperties":false})"},
    {"AuditPage", R"({"type":"object","required":["items","next_cursor"],"properties":{"items":{"type":"array",
      "items":{"$ref":"#/components/schemas/AuditRow"}},"next_cursor":{"type":["string","null"]}},
      "additionalProperties":false})"},
    {"AuditVerdict", R"({"type":"object","required":["intact","rows","broken_at","head"],"properties":{
      "intact":{"type":"boolean"},"rows":{"type":"integer"},"broken_at":{"type":["integer","null"]},
      "head":{"type":"object","required":["id","hash"],"properties":{"id":{"type":"integer"},
      "hash":{"type":"string"}},"additionalProperties":false}},"additionalProperties":false})"},
};

constexpr Parameter job_parameters[] = {{Where::path, "id", "Of the job: j_5", R"({"type":"string","maxLength":40})", true}};
constexpr Parameter model_parameters[] = {
    {Where::path, "id", "Of the model", R"({"type":"string","maxLength":200})", true}};
constexpr Parameter jobs_parameters[] = {limit_parameter};
constexpr Parameter audit_parameters[] = {
    {Where::query, "from", "From this time on", R"({"type":"string","format":"date-time"})"},
    {Where::query, "to", "Before this time", R"({"type":"string","format":"date-time"})"},
    {Where::query, "person", "p_12", R"({"type":"string","maxLength":40})"},
    {Where::query, "action", "person.change, key.issue, ...", R"({"type":"string","maxLength":64})"},
    {Where::query, "actor", "Who did it", R"({"type":"string","maxLength":128})"},
    limit_parameter,
    cursor_parameter,
};

constexpr Answer system_answers[] = {ok("System")};
constexpr Answer models_answers[] = {ok("Models", "With their licences")};
constexpr Answer activate_answers[] = {ok("Model", "It is the active one"), problem(409, "It needs a start")};
constexpr Answer train_answers[] = {{202, "Begun; Location names the job", json_type, "Job"}};
constexpr Answer jobs_answers[] = {ok("Jobs", "Newest first")};
constexpr Answer job_answers[] = {ok("Job"), no_such};
constexpr Answer job_events_answers[] = {{200, "job.progress events until the job has ended", sse_type, ""}, no_such};
constexpr Answer events_answers[] = {{200, "Events as they happen", sse_type, ""}};
constexpr Answer audit_answers[] = {ok("AuditPage", "Newest first"), wrong_values};
constexpr Answer verdict_answers[] = {ok("AuditVerdict", "Whether the chain of hashes holds")};

constexpr Route reading(std::string_view path, std::string_view title, std::string_view about, Scope scope,
                        std::span<const Parameter> parameters, std::span<const Answer> answers,
                        Reply (*handle)(Site&, Request&)) {
  return {.path = path,
          .tag = "administration",
          .summary = title,
          .about = about,
          .scope = scope,
          .lane = Lane::query,
          .parameters = parameters,
          .answers = answers,
          .handle = handle,
          .shape = Shape::problem};
}

constexpr Route table[] = {
    reading("/api/v1/system", "The machine and the gallery", "", Scope::admin, {}, system_answers, system_facts),
    reading("/api/v1/models", "Models", "", Scope::admin, {}, models_answers, list_models),
    {.verb = Verb::post,
     .path = "/api/v1/models/{id}:activate",
     .tag = "administration",
     .summary = "Use a model",
     .scope = Scope::admin,
     .lane = Lane::manage,
     .parameters = model_parameters,
     .answers = activate_answers,
     .handle = activate_model,
     .shape = Shape::problem},
    {.verb = Verb::post,
     .path = "/api/v1/train",
     .tag = "administration",
     .summary = "Train again from the store",
     .scope = Scope::admin,
     .lane = Lane::manage,
     .answers = train_answers,
     .handle = train,
     .shape = Shape::problem},
    reading("/api/v1/jobs", "Jobs", "", Scope::admin, jobs_parameters, jobs_answers, list_jobs),
    reading("/api/v1/jobs/{id}", "One job", "Others than imports are told to administrators alone.",
            Scope::people_write, job_parameters, job_answers, show_job),
    reading("/api/v1/jobs/{id}/events", "A job's progress, live", "Server-sent events.", Scope::people_write,
            job_parameters, job_events_answers, job_events),
    reading("/api/v1/events", "What happens, live",
            "Server-sent events of {event, at, data}: attendance.recorded, attendance.corrected, and with people:read "
            "person.* and people.imported. A key of one site hears of that site.",
            Scope::attendance_read, {}, events_answers, live_events),
    reading("/api/v1/audit", "Who did what", "Of all sites: not for keys of one.", Scope::privacy, audit_parameters,
            audit_answers, list_audit),
    reading("/api/v1/audit/verify", "Check the audit log", "", Scope::privacy, {}, verdict_answers, verify_audit),
};

}  // namespace

std::span<const Route> machine_routes() { return table; }
std::span<const NamedSchema> machine_schemas() { return schemas; }

}  // namespace wajah::server
