#include "server/api/admin_routes.hpp"
#include "server/api/documented.hpp"
#include "server/api/people.hpp"
#include "server/api/values.hpp"
#include "server/api/webhook_worker.hpp"
#include "server/problem.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace wajah::server {
namespace json = boost::json;
using attendance::DeliveryState;
using attendance::Webhook;

namespace {

json::object webhook_json(const Webhook& webhook, std::string_view zone) {
  json::array events;
  for (const auto& event : webhook.events) events.push_back(json::value(event));
  return {{"id", id_text('w', webhook.id)},
          {"url", webhook.url},
          {"events", std::move(events)},
          {"active", webhook.active},
          {"created_at", rfc3339(webhook.created_at, zone)}};
}

std::vector<std::string> events_of(const json::value& value) {
  std::vector<std::string> events;
  for (const auto& event : value.as_array()) events.emplace_back(event.as_string());
  return events;
}

std::int64_t webhook_id(const Request& request) {
  const auto id = parse_id('w', request.path.find("id")->second);
  if (!id) throw Problem("not_found", "There is no such webhook.");
  return *id;
}

std::string checked_url(std::string url) {
  const auto fault = fault_of_url(url);
  if (!fault) return url;
  throw Problem("validation_failed", "The URL cannot be used: " + *fault,
                {error_entry({"body", "url"}, *fault, "url_parsing")});
}

Reply list_webhooks(Site& site, Request&) {
  auto& backend = *site.backend;
  json::array items;
  for (const auto& webhook : backend.webhooks.webhooks()) {
    items.push_back(webhook_json(webhook, backend.book.options().zone));
  }
  return json_reply(200, {{"items", std::move(items)}, {"next_cursor", nullptr}});
}

Reply add_webhook(Site& site, Request& request) {
  auto& backend = *site.backend;
  Webhook webhook;
  webhook.url = checked_url(text_or(request.body, "url", ""));
  webhook.secret = text_in(request.body, "secret").value_or("whsec_" + attendance::random_hex(32));
  webhook.events =
      request.body.contains("events") ? events_of(request.body.at("events")) : std::vector<std::string>{"*"};
  webhook.active = flag_in(request.body, "active").value_or(true);
  webhook.created_at = backend.options.now();
  const auto made = backend.webhooks.add(webhook);
  audit(backend, request, "webhook.create", std::nullopt, id_text('w', made.id));
  auto body = webhook_json(made, backend.book.options().zone);
  body["secret"] = made.secret;
  auto reply = json_reply(201, body);
  reply.secret = true;
  return reply;
}

Reply change_webhook(Site& site, Request& request) {
  auto& backend = *site.backend;
  attendance::WebhookChange change;
  if (auto url = text_in(request.body, "url")) change.url = checked_url(std::move(*url));
  change.secret = text_in(request.body, "secret");
  change.active = flag_in(request.body, "active");
  if (request.body.contains("events")) change.events = events_of(request.body.at("events"));
  const auto changed = backend.webhooks.update(webhook_id(request), change);
  if (!changed) throw Problem("not_found", "There is no such webhook.");
  audit(backend, request, "webhook.change", std::nullopt, id_text('w', changed->id));
  return json_reply(200, webhook_json(*changed, backend.book.options().zone));
}

Reply remove_webhook(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto id = webhook_id(request);
  if (!backend.webhooks.remove(id)) throw Problem("not_found", "There is no such webhook.");
  audit(backend, request, "webhook.remove", std::nullopt, id_text('w', id));
  return empty_reply();
}

std::string_view name_of(DeliveryState state) {
  switch (state) {
    case DeliveryState::waiting: return "waiting";
    case DeliveryState::delivered: return "delivered";
    case DeliveryState::given_up: return "given_up";
  }
  return "waiting";
}

Reply list_deliveries(Site& site, Request& request) {
  auto& backend = *site.backend;
  const auto& zone = backend.book.options().zone;
  const auto limit = static_cast<std::size_t>(integer_in(request.query, "limit").value_or(50));
  const auto id = webhook_id(request);
  const auto known = backend.webhooks.webhooks();
  if (std::ranges::find(known, id, &Webhook::id) == known.end()) {
    throw Problem("not_found", "There is no such webhook.");
  }
  json::array items;
  for (const auto& delivery : backend.webhooks.deliveries(id, limit)) {
    items.push_back(json::object{{"id", delivery.id},
                                 {"event", delivery.event},
                                 {"state", name_of(delivery.state)},
                                 {"attempts", delivery.attempts},
                                 {"next_at", rfc3339(delivery.next_at, zone)},
                                 {"created_at", rfc3339(delivery.created_at, zone)},
                                 {"error", delivery.error}});
  }
  return json_reply(200, {{"items", std::move(items)}, {"next_cursor", nullptr}});
}

constexpr NamedSchema schemas[] = {
    {"Webhook", R"({"type":"object","required":["id","url","events","active","created_at"],"properties":{
      "id":{"type":"string"},"url":{"type":"string"},"events":{"type":"array","items":{"type":"string"}},
      "active":{"type":"boolean"},"created_at":{"type":"string","format":"date-time"}},
      "additionalProperties":false})"},
    {"Webhooks", R"({"type":"object","required":["items","next_cursor"],"properties":{"items":{"type":"array",
      "items":{"$ref":"#/components/schemas/Webhook"}},"next_cursor":{"type":"null"}},"additionalProperties":false})"},
    {"WebhookEvents", R"({"type":"array","minItems":1,"maxItems":16,"items":{"type":"string","enum":["*",
      "attendance.recorded","attendance.corrected","person.created","person.changed","person.enrolled",
      "person.removed","person.merged","people.imported"]}})"},
    {"NewWebhook", R"({"type":"object","required":["url"],"properties":{
      "url":{"type":"string","maxLength":500,"pattern":"^https?://[^/ ]","description":"without a name, a password or a part after #"},
      "events":{"$ref":"#/components/schemas/WebhookEvents"},
      "secret":{"type":"string","minLength":16,"maxLength":200,"description":"made if not given"},
      "active":{"type":"boolean"}},"additionalProperties":false})"},
    {"MadeWebhook", R"({"type":"object","required":["id","url","events","active","created_at","secret"],"properties":{
      "id":{"type":"string"},"url":{"type":"string"},"events":{"type":"array","items":{"type":"string"}},
      "active":{"type":"boolean"},"created_at":{"type":"string","format":"date-time"},
      "secret":{"type":"string","description":"signs X-Wajah-Signature; told this once"}},
      "additionalProperties":false})"},
    {"WebhookPatch", R"({"type":"object","properties":{
      "url":{"type":"string","maxLength":500,"pattern":"^https?://[^/ ]","description":"without a name, a password or a part after #"},
      "events":{"$ref":"#/components/schemas/WebhookEvents"},
      "secret":{"type":"string","minLength":16,"maxLength":200},"active":{"type":"boolean"}},
      "additionalProperties":false})"},
    {"Delivery", R"({"type":"object","required":["id","event","state","attempts","next_at","created_at","error"],
      "properties":{"id":{"type":"integer"},"event":{"type":"string"},
      "state":{"type":"string","enum":["waiting","delivered","given_up"]},"attempts":{"type":"integer"},
      "next_at":{"type":"string","format":"date-time"},"created_at":{"type":"string","format":"date-time"},
      "error":{"type":"string"}},"additionalProperties":false})"},
    {"Deliveries", R"({"type":"object","required":["items","next_cursor"],"properties":{"items":{"type":"array",
      "items":{"$ref":"#/components/schemas/Delivery"}},"next_cursor":{"type":"null"}},"additionalProperties":false})"},
};

