#include "cli/json_text.hpp"

#include <wajah/text.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>

namespace wajah::cli {

namespace json = boost::json;

namespace {

void write(std::string& out, const json::value& value);

void write_number(std::string& out, double number) {
  if (std::isfinite(number)) {
    fmt::format_to(std::back_inserter(out), "{}", number);
  } else {
    out += "null";
  }
}

void write_array(std::string& out, const json::array& array) {
  out += '[';
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ',';
    write(out, array[i]);
  }
  out += ']';
}

void write_object(std::string& out, const json::object& object) {
  out += '{';
  const char* separator = "";
  for (const auto& [key, member] : object) {
    out += separator;
    out += json::serialize(key);
    out += ':';
    write(out, member);
    separator = ",";
  }
  out += '}';
}

void write(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::double_: return write_number(out, value.get_double());
    case json::kind::array: return write_array(out, value.get_array());
    case json::kind::object: return write_object(out, value.get_object());
    default: out += json::serialize(value);
  }
}

}  // namespace

std::string to_text(const json::value& value) {
  std::string out;
  write(out, value);
  return out;
}

json::value number(float value) {
  if (!std::isfinite(value)) return nullptr;
  return std::strtod(fmt::format("{}", value).c_str(), nullptr);
}

json::value text(std::string_view bytes) {
  if (is_utf8(bytes)) return json::string(bytes);
  std::string escaped;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      escaped += c;
    } else {
      fmt::format_to(std::back_inserter(escaped), "\\x{:02x}", byte);
    }
  }
  return json::string(escaped);
}

json::value rounded(double value, int digits) {
  const double scale = std::pow(10.0, digits);
  return std::round(value * scale) / scale;
}

void print_json(const json::value& value) { fmt::print("{}\n", to_text(value)); }

}  // namespace wajah::cli
