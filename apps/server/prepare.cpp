// prepare(): from the bytes of query and body to values that the route has declared.
#include "server/body_schema.hpp"
#include "server/header_value.hpp"
#include "server/json.hpp"
#include "server/json_scan.hpp"
#include "server/json_schema.hpp"
#include "server/path.hpp"
#include "server/problem.hpp"
#include "server/router.hpp"
#include "server/schemas.hpp"
#include "server/text.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace wajah::server {
namespace json = boost::json;

namespace {

// A text from a query or a form as the type that the schema names; as it is if it cannot be read so, and then the
// schema's own check says what was expected.
json::value typed(std::string_view text, const json::value& schema) {
  const auto* type = schema.as_object().if_contains("type");
  const std::string_view wanted = type && type->is_string() ? std::string_view(type->get_string()) : "string";
  const auto number = [&](auto value) -> json::value {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole && std::isfinite(static_cast<double>(value)) ? json::value(value) : json::value(text);
  };
  if (wanted == "integer") return number(std::int64_t{});
  if (wanted == "number") return number(double{});
  if (wanted == "boolean" && (text == "true" || text == "1")) return true;
  if (wanted == "boolean" && (text == "false" || text == "0")) return false;
  return json::value(text);
}

class Findings {
 public:
  void add(json::array place, std::string_view message, std::string_view type) {
    entries_.push_back(error_entry(std::move(place), message, type));
  }

  void check(std::string_view root, const json::value& value, const json::value& schema, json::array before = {}) {
    for (auto& violation : violations(value, schema, schema_of)) {
      json::array place{root};
      place.insert(place.end(), before.begin(), before.end());
      place.insert(place.end(), violation.location.begin(), violation.location.end());
      add(std::move(place), violation.message, violation.type);
    }
  }

  [[nodiscard]] std::optional<Reply> reply(const Request& request) const {
    if (entries_.empty()) return std::nullopt;
    const auto& first = entries_.front().as_object();
    std::string place;
    for (const auto& step : first.at("loc").as_array()) {
      place += fmt::format("{}{}", place.empty() ? "" : ".", step.is_string() ? std::string(step.get_string()) : to_text(step));
    }
    const auto more = entries_.size() > 1 ? fmt::format(" (and {} more)", entries_.size() - 1) : std::string();
    return problem_reply(request, problem_kind("validation_failed"),
                         fmt::format("{}: {}{}", place, std::string_view(first.at("msg").as_string()), more), entries_);
  }

 private:
  json::array entries_;
};

const Parameter* parameter(const Route& route, Where where, std::string_view name) {
  const auto found = std::ranges::find_if(
      route.parameters, [&](const Parameter& p) { return p.where == where && p.name == name; });
  return found == route.parameters.end() ? nullptr : &*found;
}

void take_query_pair(const Route& route, Request& request, std::string_view pair, Findings& findings) {
  const auto equals = std::min(pair.find('='), pair.size());
  const auto name = percent_decode(pair.substr(0, equals), true);
  const auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
  if (!name || !value || !is_utf8(*name) || !is_utf8(*value)) {
    return findings.add({"query"}, "a % is not followed by two hexadecimal digits, or a text is not UTF-8", "value_error");
  }
  const auto* known = parameter(route, Where::query, *name);
  if (!known) return findings.add({"query", *name}, "Extra inputs are not permitted", "extra_forbidden");
  if (request.query.contains(*name)) return findings.add({"query", *name}, "given twice", "value_error");
  if (value->empty()) return;  // ?from=&to= is what a form with nothing filled in sends
  request.query[*name] = typed(*value, json::parse(known->schema));
}

void read_query(const Route& route, Request& request, Findings& findings) {
  auto rest = query_of(request.target);
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    if (end > 0) take_query_pair(route, request, rest.substr(0, end), findings);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

void check_parameter(const Parameter& wanted, const Request& request, Findings& findings) {
  constexpr std::string_view roots[] = {"path", "query", "header"};
  const auto root = roots[static_cast<std::size_t>(wanted.where)];
  const auto schema = json::parse(wanted.schema);
  std::optional<json::value> value;
  if (wanted.where == Where::path) value = typed(request.path.find(wanted.name)->second, schema);
  if (wanted.where == Where::query && request.query.contains(wanted.name)) value = request.query.at(wanted.name);
  if (wanted.where == Where::header) {
    if (const auto* field = request.headers.find(to_lower(wanted.name))) value = typed(*field, schema);
  }
  if (value) return findings.check(root, *value, schema, {wanted.name});
  if (wanted.required) findings.add({root, wanted.name}, "Field required", "missing");
}

// "data:image/jpeg;base64," before it is what browsers put there.
std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
  if (text.starts_with("data:")) text.remove_prefix(std::min(text.find(',') + 1, text.size()));
  std::vector<std::byte> bytes(text.size() / 4 * 3 + 3);
  std::size_t size = 0;
  const auto* end = text.data();
  const auto read = [&](int variant) {
    return sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(), text.size(),
                             "\r\n ", &size, &end, variant) == 0 &&
           end == text.data() + text.size();
  };
  if (!read(sodium_base64_VARIANT_ORIGINAL) && !read(sodium_base64_VARIANT_URLSAFE_NO_PADDING)) return std::nullopt;
  bytes.resize(size);
  return bytes;
}

