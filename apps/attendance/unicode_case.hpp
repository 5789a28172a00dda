// Which code points Python counts as upper case, and which it counts as lower or title case; the table behind
// is_upper(). unicode_case.cpp is written by unicode_case.py from Python's own tables.
#pragma once

#include <string_view>

namespace wajah::attendance {

// Version of the Unicode character database the table was made from, e.g. "14.0.0".
[[nodiscard]] std::string_view unicode_version();

[[nodiscard]] bool is_upper_case(char32_t code_point);
[[nodiscard]] bool is_lower_or_title_case(char32_t code_point);

}  // namespace wajah::attendance
