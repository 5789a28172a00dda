// Words that the tables of /api/v1 share.
#pragma once

#include "server/route.hpp"

#include <cstddef>
#include <string_view>

namespace wajah::server {

inline constexpr std::size_t kib = 1024, mib = 1024 * kib;
inline constexpr std::size_t picture_limit = 16 * mib;  // base64 makes 10 MiB of it 13.3
inline constexpr std::string_view json_type = "application/json", problem_type = "application/problem+json",
                                  sse_type = "text/event-stream";

[[nodiscard]] constexpr Answer ok(std::string_view schema, std::string_view about = "Done") {
  return {200, about, json_type, schema};
}
[[nodiscard]] constexpr Answer created(std::string_view schema, std::string_view about = "Made") {
  return {201, about, json_type, schema};
}
[[nodiscard]] constexpr Answer nothing(std::string_view about = "Done") { return {204, about, "", ""}; }
[[nodiscard]] constexpr Answer problem(int status, std::string_view about) {
  return {status, about, problem_type, "Problem"};
}

inline constexpr Answer no_such = problem(404, "There is none");
inline constexpr Answer wrong_values = problem(422, "A value is missing or wrong; errors[] names each");
inline constexpr Answer bad_picture = problem(422, "The picture is damaged, shows no usable face, or a value is wrong");
inline constexpr Answer no_picture = problem(415, "No JPEG, PNG or WebP");

inline constexpr Field picture_field{"image", FieldKind::file, "One photo: JPEG, PNG or WebP"};

inline constexpr Parameter limit_parameter{Where::query, "limit", "How many at most",
                                           R"({"type":"integer","minimum":1,"maximum":500,"default":50})"};
inline constexpr Parameter cursor_parameter{Where::query, "cursor", "next_cursor of the page before",
                                            R"({"type":"string","maxLength":1000})"};
inline constexpr Parameter count_parameter{Where::query, "count", "Also tell `total`", R"({"type":"boolean"})"};
inline constexpr Parameter person_parameter{Where::path, "id", "Of the person: p_12, or nik:12345",
                                            R"({"type":"string","maxLength":80})", true};
inline constexpr Parameter idempotency_parameter{
    Where::header, "Idempotency-Key", "The same key again gets the same answer for a day; nothing is done twice",
    R"({"type":"string","minLength":1,"maxLength":200})"};
inline constexpr Parameter if_match_parameter{Where::header, "If-Match",
                                              "ETag: do it only if nobody has changed it meanwhile",
                                              R"({"type":"string","maxLength":100})"};

}  // namespace wajah::server
