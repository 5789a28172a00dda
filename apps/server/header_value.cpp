#include "server/header_value.hpp"

#include "server/text.hpp"

namespace wajah::server {
namespace {

// Takes the quoted string at the front of `text`, quotes included; nothing if it does not end.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    const bool escapes = text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    if (escapes) ++i;
    value += text[i];
  }
  return std::nullopt;
}

std::optional<std::string> take_value(std::string_view& text) {
  if (text.starts_with('"')) return take_quoted(text);
  const auto end = text.find_first_of("; \t");
  const auto value = text.substr(0, end);
  if (!is_token(value)) return std::nullopt;
  text.remove_prefix(value.size());
  return std::string(value);
}

// Takes `; name=value` off the front of `text`.
std::optional<std::pair<std::string, std::string>> take_parameter(std::string_view& text) {
  if (!text.starts_with(';')) return std::nullopt;
  text = trim(text.substr(1));
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || !is_token(text.substr(0, equals))) return std::nullopt;
  auto name = to_lower(text.substr(0, equals));
  text.remove_prefix(equals + 1);
  auto value = take_value(text);
  if (!value) return std::nullopt;
  text = trim(text);
  return std::pair{std::move(name), std::move(*value)};
}

}  // namespace

const std::string* HeaderValue::find(std::string_view name) const {
  for (const auto& [key, value_of_key] : parameters) {
    if (key == name) return &value_of_key;
  }
  return nullptr;
}

std::optional<HeaderValue> parse_header_value(std::string_view text) {
  const auto semicolon = text.find(';');
  HeaderValue result;
  result.value = to_lower(trim(text.substr(0, semicolon)));
  std::string_view rest = semicolon == std::string_view::npos ? std::string_view{} : trim(text.substr(semicolon));
  while (!rest.empty() && rest != ";") {
    auto parameter = take_parameter(rest);
    if (!parameter || result.find(parameter->first)) return std::nullopt;
    result.parameters.push_back(std::move(*parameter));
  }
  return result;
}

}  // namespace wajah::server
