// Header values of the form `value; name=token; name="quoted string"` (RFC 9110, 5.6.6): Content-Type,
// Content-Disposition.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wajah::server {

struct HeaderValue {
  std::string value;                                            // before the first semicolon, in lower case
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case, in the order given

  // The parameter's value, or null.
  [[nodiscard]] const std::string* find(std::string_view name) const;
};

// Nothing if the text is not of that form or names a parameter twice. In a quoted string \" and \\ stand for the second
// character; any other backslash stays, because old browsers send C:\folder\file.jpg.
[[nodiscard]] std::optional<HeaderValue> parse_header_value(std::string_view text);

}  // namespace wajah::server
