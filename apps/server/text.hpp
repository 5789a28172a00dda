// Small text rules of HTTP that several readers of the server share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wajah::server {

// ASCII only, as HTTP compares names; never the locale's rule.
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

// Without spaces and tabs at both ends (RFC 9110, "OWS").
[[nodiscard]] std::string_view trim(std::string_view text);

// token = 1*tchar (RFC 9110, 5.6.2): what methods and field names are made of.
[[nodiscard]] bool is_token(std::string_view text);

// Well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);

// %41 -> A; with `plus_is_space` also + -> space, as forms write it. Nothing on a % that two hex digits do not follow.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

// Everything but letters, digits and -._~ as %XX: safe inside a header field whatever the bytes are.
[[nodiscard]] std::string percent_encode(std::string_view text);

// & < > " ' as entities, for text inside a page or an attribute.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace wajah::server
