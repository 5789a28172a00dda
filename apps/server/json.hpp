// JSON text exactly as the original service's framework wrote it.
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace wajah::server {

// Python's json.dumps(value, ensure_ascii=False, separators=(",", ":")): no spaces, keys in the order they were put in,
// UTF-8 as it is, floats in Python's repr (1.0, 1e-05). Bytes that are not UTF-8 become U+FFFD. Numbers must be finite.
[[nodiscard]] std::string to_text(const boost::json::value& value);

}  // namespace wajah::server
