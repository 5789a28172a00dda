// JSON as this program prints it: one line a result, numbers no longer than they need to be.
#pragma once

#include <boost/json/value.hpp>

namespace wajah::cli {

// A float's shortest decimal digits, not those of the double nearest to it: 0.1F becomes 0.1. Null for nan and
// infinity.
[[nodiscard]] boost::json::value number(float value);

// Milliseconds and other measurements: more digits than three would be noise. Null for nan and infinity.
[[nodiscard]] boost::json::value rounded(double value, int digits = 3);

void print_json(const boost::json::value& value);  // a line on the standard output

}  // namespace wajah::cli
