#include "server/json_schema.hpp"

#include "server/json.hpp"

#include <wajah/error.hpp>

#include "attendance/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <regex>

namespace wajah::server {
namespace json = boost::json;

namespace {

// Words about a schema that forbid nothing.
constexpr std::array annotations{"description", "title",           "examples",    "default",
                                 "deprecated",  "contentEncoding", "contentMediaType"};

std::string_view kind_of(const json::value& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return "boolean";
  if (value.is_string()) return "string";
  if (value.is_array()) return "array";
  if (value.is_object()) return "object";
  return value.is_double() ? "number" : "integer";
}

bool is_of(const json::value& value, std::string_view type) {
  const auto kind = kind_of(value);
  if (kind == type) return true;
  if (type == "number") return kind == "integer";
  return type == "integer" && kind == "number" && value.get_double() == std::floor(value.get_double());
}

std::size_t length_of(std::string_view text) {
  std::size_t length = 0;
  for (; !text.empty(); ++length) (void)attendance::next_code_point(text);
  return length;
}

bool digits_at(std::string_view text, std::string_view mask) {
  return text.size() == mask.size() && std::equal(text.begin(), text.end(), mask.begin(), [](char c, char m) {
           return m == '0' ? c >= '0' && c <= '9' : c == m;
         });
}

int two(std::string_view text, std::size_t at) { return (text[at] - '0') * 10 + text[at + 1] - '0'; }

int year_of(std::string_view text) { return two(text, 0) * 100 + two(text, 2); }

// From 1970 on, as the calendar keeps them.
bool is_date(std::string_view text) {
  if (!digits_at(text, "0000-00-00")) return false;
  const int year = year_of(text), month = two(text, 5), day = two(text, 8);
  if (year < 1970) return false;
  constexpr std::array days{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1 || day > days[static_cast<std::size_t>(month - 1)]) return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month != 2 || day < 29 || leap;
}

bool is_clock(std::string_view text) {
  return digits_at(text, "00:00:00") && two(text, 0) < 24 && two(text, 3) < 60 && two(text, 6) < 61;
}

// RFC 3339: date, T, time, optional fraction, Z or an offset. Instants are nanoseconds in 64 bits, which end in 2262.
bool is_date_time(std::string_view text) {
  if (text.size() < 20 || !is_date(text.substr(0, 10)) || (text[10] != 'T' && text[10] != 't')) return false;
  if (year_of(text) > 2261) return false;
  if (!is_clock(text.substr(11, 8))) return false;
  auto rest = text.substr(19);
  if (rest.front() == '.') {
    const auto end = rest.find_first_not_of("0123456789", 1);
    if (end == std::string_view::npos || end == 1) return false;
    rest.remove_prefix(end);
  }
  if (rest == "Z" || rest == "z") return true;
  return (digits_at(rest, "+00:00") || digits_at(rest, "-00:00")) && two(rest, 1) < 24 && two(rest, 4) < 60;
}

class Checker {
 public:
  Checker(const SchemaLookup& lookup, std::size_t most) : lookup_(lookup), most_(most) {}

  void check(const json::value& value, const json::value& schema) {
    if (schema.is_bool()) {
      if (!schema.get_bool()) report("nothing is allowed here", "extra_forbidden");
      return;
    }
    const auto& rules = schema.as_object();
    refuse_unknown_words(rules);
    if (const auto* reference = rules.if_contains("$ref")) check(value, resolve(reference->as_string()));
    if (!check_type(value, rules)) return;
    check_choice(value, rules);
    check_alternatives(value, rules);
    if (const auto* text = value.if_string()) check_string(*text, rules);
    if (value.is_number()) check_number(value, rules);
    if (const auto* array = value.if_array()) check_array(*array, rules);
    if (const auto* object = value.if_object()) check_object(*object, rules);
  }

  std::vector<Violation> take() { return std::move(found_); }

 private:
  void report(std::string message, std::string_view type) {
    if (found_.size() < most_) found_.push_back({location_, std::move(message), std::string(type)});
  }

  const json::value& resolve(std::string_view reference) const {
    constexpr std::string_view prefix = "#/components/schemas/";
    return lookup_(reference.substr(std::min(prefix.size(), reference.size())));
  }

  static void refuse_unknown_words(const json::object& rules) {
    constexpr std::array known{
        "$ref",     "type",        "enum",          "const",     "anyOf",     "oneOf",    "allOf",
        "minLength", "maxLength",  "pattern",       "format",    "minimum",   "maximum",  "exclusiveMinimum",
        "items",    "prefixItems", "minItems",      "maxItems",  "properties", "required", "additionalProperties",
    };
    for (const auto& [word, ignored] : rules) {
      if (std::ranges::find(known, word) == known.end() && std::ranges::find(annotations, word) == annotations.end()) {
        fail(ErrorKind::usage, "the schema keyword \"{}\" is not one that is checked", std::string_view(word));
      }
    }
  }

  bool check_type(const json::value& value, const json::object& rules) {
    const auto* type = rules.if_contains("type");
    if (!type) return true;
    const auto fits = [&](const json::value& name) { return is_of(value, name.as_string()); };
    const bool right = type->is_array() ? std::ranges::any_of(type->as_array(), fits) : fits(*type);
    if (right) return true;
    const auto wanted = type->is_array() ? to_text(*type) : std::string(type->as_string());
    report(fmt::format("expected {}, got {}", wanted, kind_of(value)), fmt::format("{}_type", type_word(*type)));
    return false;
  }

  static std::string_view type_word(const json::value& type) {
    const auto& name = type.is_array() ? type.as_array().front() : type;
    if (name == "integer") return "int";
    if (name == "number") return "float";
    if (name == "boolean") return "bool";
    if (name == "array") return "list";
    if (name == "object") return "dict";
    return name.as_string();
  }

