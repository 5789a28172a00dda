#include "server/router.hpp"

#include "attendance/digest.hpp"
#include "server/api/backend.hpp"
#include "server/body_schema.hpp"
#include "server/header_value.hpp"
#include "server/http_options.hpp"
#include "server/json.hpp"
#include "server/path.hpp"
#include "server/problem.hpp"
#include "server/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace wajah::server {
namespace {

bool accepts(const Route& route, std::string_view method) {
  return name_of(route.verb) == method || (route.verb == Verb::get && method == "HEAD");
}

std::string allowed(std::span<const Route* const> candidates) {
  std::string result;
  for (const auto* route : candidates) {
    result +=
        fmt::format("{}{}", result.empty() ? "" : ", ", route->verb == Verb::get ? "GET, HEAD" : name_of(route->verb));
  }
  return result;
}

Reply lost(const Request& request, bool in_api, int status) {
  const bool missing = status == 404;
  if (in_api) {
    const auto detail = missing ? fmt::format("Nothing is at {}.", header_text(request.target.substr(0, 200)))
                                : fmt::format("The path has no {}.", request.method);
    return problem_reply(request, problem_kind(code_of(status)), detail);
  }
  return detail_reply(status, missing ? "Not Found" : "Method Not Allowed");
}

// As the original's framework answers the path without its slash; clients then send everything again.
std::optional<Reply> slash_redirect(const Site& site, const Route& route, const Request& request) {
  const auto path_end = std::min(request.target.find('?'), request.target.size());
  const bool bare = request.target.substr(0, path_end) == route.path;
  if (!site.compat.redirect_slash || !bare || route.fields.empty() || route.shape == Shape::problem) return {};
  // Relative, so that it keeps to the scheme that the client speaks, also to a proxy.
  const auto place = fmt::format("{}/{}", route.path, request.target.substr(path_end));
  return Reply{307, "text/plain; charset=utf-8", "", {}}.with("Location", place);
}

// A body that is the route's file and nothing else.
bool is_file_alone(const Route& route, std::string_view type) {
  const auto* file = file_alone(route);
  if (!file) return false;
  const auto wanted = type_alone(*file);
  return wanted.ends_with('*') ? type.starts_with(wanted.substr(0, wanted.size() - 1)) : type == wanted;
}

bool is_json(std::string_view type) { return type == "application/json" || type.ends_with("+json"); }

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

std::string_view code_of_cause(attendance::Cause cause) {
  using attendance::Cause;
  switch (cause) {
    case Cause::unknown_person: return "person_unknown";
    case Cause::inactive: return "person_inactive";
    case Cause::consent_missing: return "consent_missing";
    case Cause::busy: return "busy";
    case Cause::stopping: return "stopping";
    case Cause::late: return "late";
    case Cause::training: return "not_trained";
    case Cause::undecodable: return "image_undecodable";
    case Cause::no_face: return "face_not_found";
    case Cause::unusable_photos: return "face_unusable";
    case Cause::duplicate_face: return "duplicate_face";
    case Cause::unknown_site:
    case Cause::unknown_event:
    case Cause::not_found: return "not_found";
    case Cause::conflict: return "conflict";
    default: return "validation_failed";
  }
}

Reply refused(const Route& route, const Request& request, const attendance::Refusal& refusal) {
  if (route.shape == Shape::problem) {
    return problem_reply(request, problem_kind(code_of_cause(refusal.cause())), refusal.what());
  }
  return failed(route, request, status_of(refusal.cause()), refusal.what());
}

Reply failure_of(const Route& route, Site& site, const Request& request, std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const Problem& problem) {
    return problem_reply(request, problem.problem(), problem.what(), problem.errors());
  } catch (const attendance::Refusal& refusal) {
    return refused(route, request, refusal);
  } catch (const Error& fault) {
    site.warn(fmt::format("request {}: {}", request.id, fault.what()));
    if (fault.kind() != ErrorKind::storage) return failed(route, request, 500, route.fault);
    return failed(route, request, 503, "The data folder cannot be used now", "storage_unavailable")
        .with("Retry-After", "2");
  } catch (const std::exception& fault) {
    site.warn(fmt::format("request {}: {}", request.id, fault.what()));
    return failed(route, request, 500, route.fault);
  }
}

