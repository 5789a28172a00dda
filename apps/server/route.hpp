// Route: one row of the table that routing, limits, permissions, validation, OpenAPI and the documentation pages all
// come from.
#pragma once

#include "server/caller.hpp"
#include "server/form.hpp"
#include "server/headers.hpp"
#include "server/reply.hpp"
#include "server/scope.hpp"
#include "server/site.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::server {

enum class Verb { get, post, put, patch, remove };
[[nodiscard]] std::string_view name_of(Verb verb);

// Where a handler runs: at once on a network thread, which it must never block, or on the threads of a bounded queue.
// Uploads and queries have theirs, so that they cannot keep recognitions waiting.
enum class Lane { at_once, query, recognise, manage };

// How a route's failures look: the original's three shapes, or RFC 9457's application/problem+json on /api/v1.
enum class Shape { detail, success, message, problem };

enum class Where { path, query, header };

// A value beside the body. `schema` is JSON Schema text; a value that is not a string there is read from its text.
struct Parameter {
  Where where = Where::query;
  std::string_view name, about;
  std::string_view schema = R"({"type":"string"})";
  bool required = false;  // those of the path always are
};

// One documented answer. `schema` names a schema of schemas.hpp; empty where the content is not JSON.
struct Answer {
  int status = 200;
  std::string_view about, content_type, schema;
};

// One request as handlers see it; it lives until both the client is answered and the handler has returned. What the
// route declares has been checked before the handler runs.
struct Request {
  explicit Request(SpoolSpace& space) : form(space) {}

  std::string id;                                         // in X-Request-Id and in log lines
  std::string method, target;                             // as in the request line
  std::string address;                                    // of the peer
  Headers headers;
  std::map<std::string, std::string, std::less<>> path;   // decoded values of the template's {names}
  boost::json::object query;                              // typed as the route's parameters say
  boost::json::object body;                               // the JSON body, or the texts of a form, typed
  Form form;
  Caller caller;

  // The files of a field, however they came: as form parts, as the raw body, as base64 in JSON.
  [[nodiscard]] std::vector<FormFile> files(std::string_view field);

  std::vector<std::pair<std::string, std::vector<std::byte>>> decoded;  // fields that came as base64
  bool is_1_0 = false;                                                  // its version of HTTP
};

struct Route {
  Verb verb = Verb::get;
  std::string_view path = {};  // template, "/api/v1/people/{id}"; without a slash at the end, which requests may have
  std::string_view tag = {}, summary = {}, about = {};
  Scope scope = Scope::open;
  Lane lane = Lane::at_once;
  std::size_t body_limit = 0;  // 0: takes no body
  std::span<const Parameter> parameters = {};
  // The body is a form of these fields (on /api/v1 also JSON, its files as base64, and a picture alone as image/*) or
  // JSON of the schema of that name.
  std::span<const Field> fields = {};
  std::string_view body = {};
  std::span<const Answer> answers = {};
  Reply (*handle)(Site& site, Request& request) = nullptr;
  Shape shape = Shape::detail;
  bool without_models = false;  // answers also when the server was started without them
  bool for_one_site = false;    // of scope admin, and open to callers of one site, who reach only what is that site's
  std::string_view fault = "An error occurred";  // the message when the fault is the server's

  [[nodiscard]] bool takes_body() const { return body_limit > 0; }
};

// Every route, in the order the documentation shows them.
[[nodiscard]] std::span<const Route> routes();

}  // namespace wajah::server
