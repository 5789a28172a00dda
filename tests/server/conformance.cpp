#include "conformance.hpp"

#include "server/json.hpp"
#include "server/json_schema.hpp"
#include "server/router.hpp"
#include "server/schemas.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <atomic>

namespace wajah::server {
namespace json = boost::json;

namespace {

std::atomic<std::size_t> checked{0};

bool is_json(std::string_view type) { return type.starts_with("application/json") || type.ends_with("+json"); }

std::string fault_of_json(const Response& answer, std::string_view schema) {
  boost::system::error_code error;
  const auto value = json::parse(answer.body, error);
  if (error) return fmt::format("{} is not JSON: {}", answer.body, error.message());
  const auto found = violations(value, schema_of(schema), schema_of, 1);
  if (found.empty()) return {};
  return fmt::format("{} does not fit {}: {} {}", answer.body, schema, to_text(found[0].location), found[0].message);
}

// The shapes in which a request is refused before its route has a say.
std::string fault_of_refusal(const Response& answer) {
  constexpr std::array refusals{307, 400, 401, 403, 404, 405, 408, 413, 417, 429, 431, 503, 504, 505};
  if (std::ranges::find(refusals, answer.status) == refusals.end()) return fmt::format("{} is not documented", answer.status);
  if (answer.body.empty()) return {};
  for (const auto* schema : {"Detail", "Failure", "Message", "Problem"}) {
    if (fault_of_json(answer, schema).empty()) return {};
  }
  return answer.body + " has none of the shapes of a refusal";
}

std::string fault_of_answer(const Route& route, const Response& answer) {
  const auto type = answer.headers.contains("content-type") ? answer.headers.at("content-type") : std::string();
  const auto found = std::ranges::find_if(
      route.answers, [&](const Answer& documented) { return documented.status == answer.status; });
  if (found == route.answers.end()) {
    return route.shape == Shape::problem && answer.status >= 400 ? fault_of_json(answer, "Problem")
                                                                 : fault_of_refusal(answer);
  }
  if (found->schema.empty() || !is_json(type)) return {};
  return fault_of_json(answer, found->schema);
}

}  // namespace

std::string fault_of_answer(std::string_view method, std::string_view target, const Response& answer) {
  ++checked;
  if (method == "HEAD" || answer.status == 304) return {};
  SpoolSpace space(".", {});
  const Site site;
  Request request(space);
  request.method = method;
  request.target = target;
  const auto found = find_route(site, request);
  const auto* route = std::get_if<const Route*>(&found);
  const auto fault = route ? fault_of_answer(**route, answer) : fault_of_refusal(answer);
  return fault.empty() ? fault : fmt::format("{} {} {}: {}", method, target, answer.status, fault);
}

std::size_t answers_checked() { return checked; }

}  // namespace wajah::server
