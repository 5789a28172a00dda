// JSON as this program prints it: one line, keys in the order they were put in, numbers as short as they read back equal.
#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace wajah::cli {

// Boost.JSON would write 1E0 for 1.0. Numbers that JSON cannot hold (nan, infinity) become null.
[[nodiscard]] std::string to_text(const boost::json::value& value);

// A float's shortest decimal digits, not those of the double nearest to it: 0.1F becomes 0.1.
[[nodiscard]] boost::json::value number(float value);

// Text that may hold any bytes, such as a file's name: what is not UTF-8 would make the line unreadable for others, so
// those bytes are written as \xNN.
[[nodiscard]] boost::json::value text(std::string_view bytes);

// Milliseconds and other measurements: more digits than three would be noise.
[[nodiscard]] boost::json::value rounded(double value, int digits = 3);

void print_json(const boost::json::value& value);  // a line on the standard output

}  // namespace wajah::cli