constexpr Parameter post_parameters[] = {idempotency_parameter};
constexpr Parameter id_parameter{Where::path, "id", "Of the webhook: w_3", R"({"type":"string","maxLength":40})", true};
constexpr Parameter id_parameters[] = {id_parameter};
constexpr Parameter deliveries_parameters[] = {id_parameter, limit_parameter};
constexpr Answer list_answers[] = {ok("Webhooks")};
constexpr Answer add_answers[] = {created("MadeWebhook", "Told of events from now on"), wrong_values};
constexpr Answer change_answers[] = {ok("Webhook"), no_such, wrong_values};
constexpr Answer remove_answers[] = {nothing("Removed, with what it had yet to hear"), no_such};
constexpr Answer deliveries_answers[] = {ok("Deliveries", "Newest first"), no_such};

constexpr Route webhook_route(Verb verb, std::string_view path, std::string_view title, std::string_view about,
                              std::string_view body, std::span<const Parameter> parameters,
                              std::span<const Answer> answers, Reply (*handle)(Site&, Request&)) {
  return {.verb = verb,
          .path = path,
          .tag = "administration",
          .summary = title,
          .about = about,
          .scope = Scope::admin,
          .lane = verb == Verb::get ? Lane::query : Lane::manage,
          .body_limit = body.empty() ? 0 : 8 * kib,
          .parameters = parameters,
          .body = body,
          .answers = answers,
          .handle = handle,
          .shape = Shape::problem};
}

constexpr Route table[] = {
    webhook_route(Verb::get, "/api/v1/webhooks", "Webhooks", "", "", {}, list_answers, list_webhooks),
    webhook_route(Verb::post, "/api/v1/webhooks", "Add a webhook",
                  "Each event is a POST of {event, at, data} with X-Wajah-Event, X-Wajah-Delivery and "
                  "X-Wajah-Signature: t=<seconds>,v1=<hex of HMAC-SHA-256 of '<seconds>.<body>'>. Whatever is not "
                  "answered with 2xx is sent again with growing pauses for a day and a half, so the same delivery may "
                  "come twice.",
                  "NewWebhook", post_parameters, add_answers, add_webhook),
    webhook_route(Verb::patch, "/api/v1/webhooks/{id}", "Change a webhook", "", "WebhookPatch", id_parameters,
                  change_answers, change_webhook),
    webhook_route(Verb::remove, "/api/v1/webhooks/{id}", "Remove a webhook", "", "", id_parameters, remove_answers,
                  remove_webhook),
    webhook_route(Verb::get, "/api/v1/webhooks/{id}/deliveries", "What a webhook was told", "", "",
                  deliveries_parameters, deliveries_answers, list_deliveries),
};

}  // namespace

std::span<const Route> webhook_routes() { return table; }
std::span<const NamedSchema> webhook_schemas() { return schemas; }

}  // namespace wajah::server