bool remembers(const Route& route) {
  return std::ranges::any_of(route.parameters, [](const Parameter& p) { return p.name == "Idempotency-Key"; });
}

// What two requests must have in common to be the same: the body's values and files, and where they went.
std::string fingerprint(Request& request) {
  attendance::Digest digest{};
  const auto values = to_text(request.body);
  const auto files = request.form.whole();
  attendance::hash({{std::as_bytes(std::span(request.target)), std::as_bytes(std::span(values)), files}}, digest);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// What stands for an answer that must not lie in memory for a day.
Reply told_once(const Request& request) {
  return problem_reply(request, problem_kind("conflict"),
                       "This request was done before, and its answer held a secret that is told once. If the answer "
                       "was lost, remove what was made and make another under a new Idempotency-Key.");
}

// The answer to a request whose key was seen before is the one it got then; a failure of the server's is not kept.
Reply run_once(const Route& route, Site& site, Request& request, std::string_view header) {
  auto& memory = site.backend->replies;
  const auto key = fmt::format("{}\n{} {}\n{}", request.caller.name, name_of(route.verb), route.path, header);
  auto verdict = memory.begin(key, fingerprint(request), ReplyMemory::Clock::now());
  if (verdict.kind == ReplyMemory::Verdict::Kind::replay) {
    return std::move(verdict.reply->with("Idempotency-Replayed", "true"));
  }
  if (verdict.kind == ReplyMemory::Verdict::Kind::reused) {
    throw Problem("key_reused", "This Idempotency-Key came with another request before.");
  }
  Reply reply;
  try {
    reply = route.handle(site, request);
  } catch (...) {
    reply = failure_of(route, site, request, std::current_exception());
  }
  if (reply.status < 400) {
    memory.keep(key, reply.secret ? told_once(request) : reply);
  } else {
    memory.forget(key);
  }
  return reply;
}

int status_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::head_too_large: return 431;
    case FaultKind::version: return 505;
    case FaultKind::expectation: return 417;
    case FaultKind::too_large: return 413;
    case FaultKind::too_many_files: return 422;
    case FaultKind::framing:
    case FaultKind::body: return 400;
  }
  return 400;
}

}  // namespace

std::variant<const Route*, Reply> find_route(const Site& site, Request& request) {
  // CONNECT and OPTIONS name no resource of ours when their target is not a path.
  if (request.target == "*" || request.method == "CONNECT") {
    return detail_reply(405, "Method Not Allowed").with("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE");
  }
  const auto segments = segments_of(request.target);
  const bool in_api = segments && segments->size() > 1 && segments->front() == "api";
  std::vector<const Route*> candidates;
  const Route* found = nullptr;
  if (segments) {
    for (const auto& route : routes()) {
      auto values = match_path(route.path, *segments);
      if (!values) continue;
      candidates.push_back(&route);
      // Literal paths stand before templates that would take them, too.
      if (!found && accepts(route, request.method)) {
        found = &route;
        request.path = std::move(*values);
      }
    }
  }
  if (candidates.empty()) return lost(request, in_api, 404);
  if (!found) return lost(request, in_api, 405).with("Allow", allowed(candidates));
  if (auto redirect = slash_redirect(site, *found, request)) return std::move(*redirect);
  return found;
}

namespace {

// The original's routes know no sites.
bool reaches_all_sites(const Route& route) {
  if (route.shape != Shape::problem) return route.scope == Scope::people_write;
  return route.scope == Scope::admin && !route.for_one_site;
}

}  // namespace

std::optional<Reply> refuse_caller(const Route& route, const Request& request) {
  const auto& caller = request.caller;
  if (caller.scopes.has(route.scope)) {
    if (!caller.site || !reaches_all_sites(route)) return std::nullopt;
    return failed(route, request, 403,
                  fmt::format("This concerns all sites; the key belongs to the site {} alone", *caller.site),
                  "wrong_site");
  }
  if (!caller.known) return failed(route, request, 401, "A key is needed", "key_missing");
  return failed(route, request, 403, fmt::format("The scope {} is needed", name_of(route.scope)), "scope_missing");
}

