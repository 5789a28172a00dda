#include "server/reply.hpp"

#include "server/json.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace wajah::server {
namespace json = boost::json;

Reply json_reply(int status, const json::value& value) { return {status, "application/json", to_text(value), {}}; }

Reply html_reply(std::string page) { return {200, "text/html; charset=utf-8", std::move(page), {}}; }

Reply empty_reply() { return {204, "", "", {}}; }

Reply detail_reply(int status, std::string_view detail) { return json_reply(status, {{"detail", detail}}); }

Reply failure_reply(int status, std::string_view message) {
  return json_reply(status, {{"success", false}, {"message", message}});
}

Reply message_reply(int status, std::string_view message) { return json_reply(status, {{"message", message}}); }

Reply missing_reply(const std::vector<std::string_view>& fields) {
  json::array entries;
  for (const auto field : fields) {
    entries.push_back(json::object{
        {"type", "missing"}, {"loc", json::array{"body", field}}, {"msg", "Field required"}, {"input", nullptr}});
  }
  return json_reply(422, json::object{{"detail", std::move(entries)}});
}

Reply fault_reply(const Fault& fault, std::size_t body_limit) {
  const auto reply = [&]() -> Reply {
    switch (fault.kind) {
      case FaultKind::framing: return detail_reply(400, "Invalid HTTP request");
      case FaultKind::head_too_large: return detail_reply(431, "Request header fields too large");
      case FaultKind::version: return detail_reply(505, "HTTP version not supported");
      case FaultKind::expectation: return detail_reply(417, "Expectation failed");
      case FaultKind::body: return detail_reply(400, "There was an error parsing the body");
      case FaultKind::too_many_files: return failure_reply(400, "Maximum 100 images are allowed");
      case FaultKind::too_large:
        return detail_reply(413, fmt::format("The request body is larger than {} bytes", body_limit));
    }
    return detail_reply(400, "Invalid HTTP request");
  };
  return reply().with("X-Wajah-Error", header_text(fault.cause));
}

std::string header_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c >= 0x20 && c < 0x7F && c != '%') {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

}  // namespace wajah::server
