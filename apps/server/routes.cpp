#include "server/route.hpp"

#include "server/original_routes.hpp"
#include "server/system_routes.hpp"
#include "server/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace wajah::server {
namespace {

constexpr std::size_t kib = 1024, mib = 1024 * kib;

constexpr std::string_view json_type = "application/json", html_type = "text/html";

constexpr Field upload_fields[] = {
    {"nik", FieldKind::text, "Employee number: [A-Za-z0-9][A-Za-z0-9._-]{0,63}"},
    {"nama", FieldKind::text, "Name in capital letters"},
    {"files", FieldKind::files, "1 to 100 photos, each of this one person: JPEG, PNG or WebP"},
};
constexpr Field recognise_fields[] = {
    {"nik_input", FieldKind::text, "The employee number that the person claims"},
    {"file", FieldKind::file, "One photo: JPEG, PNG or WebP"},
};
constexpr Field remove_fields[] = {
    {"nik_hapus", FieldKind::text, "Employee number"},
    {"nama", FieldKind::text, "Name, exactly as it was enrolled"},
};

constexpr Answer too_large{413, "The body is larger than the route takes", json_type, "Detail"};
constexpr Answer missing{422, "A field is missing or empty", json_type, "Missing"};

constexpr Answer upload_answers[] = {
    {200,
     "Stored; the person is recognisable from now on. Photos without a usable face are left out and named in the "
     "header X-Wajah-Skipped.",
     json_type, "Success"},
    {400,
     "Nothing was stored: the form is broken or the name not in capitals (detail), more than 100 files, a file that "
     "is no picture, no usable face, or a NIK or name that is not allowed (message).",
     json_type, "DetailOrFailure"},
    too_large,
    missing,
    {500, "A fault of the server, or training failed: the photos are stored, the former model serves on", json_type,
     "Failure"},
    {503, "Busy, shutting down, or started without models; Retry-After says when to try again", json_type, "Failure"},
    {504, "Not done in time; nothing was stored", json_type, "Failure"},
};
constexpr Answer recognise_answers[] = {
    {200,
     "One result for each face. nik_matched only with exactly one face that belongs to nik_input with an accuracy of "
     "0.7 or more.",
     json_type, "Recognition"},
    {400, "The form is broken (detail), or the file is no picture (message)", json_type, "DetailOrMessage"},
    too_large,
    missing,
    {500, "A fault of the server", json_type, "Message"},
    {503, "Busy, shutting down, or started without models; Retry-After says when to try again", json_type, "Message"},
    {504, "Not done in time", json_type, "Message"},
};
constexpr Answer remove_answers[] = {
    {200, "The person is gone and not matchable any more", json_type, "Removal"},
    {400, "The form is broken", json_type, "Detail"},
    {404, "Nobody has that NIK and that name", json_type, "Failure"},
    too_large,
    missing,
    {500, "A fault of the server, or training failed: the person is gone, the former model serves on without them",
     json_type, "Removal"},
    {503, "Busy, shutting down, or started without models; Retry-After says when to try again", json_type, "Failure"},
    {504, "Not known to be done in time; ask again", json_type, "Failure"},
};
constexpr Answer landing_answers[] = {
    {200, "Where to find what: a page for browsers, JSON for others", json_type, "Landing"}};
constexpr Answer health_answers[] = {{200, "The process answers", json_type, "Status"}};
constexpr Answer ready_answers[] = {{200, "Models are loaded and have done one real inference", json_type, "Status"},
                                    {503, "Not now; reason says why", json_type, "Status"}};
constexpr Answer version_answers[] = {{200, "Of the program, its device and its model", json_type, "Version"}};
constexpr Answer openapi_answers[] = {{200, "OpenAPI 3.1", json_type, "Any"}};
constexpr Answer page_answers[] = {{200, "A page", html_type, ""}};
constexpr Answer style_answers[] = {{200, "The style sheet of the pages", "text/css", ""}};

constexpr Route table[] = {
    {Verb::post, "/upload", "attendance", "Enrol a person", "Adds photos to a person, new or known by that NIK.",
     Lane::manage, 200 * mib, upload_fields, upload_answers, upload, failure_reply},
    {Verb::post, "/recognize", "attendance", "Recognise a photo",
     "Says who is in the photo and whether it is the claimed person, and records it.", Lane::recognise, 10 * mib,
     recognise_fields, recognise_answers, recognise, message_reply, "An error occurred during face recognition"},
    {Verb::remove, "/hapus", "attendance", "Remove a person",
     "Erases photos and embeddings. The form may be multipart or urlencoded.", Lane::manage, 64 * kib, remove_fields,
     remove_answers, remove_person, failure_reply},
    {Verb::get, "/healthz", "operations", "Is the process alive?", "", Lane::at_once, 0, {}, health_answers, healthz},
    {Verb::get, "/readyz", "operations", "Can it recognise?", "", Lane::at_once, 0, {}, ready_answers, readyz},
    {Verb::get, "/version", "operations", "What is running", "", Lane::at_once, 0, {}, version_answers, version},
    {Verb::get, "/", "pages", "Start page", "", Lane::at_once, 0, {}, landing_answers, landing},
    {Verb::get, "/docs", "pages", "Documentation with forms to try", "", Lane::at_once, 0, {}, page_answers, docs},
    {Verb::get, "/redoc", "pages", "Documentation for reading", "", Lane::at_once, 0, {}, page_answers, redoc},
    {Verb::get, "/openapi.json", "pages", "This description", "", Lane::at_once, 0, {}, openapi_answers, openapi},
    {Verb::get, "/style.css", "pages", "Style of the pages", "", Lane::at_once, 0, {}, style_answers, style_sheet},
};

bool accepts(const Route& route, std::string_view method) {
  return name_of(route.verb) == method || (route.verb == Verb::get && method == "HEAD");
}

// The path of a request target (RFC 9112, 3.2: origin or absolute form), decoded; nothing if it cannot be.
std::optional<std::string> path_of(std::string_view target) {
  if (equal_ignoring_case(target.substr(0, 7), "http://")) {
    target.remove_prefix(std::min(target.find_first_of("/?#", 7), target.size()));
    if (target.empty() || target.front() != '/') return "/";
  }
  auto path = percent_decode(target.substr(0, target.find_first_of("?#")));
  if (path && path->size() > 1 && path->ends_with('/') && *path != "//") path->pop_back();
  return path;
}

std::string allowed(std::span<const Route* const> candidates) {
  std::string result;
  for (const auto* route : candidates) {
    result +=
        fmt::format("{}{}", result.empty() ? "" : ", ", route->verb == Verb::get ? "GET, HEAD" : name_of(route->verb));
  }
  return result;
}

int status_of(attendance::Cause cause) {
  using attendance::Cause;
  switch (cause) {
    case Cause::unknown_person: return 404;
    case Cause::busy:
    case Cause::stopping: return 503;
    case Cause::late: return 504;
    case Cause::training: return 500;
    default: return 400;
  }
}

Reply failure_of(const Route& route, Site& site, const Request& request, std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const attendance::Refusal& refusal) {
    const int status = status_of(refusal.cause());
    auto reply = route.failure(status, refusal.what());
    return status == 503 ? reply.with("Retry-After", "1") : reply;
  } catch (const Error& fault) {
    site.warn(fmt::format("request {}: {}", request.id, fault.what()));
    if (fault.kind() != ErrorKind::storage) return route.failure(500, route.fault);
    return route.failure(503, "The data folder cannot be used now").with("Retry-After", "2");
  } catch (const std::exception& fault) {
    site.warn(fmt::format("request {}: {}", request.id, fault.what()));
    return route.failure(500, route.fault);
  }
}

}  // namespace