  void check_choice(const json::value& value, const json::object& rules) {
    if (const auto* only = rules.if_contains("const"); only && *only != value) {
      report(fmt::format("expected {}", to_text(*only)), "literal_error");
    }
    const auto* choices = rules.if_contains("enum");
    if (!choices || std::ranges::find(choices->as_array(), value) != choices->as_array().end()) return;
    report(fmt::format("expected one of {}", to_text(*choices)), "enum");
  }

  bool fits(const json::value& value, const json::value& schema) const { return violations(value, schema, lookup_, 1).empty(); }

  void check_alternatives(const json::value& value, const json::object& rules) {
    if (const auto* all = rules.if_contains("allOf")) {
      for (const auto& schema : all->as_array()) check(value, schema);
    }
    const auto count = [&](const json::value& schemas) {
      return std::ranges::count_if(schemas.as_array(), [&](const auto& schema) { return fits(value, schema); });
    };
    if (const auto* any = rules.if_contains("anyOf"); any && count(*any) == 0) {
      report("fits none of the alternatives", "union_tag_invalid");
    }
    if (const auto* one = rules.if_contains("oneOf"); one && count(*one) != 1) {
      report("does not fit exactly one of the alternatives", "union_tag_invalid");
    }
  }

  void check_string(std::string_view text, const json::object& rules) {
    const auto length = length_of(text);
    if (const auto* least = rules.if_contains("minLength"); least && length < least->to_number<std::size_t>()) {
      report(fmt::format("expected at least {} characters, got {}", to_text(*least), length), "string_too_short");
    }
    if (const auto* most = rules.if_contains("maxLength"); most && length > most->to_number<std::size_t>()) {
      // A pattern is not tried on a text of any length: std::regex recurses over it.
      return report(fmt::format("expected at most {} characters, got {}", to_text(*most), length), "string_too_long");
    }
    if (const auto* pattern = rules.if_contains("pattern")) {
      const std::string expression(pattern->as_string());
      if (!std::regex_search(text.begin(), text.end(), std::regex(expression))) {
        report(fmt::format("expected a text like {}", expression), "string_pattern_mismatch");
      }
    }
    if (const auto* format = rules.if_contains("format")) check_format(text, format->as_string());
  }

  void check_format(std::string_view text, std::string_view format) {
    if (format == "date" && !is_date(text)) {
      report("expected a date from 1970-01-01 to 9999-12-31, like 2026-11-22", "date_parsing");
    }
    if (format == "date-time" && !is_date_time(text)) {
      report("expected a time of the years 1970 to 2261, like 2026-11-22T07:58:11+07:00", "datetime_parsing");
    }
  }

  void check_number(const json::value& value, const json::object& rules) {
    const auto number = value.to_number<double>();
    if (const auto* least = rules.if_contains("minimum"); least && number < least->to_number<double>()) {
      report(fmt::format("expected at least {}", to_text(*least)), "greater_than_equal");
    }
    if (const auto* most = rules.if_contains("maximum"); most && number > most->to_number<double>()) {
      report(fmt::format("expected at most {}", to_text(*most)), "less_than_equal");
    }
    if (const auto* above = rules.if_contains("exclusiveMinimum"); above && number <= above->to_number<double>()) {
      report(fmt::format("expected more than {}", to_text(*above)), "greater_than");
    }
  }

  void check_array(const json::array& array, const json::object& rules) {
    if (const auto* least = rules.if_contains("minItems"); least && array.size() < least->to_number<std::size_t>()) {
      report(fmt::format("expected at least {} items, got {}", to_text(*least), array.size()), "too_short");
    }
    if (const auto* most = rules.if_contains("maxItems"); most && array.size() > most->to_number<std::size_t>()) {
      report(fmt::format("expected at most {} items, got {}", to_text(*most), array.size()), "too_long");
    }
    const auto* fixed = rules.if_contains("prefixItems");
    const auto* items = rules.if_contains("items");
    for (std::size_t i = 0; i < array.size(); ++i) {
      const bool is_fixed = fixed && i < fixed->as_array().size();
      const auto* schema = is_fixed ? &fixed->as_array()[i] : items;
      if (schema) check_at(json::value(i), array[i], *schema);
    }
  }

  void check_object(const json::object& object, const json::object& rules) {
    const auto* properties = rules.if_contains("properties");
    if (const auto* required = rules.if_contains("required")) {
      for (const auto& name : required->as_array()) {
        if (!object.contains(name.as_string())) report_at(name, "Field required", "missing");
      }
    }
    const auto* others = rules.if_contains("additionalProperties");
    for (const auto& [name, value] : object) {
      const auto* schema = properties ? properties->as_object().if_contains(name) : nullptr;
      if (schema) {
        check_at(json::value(name), value, *schema);
      } else if (others && *others == false) {
        report_at(json::value(name), "Extra inputs are not permitted", "extra_forbidden");
      } else if (others) {
        check_at(json::value(name), value, *others);
      }
    }
  }

  void check_at(const json::value& place, const json::value& value, const json::value& schema) {
    location_.push_back(place);
    check(value, schema);
    location_.pop_back();
  }

  void report_at(const json::value& place, std::string message, std::string_view type) {
    location_.push_back(place);
    report(std::move(message), type);
    location_.pop_back();
  }

  const SchemaLookup& lookup_;
  std::size_t most_;
  json::array location_;
  std::vector<Violation> found_;
};

}  // namespace

std::vector<Violation> violations(const json::value& value, const json::value& schema, const SchemaLookup& lookup,
                                  std::size_t most) {
  Checker checker(lookup, most);
  checker.check(value, schema);
  return checker.take();
}

}  // namespace wajah::server
