// Route: one row of the table that routing, limits, validation, OpenAPI and the documentation pages all come from.
#pragma once

#include "server/form.hpp"
#include "server/reply.hpp"
#include "server/site.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace wajah::server {

enum class Verb { get, post, remove };
[[nodiscard]] std::string_view name_of(Verb verb);

// Where a handler runs: at once on a network thread, which it must never block, or on the threads of a bounded queue.
// Uploads have theirs, so that they cannot keep recognitions waiting.
enum class Lane { at_once, recognise, manage };

// One request as handlers see it; it lives until both the client is answered and the handler has returned.
struct Request {
  explicit Request(SpoolSpace& space) : form(space) {}

  std::string id;      // of this request, in X-Request-Id and in log lines
  std::string accept;  // the Accept header
  Form form;
};

// One documented answer. `schema` names a schema of openapi.cpp; empty where the content is not JSON.
struct Answer {
  int status = 200;
  std::string_view about, content_type, schema;
};

struct Route {
  Verb verb = Verb::get;
  std::string_view path;  // without a slash at the end, which requests may have
  std::string_view tag, summary, about;
  Lane lane = Lane::at_once;
  std::size_t body_limit = 0;
  std::span<const Field> fields;  // of the form, all required
  std::span<const Answer> answers;
  Reply (*handle)(Site& site, Request& request) = nullptr;
  // This route's shape of a failure with a message for people.
  Reply (*failure)(int status, std::string_view message) = detail_reply;
  std::string_view fault = "An error occurred";  // its message when the fault is the server's
};

// Every route, in the order the documentation shows them.
[[nodiscard]] std::span<const Route> routes();

// The route of a request, or the 404 or 405 to send. `target`: as in the request line; its query is ignored. HEAD finds
// what GET finds.
[[nodiscard]] std::variant<const Route*, Reply> find_route(std::string_view method, std::string_view target);

// Runs the route's handler and turns whatever it throws into the route's failure; never throws.
[[nodiscard]] Reply run_route(const Route& route, Site& site, Request& request);

// The 422 for fields that the form lacks, in the table's order; nothing if all are there.
[[nodiscard]] std::optional<Reply> check_fields(const Route& route, Form& form);

}  // namespace wajah::server