std::string_view name_of(Verb verb) {
  switch (verb) {
    case Verb::get: return "GET";
    case Verb::post: return "POST";
    case Verb::remove: return "DELETE";
  }
  return "GET";
}

std::span<const Route> routes() { return table; }

std::variant<const Route*, Reply> find_route(std::string_view method, std::string_view target) {
  // CONNECT and OPTIONS name no resource of ours when their target is not a path.
  if (target == "*" || method == "CONNECT") {
    return detail_reply(405, "Method Not Allowed").with("Allow", "GET, HEAD, POST, DELETE");
  }
  const auto path = path_of(target);
  std::vector<const Route*> candidates;
  for (const auto& route : table) {
    if (path && route.path == *path) candidates.push_back(&route);
  }
  if (candidates.empty()) return detail_reply(404, "Not Found");
  const auto found = std::find_if(candidates.begin(), candidates.end(), [&](auto* r) { return accepts(*r, method); });
  if (found != candidates.end()) return *found;
  return detail_reply(405, "Method Not Allowed").with("Allow", allowed(candidates));
}

Reply run_route(const Route& route, Site& site, Request& request) {
  try {
    return route.handle(site, request);
  } catch (...) {
    return failure_of(route, site, request, std::current_exception());
  }
}

std::optional<Reply> check_fields(const Route& route, Form& form) {
  std::vector<std::string_view> missing_fields;
  for (const auto& field : route.fields) {
    if (form.lacks(field)) missing_fields.push_back(field.name);
  }
  if (missing_fields.empty()) return std::nullopt;
  return missing_reply(missing_fields);
}

}  // namespace wajah::server