std::optional<Reply> refuse_content_type(const Route& route, const Request& request, bool has_body) {
  // The original's routes take whatever comes and find no field in it.
  if (route.shape != Shape::problem || !has_body || !route.takes_body()) return std::nullopt;
  const auto given = request.headers.get("content-type");
  const auto type = parse_header_value(given);
  const std::string_view value = type ? std::string_view(type->value) : std::string_view();
  const bool is_form = value == "multipart/form-data" || value == "application/x-www-form-urlencoded";
  const bool fits_json = is_json(value) && takes_json(route);
  const bool fits = route.fields.empty() ? fits_json : is_form || fits_json || is_file_alone(route, value);
  if (fits) return std::nullopt;
  std::string expected = route.fields.empty() ? "application/json" : "multipart/form-data";
  if (!route.fields.empty() && takes_json(route)) expected += ", application/json";
  if (const auto* file = file_alone(route)) expected += fmt::format(", {}", type_alone(*file));
  return failed(route, request, 415,
                fmt::format("The Content-Type is \"{}\", expected {}", header_text(given.substr(0, 100)), expected),
                "unsupported_type");
}

std::size_t body_limit_of(const Route& route, const Request& request) {
  // A body that nobody asked for is read over up to a limit of the server's own.
  if (!route.takes_body()) return HttpOptions().skipped_body;
  const auto type = parse_header_value(request.headers.get("content-type"));
  const bool as_json = route.shape == Shape::problem && type && is_json(type->value);
  return as_json ? json_limit(route) : route.body_limit;
}

std::unique_ptr<FormReader> make_body_reader(const Route& route, Request& request, const FormLimits& limits) {
  const auto given = request.headers.get("content-type");
  if (route.shape == Shape::problem) {
    const auto type = parse_header_value(given);
    if (type && is_json(type->value)) return make_whole_reader(request.form);
    if (type && is_file_alone(route, type->value)) return make_whole_reader(request.form, file_alone(route)->name);
  }
  return make_form_reader(given, route.fields, request.form, limits);
}

Reply run_route(const Route& route, Site& site, Request& request) {
  try {
    if (const auto* key = request.headers.find("idempotency-key"); key && site.backend && remembers(route)) {
      return run_once(route, site, request, *key);
    }
    return route.handle(site, request);
  } catch (...) {
    return failure_of(route, site, request, std::current_exception());
  }
}

Reply run_prepared(const Route& route, Site& site, Request& request) {
  try {
    if (auto refusal = prepare(route, request)) return std::move(*refusal);
  } catch (...) {
    return failure_of(route, site, request, std::current_exception());
  }
  return run_route(route, site, request);
}

Reply failed(const Route& route, const Request& request, int status, std::string_view message, std::string_view code) {
  const auto reply = [&]() -> Reply {
    switch (route.shape) {
      case Shape::success: return failure_reply(status, message);
      case Shape::message: return message_reply(status, message);
      case Shape::problem: return problem_reply(request, problem_kind(code.empty() ? code_of(status) : code), message);
      case Shape::detail: break;
    }
    return detail_reply(status, message);
  };
  auto result = reply();
  if (status == 503 && route.shape != Shape::problem) result.with("Retry-After", "1");
  if (status == 401 && route.shape != Shape::problem) result.with("WWW-Authenticate", "Bearer realm=\"wajah\"");
  return result;
}

Reply failed(const Route& route, const Request& request, const Fault& fault) {
  const auto limit = body_limit_of(route, request);
  if (route.shape != Shape::problem) return fault_reply(fault, limit);
  const int status = status_of(fault.kind);
  const auto code = status == 400 ? std::string_view("bad_body") : code_of(status);
  const auto detail = fault.kind == FaultKind::too_large
                          ? fmt::format("The body is larger than {} bytes", limit)
                          : fault.cause;
  boost::json::array errors;
  if (fault.kind == FaultKind::too_many_files) errors.push_back(error_entry({"body"}, fault.cause, "too_long"));
  return problem_reply(request, problem_kind(code), detail, errors);
}

}  // namespace wajah::server