// Moves the files of a checked JSON body from its texts to request.decoded.
void take_files(const Route& route, Request& request, Findings& findings) {
  const auto take = [&](const Field& field, const json::value& text) {
    auto bytes = from_base64(text.as_string());
    if (!bytes || bytes->empty()) return findings.add({"body", field.name}, "expected a picture in base64", "value_error");
    request.decoded.emplace_back(field.name, std::move(*bytes));
  };
  for (const auto& field : route.fields) {
    const auto* value = field.kind == FieldKind::text ? nullptr : request.body.if_contains(field.name);
    if (!value) continue;
    if (const auto* several = value->if_array()) {
      for (const auto& text : *several) take(field, text);
    } else {
      take(field, *value);
    }
    request.body.erase(field.name);
  }
}

std::optional<Reply> read_json(const Route& route, Request& request, Findings& findings) {
  const auto bytes = request.form.whole();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const auto fault = fault_of_json(text)) {
    return problem_reply(request, problem_kind("bad_body"), fmt::format("The body's JSON is refused: {}", *fault));
  }
  boost::system::error_code error;
  auto value = json::parse(text, error);
  if (error) {
    return problem_reply(request, problem_kind("bad_body"), fmt::format("The body is not JSON: {}", error.message()));
  }
  const auto schema = route.fields.empty() ? values_schema(route) : fields_schema(route, BodyForm::json);
  findings.check("body", value, schema);
  if (findings.reply(request)) return std::nullopt;
  request.body = std::move(value.as_object());
  take_files(route, request, findings);
  return std::nullopt;
}

void read_form(const Route& route, Request& request, Findings& findings) {
  for (const auto& name : request.form.strangers()) {
    findings.add({"body", is_utf8(name) ? name : "?"}, "Extra inputs are not permitted", "extra_forbidden");
  }
  for (const auto& field : route.fields) {
    if (field.required && request.form.lacks(field)) findings.add({"body", field.name}, "Field required", "missing");
    if (field.kind != FieldKind::text || request.form.lacks(field)) continue;
    const auto schema = json::parse(field.schema);
    auto value = typed(*request.form.text(field.name), schema);
    findings.check("body", value, schema, {field.name});
    request.body[field.name] = std::move(value);
  }
}

// The 422 of the original's framework for fields that the form lacks, in the table's order.
std::optional<Reply> missing_fields(const Route& route, Request& request) {
  std::vector<std::string_view> missing;
  for (const auto& field : route.fields) {
    if (request.form.lacks(field)) missing.push_back(field.name);
  }
  if (missing.empty()) return std::nullopt;
  return missing_reply(missing);
}

bool is_json_body(const Request& request) {
  const auto type = parse_header_value(request.headers.get("content-type"));
  return type && (type->value == "application/json" || type->value.ends_with("+json"));
}

}  // namespace

std::optional<Reply> prepare(const Route& route, Request& request) {
  if (route.shape != Shape::problem) return missing_fields(route, request);
  Findings findings;
  read_query(route, request, findings);
  for (const auto& wanted : route.parameters) check_parameter(wanted, request, findings);
  if (route.takes_body()) {
    if (!route.body.empty() || is_json_body(request)) {
      if (auto broken = read_json(route, request, findings)) return broken;
    } else {
      read_form(route, request, findings);
    }
  }
  return findings.reply(request);
}

}  // namespace wajah::server
