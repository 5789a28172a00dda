// Pieces of error messages: text that came from a file is never printed raw, and shapes look the same everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace wajah {

// `text` in single quotes, cut to `limit` bytes; control and non-ASCII bytes become \xNN, so that a hostile file can
// neither forge a line of a log nor fill it.
[[nodiscard]] std::string quote(std::string_view text, std::size_t limit = 96);

// "[3, 3, 64, 64]"; a scalar is "[]".
[[nodiscard]] std::string shape_text(std::span<const std::int64_t> shape);

// True if `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace wajah
