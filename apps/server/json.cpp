#include "server/json.hpp"

#include "attendance/text.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string_view>

namespace wajah::server {
namespace {

void write_escaped(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
  }
}

void write_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    if (static_cast<unsigned char>(c) < 0x80) {
      text.remove_prefix(1);
      if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
        write_escaped(out, c);
      } else {
        out += c;
      }
      continue;
    }
    const auto before = text;
    if (attendance::next_code_point(text)) {
      out += before.substr(0, before.size() - text.size());
    } else {
      out += "\xEF\xBF\xBD";
    }
  }
  out += '"';
}

void write(std::string& out, const boost::json::value& value);

void write_array(std::string& out, const boost::json::array& array) {
  out += '[';
  bool first = true;
  for (const auto& element : array) {
    if (!std::exchange(first, false)) out += ',';
    write(out, element);
  }
  out += ']';
}

void write_object(std::string& out, const boost::json::object& object) {
  out += '{';
  bool first = true;
  for (const auto& [key, element] : object) {
    if (!std::exchange(first, false)) out += ',';
    write_string(out, key);
    out += ':';
    write(out, element);
  }
  out += '}';
}

void write(std::string& out, const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::null: out += "null"; return;
    case boost::json::kind::bool_: out += value.get_bool() ? "true" : "false"; return;
    case boost::json::kind::int64: out += fmt::format("{}", value.get_int64()); return;
    case boost::json::kind::uint64: out += fmt::format("{}", value.get_uint64()); return;
    case boost::json::kind::double_: out += attendance::python_float(value.get_double()); return;
    case boost::json::kind::string: write_string(out, value.get_string()); return;
    case boost::json::kind::array: write_array(out, value.get_array()); return;
    case boost::json::kind::object: write_object(out, value.get_object()); return;
  }
}

}  // namespace

std::string to_text(const boost::json::value& value) {
  std::string out;
  write(out, value);
  return out;
}

}  // namespace wajah::server
