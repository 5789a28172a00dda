// Paths of requests and the templates of routes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::server {

// The decoded segments of a request target (RFC 9112, 3.2: origin or absolute form), one slash at the end forgiven; "/"
// has none. Nothing if a % is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::vector<std::string>> segments_of(std::string_view target);

// The query of a request target, without its question mark.
[[nodiscard]] std::string_view query_of(std::string_view target);

using PathValues = std::map<std::string, std::string, std::less<>>;

// The values of {name} in `path_template` ("/people/{id}/faces", "/models/{id}:activate") if the segments fit it. A
// value is never empty.
[[nodiscard]] std::optional<PathValues> match_path(std::string_view path_template,
                                                   const std::vector<std::string>& segments);

}  // namespace wajah::server
