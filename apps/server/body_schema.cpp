#include "server/body_schema.hpp"

#include "server/schemas.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace wajah::server {
namespace json = boost::json;

namespace {

json::object file_schema(const Field& field, BodyForm form) {
  json::object schema{{"type", "string"}};
  if (form == BodyForm::form) schema["format"] = "binary";
  if (form == BodyForm::json) schema["contentEncoding"] = "base64";
  if (field.kind == FieldKind::file) return schema;
  return {{"type", "array"}, {"items", schema}, {"minItems", 1}, {"maxItems", field.most}};
}

json::object field_schema(const Field& field, BodyForm form) {
  auto schema = field.kind == FieldKind::text ? json::parse(field.schema).as_object() : file_schema(field, form);
  schema["description"] = field.about;
  return schema;
}

template <class Wanted>
json::object object_schema(const Route& route, BodyForm form, Wanted wanted) {
  json::object properties;
  json::array required;
  for (const auto& field : route.fields) {
    if (!wanted(field)) continue;
    properties[field.name] = field_schema(field, form);
    if (field.required) required.push_back(json::value(field.name));
  }
  json::object schema{{"type", "object"}, {"properties", properties}};
  if (!required.empty()) schema["required"] = required;
  if (route.shape == Shape::problem) schema["additionalProperties"] = false;
  return schema;
}

}  // namespace

json::object fields_schema(const Route& route, BodyForm form) {
  return object_schema(route, form, [](const Field&) { return true; });
}

json::value values_schema(const Route& route) {
  if (!route.body.empty()) return schema_of(route.body);
  return object_schema(route, BodyForm::json, [](const Field& field) { return field.kind == FieldKind::text; });
}

bool takes_files(const Route& route) {
  return std::ranges::any_of(route.fields, [](const Field& field) { return field.kind != FieldKind::text; });
}

bool takes_json(const Route& route) {
  return std::ranges::none_of(route.fields, [](const Field& field) {
    return field.kind != FieldKind::text && !type_alone(field).starts_with("image/");
  });
}

std::size_t json_limit(const Route& route) {
  constexpr std::size_t mib = std::size_t{1} << 20;
  return std::min(route.body_limit, (takes_files(route) ? 16 : 1) * mib);
}

const Field* file_alone(const Route& route) {
  const auto needed = [](const Field& field) { return field.required && field.kind == FieldKind::file; };
  const auto found = std::ranges::find_if(route.fields, needed);
  return std::ranges::count_if(route.fields, needed) == 1 ? &*found : nullptr;
}

// Fields of pictures say so by their names.
std::string_view type_alone(const Field& field) {
  return field.name.starts_with("image") ? "image/*" : "application/zip";
}

}  // namespace wajah::server
