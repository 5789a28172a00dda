#include "server/openapi.hpp"

#include "server/body_schema.hpp"
#include "server/schemas.hpp"
#include "server/text.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace wajah::server {
namespace json = boost::json;

namespace {

json::object media(json::object schema) { return {{"schema", std::move(schema)}}; }

json::object reference(std::string_view name) { return {{"$ref", fmt::format("#/components/schemas/{}", name)}}; }

json::object request_body(const Route& route) {
  if (!route.body.empty()) {
    return {{"required", true}, {"content", {{"application/json", media(reference(route.body))}}}};
  }
  const auto form = fields_schema(route, BodyForm::form);
  json::object content{{"multipart/form-data", media(form)}};
  if (!takes_files(route)) content["application/x-www-form-urlencoded"] = media(form);
  if (route.shape == Shape::problem) {
    if (takes_json(route)) content["application/json"] = media(fields_schema(route, BodyForm::json));
    if (const auto* file = file_alone(route)) {
      content[type_alone(*file)] = media({{"type", "string"}, {"format", "binary"}});
    }
  }
  return {{"required", true}, {"content", content}};
}

std::string_view name_of(Where where) {
  switch (where) {
    case Where::path: return "path";
    case Where::query: return "query";
    case Where::header: return "header";
  }
  return "query";
}

json::object parameter_json(const Parameter& parameter) {
  return {{"name", parameter.name},
          {"in", name_of(parameter.where)},
          {"required", parameter.required || parameter.where == Where::path},
          {"description", parameter.about},
          {"schema", json::parse(parameter.schema)}};
}

// Those of the table, values of the path that it says nothing about, and with a body the id that callers may give.
json::array parameters(const Route& route) {
  constexpr Parameter request_id{Where::header, "X-Request-Id",
                                 "The caller's own id of the request, for the answer's header and the log"};
  json::array result;
  for (const auto& parameter : route.parameters) result.push_back(parameter_json(parameter));
  const auto declared = [&](std::string_view name) {
    return std::ranges::any_of(route.parameters, [&](const Parameter& p) { return p.name == name; });
  };
  for (auto at = route.path.find('{'); at != std::string_view::npos; at = route.path.find('{', at + 1)) {
    const auto name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
    if (!declared(name)) result.push_back(parameter_json({Where::path, name, ""}));
  }
  if (route.takes_body()) result.push_back(parameter_json(request_id));
  return result;
}

json::object responses(const Route& route) {
  json::object result;
  for (const auto& answer : route.answers) {
    json::object described{{"description", answer.about}};
    if (!answer.content_type.empty()) {
      described["content"] =
          json::object{{answer.content_type, answer.schema.empty() ? json::object() : media(reference(answer.schema))}};
    }
    result[std::to_string(answer.status)] = std::move(described);
  }
  if (route.shape == Shape::problem) {
    result["default"] = json::object{{"description", "Refused: no key, too large, busy, a fault of the server, ..."},
                                     {"content", {{"application/problem+json", media(reference("Problem"))}}}};
  }
  return result;
}

// The path as the original service names it: its three routes end in a slash.
std::string documented_path(const Route& route) {
  const bool original = route.shape != Shape::problem && route.takes_body();
  return fmt::format("{}{}", route.path, original ? "/" : "");
}

// "get_api_v1_people_id": what generated clients call the operation.
std::string operation_id(const Route& route) {
  auto id = to_lower(server::name_of(route.verb));
  for (const char c : route.path) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (word) {
      id += c;
    } else if (!id.ends_with('_') && c != '}') {
      id += '_';
    }
  }
  return id;
}

json::object operation(const Route& route) {
  json::object result{
      {"tags", json::array{json::value(route.tag)}}, {"summary", route.summary}, {"operationId", operation_id(route)}};
  if (!route.about.empty()) result["description"] = route.about;
  if (auto values = parameters(route); !values.empty()) result["parameters"] = std::move(values);
  if (route.takes_body()) result["requestBody"] = request_body(route);
  if (route.scope != Scope::open) {
    const json::array scopes{json::value(server::name_of(route.scope))};
    result["security"] = json::array{json::object{{"bearer", scopes}}, json::object{{"api_key", scopes}}};
  }
  result["responses"] = responses(route);
  return result;
}

}  // namespace

json::object openapi_document(std::span<const Route> table, const SiteInfo& info) {
  json::object paths;
  for (const auto& route : table) {
    auto& path = paths[documented_path(route)];
    if (path.is_null()) path.emplace_object();
    path.as_object()[to_lower(server::name_of(route.verb))] = operation(route);
  }
  json::object components;
  for (const auto& [name, schema] : all_schemas()) components[name] = schema;
  const json::object security{
      {"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"description", "Authorization: Bearer wjh_<id>_<secret>"}}},
      {"api_key", {{"type", "apiKey"}, {"in", "header"}, {"name", "x-api-key"}}}};
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "wajah"},
            {"version", info.version},
            {"summary", "Face recognition and attendance"},
            {"license", {{"name", "MIT"}, {"identifier", "MIT"}}}}},
          {"paths", paths},
          {"components", {{"schemas", components}, {"securitySchemes", security}}}};
}

}  // namespace wajah::server
