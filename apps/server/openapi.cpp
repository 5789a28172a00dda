#include "server/openapi.hpp"

#include "server/original_routes.hpp"
#include "server/text.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <map>
#include <string>

namespace wajah::server {
namespace json = boost::json;

namespace {

// JSON Schemas (2020-12) of the answers, as text because that is how schemas are read and checked.
const std::map<std::string_view, std::string_view>& schemas() {
  static const std::map<std::string_view, std::string_view> all{
      {"Any", R"({"type":"object"})"},
      {"Detail", R"({"type":"object","required":["detail"],"properties":{"detail":{"type":"string"}},
        "additionalProperties":false})"},
      {"Failure", R"({"type":"object","required":["success","message"],"properties":{"success":{"const":false},
        "message":{"type":"string"}},"additionalProperties":false})"},
      {"Message", R"({"type":"object","required":["message"],"properties":{"message":{"type":"string"}},
        "additionalProperties":false})"},
      {"DetailOrFailure",
       R"({"anyOf":[{"$ref":"#/components/schemas/Detail"},{"$ref":"#/components/schemas/Failure"}]})"},
      {"DetailOrMessage",
       R"({"anyOf":[{"$ref":"#/components/schemas/Detail"},{"$ref":"#/components/schemas/Message"}]})"},
      {"Missing", R"({"type":"object","required":["detail"],"properties":{"detail":{"type":"array","minItems":1,
        "items":{"type":"object","required":["type","loc","msg","input"],"properties":{"type":{"const":"missing"},
        "loc":{"type":"array","items":{"type":"string"}},"msg":{"type":"string"},"input":{"type":"null"}}}}}})"},
      {"Success", R"({"type":"object","required":["success","message"],"properties":{"success":{"const":true},
        "message":{"type":"string"}},"additionalProperties":false})"},
      {"Removal", R"({"type":"object","required":["success","message"],"properties":{"success":{"type":"boolean"},
        "message":{"type":"string"},"training_success":{"type":"boolean"}},"additionalProperties":false})"},
      {"FaceResult", R"({"type":"object","required":["nik","name","accuracy"],"properties":{
        "nik":{"type":["string","null"],"description":"null: not accepted"},
        "name":{"type":"string","description":"Unknown if not accepted"},
        "accuracy":{"type":"number","minimum":0,"maximum":1,"description":"also given when not accepted"}},
        "additionalProperties":false})"},
      {"Recognition", R"({"type":"object","required":["results","nik_input","nik_matched","face_num","message"],
        "properties":{"results":{"type":"array","items":{"$ref":"#/components/schemas/FaceResult"}},
        "nik_input":{"type":"string"},"nik_matched":{"type":"boolean"},"face_num":{"type":"integer","minimum":0},
        "message":{"type":"string","description":"<NAME> TERDETEKSI, or Wajah Tidak Dikenali"}},
        "additionalProperties":false})"},
      {"Landing", R"({"type":"object","properties":{"name":{"type":"string"},"docs":{"type":"string"},
        "openapi":{"type":"string"},"ready":{"type":"string"}}})"},
      {"Status", R"({"type":"object","required":["status"],"properties":{"status":{"type":"string"},
        "reason":{"type":"string"}}})"},
      {"Version", R"({"type":"object","required":["name","version","device","model"],"properties":{
        "name":{"type":"string"},"version":{"type":"string"},"device":{"type":"string"},
        "model":{"type":["string","null"]}}})"},
  };
  return all;
}

json::object field_schema(const Field& field) {
  json::object schema{{"type", "string"}};
  if (field.kind == FieldKind::text) schema["minLength"] = 1;
  if (field.kind != FieldKind::text) schema["format"] = "binary";
  if (field.kind == FieldKind::files) {
    schema = {{"type", "array"}, {"items", schema}, {"minItems", 1}, {"maxItems", max_upload_files}};
  }
  schema["description"] = field.about;
  return schema;
}

json::object request_body(const Route& route) {
  json::object properties;
  json::array required;
  bool only_texts = true;
  for (const auto& field : route.fields) {
    properties[field.name] = field_schema(field);
    required.push_back(json::value(field.name));
    only_texts &= field.kind == FieldKind::text;
  }
  const json::object schema{{"type", "object"}, {"properties", properties}, {"required", required}};
  json::object content{{"multipart/form-data", json::object{{"schema", schema}}}};
  if (only_texts) content["application/x-www-form-urlencoded"] = json::object{{"schema", schema}};
  return {{"required", true}, {"content", content}};
}

json::object responses(const Route& route) {
  json::object result;
  for (const auto& answer : route.answers) {
    json::object media;
    if (!answer.schema.empty()) {
      media["schema"] = json::object{{"$ref", fmt::format("#/components/schemas/{}", answer.schema)}};
    }
    result[std::to_string(answer.status)] =
        json::object{{"description", answer.about}, {"content", json::object{{answer.content_type, media}}}};
  }
  return result;
}

// The path as the original service names it: its three routes end in a slash.
std::string documented_path(const Route& route) {
  return route.fields.empty() ? std::string(route.path) : fmt::format("{}/", route.path);
}

json::object operation(const Route& route) {
  auto id = to_lower(name_of(route.verb)) + "_" + std::string(route.path.substr(1));
  for (char& c : id) {
    if (c == '/' || c == '.') c = '_';
  }
  json::object result{{"tags", json::array{json::value(route.tag)}}, {"summary", route.summary}, {"operationId", id}};
  if (!route.about.empty()) result["description"] = route.about;
  if (!route.fields.empty()) result["requestBody"] = request_body(route);
  result["responses"] = responses(route);
  return result;
}

}  // namespace

json::object schema_of(std::string_view name) { return json::parse(schemas().at(name)).as_object(); }

json::object openapi_document(std::span<const Route> table, const SiteInfo& info) {
  json::object paths;
  for (const auto& route : table) {
    auto& path = paths[documented_path(route)];
    if (path.is_null()) path.emplace_object();
    path.as_object()[to_lower(name_of(route.verb))] = operation(route);
  }
  json::object components;
  for (const auto& [name, text] : schemas()) components[name] = schema_of(name);
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "wajah"},
            {"version", info.version},
            {"summary", "Face recognition and attendance"},
            {"license", {{"name", "MIT"}, {"identifier", "MIT"}}}}},
          {"paths", paths},
          {"components", {{"schemas", components}}}};
}

}  // namespace wajah::server
