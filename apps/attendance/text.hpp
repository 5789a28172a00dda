// Rules about texts that come from outside: NIK, names, what may stand in a log line, and Python's way to write floats.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wajah::attendance {

inline constexpr std::size_t max_name_length = 128;  // code points

// [A-Za-z0-9][A-Za-z0-9._-]{0,63}
[[nodiscard]] bool valid_nik(std::string_view nik);

// Takes the first code point off `text`; nothing if it is not well-formed UTF-8 (Unicode 14, table 3-7), and then the
// first byte is taken off.
[[nodiscard]] std::optional<char32_t> next_code_point(std::string_view& text);

// Python's str.isupper(): at least one cased character, none lower or title case. False if not UTF-8.
[[nodiscard]] bool is_upper(std::string_view text);

// What speaks against a person's name: empty, not UTF-8, longer than max_name_length, control or direction characters.
// Nothing if it is fine. Case is another rule (is_upper).
[[nodiscard]] std::optional<std::string> fault_of_name(std::string_view name);

// The text with everything that could end a line, hide or reorder text in a terminal written as \xNN, \uNNNN or
// \UNNNNNNNN, bytes that are not UTF-8 as \xNN, a backslash as two. Characters of `also` (ASCII) are written as \xNN,
// too.
[[nodiscard]] std::string escape(std::string_view text, std::string_view also = {});

// Python's repr(float): the fewest digits that read back to the same value, "0.0", "1e-05", "1e+16", "nan".
[[nodiscard]] std::string python_float(double value);

}  // namespace wajah::attendance
