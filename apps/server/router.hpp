// From a request's header to the route that answers it, and everything that can be refused on the way.
#pragma once

#include "server/route.hpp"

#include <optional>
#include <string_view>
#include <variant>

namespace wajah::server {

// The route of request.method and request.target, with request.path filled in, or the 404, 405 or 307 to send. HEAD
// finds what GET finds.
[[nodiscard]] std::variant<const Route*, Reply> find_route(const Site& site, Request& request);

// The 401 or 403 if request.caller may not use the route; nothing if it may.
[[nodiscard]] std::optional<Reply> refuse_caller(const Route& route, const Request& request);

// The 415 if the route does not take a body of the request's Content-Type.
[[nodiscard]] std::optional<Reply> refuse_content_type(const Route& route, const Request& request, bool has_body);

// The most bytes that the route takes of the request's kind of body; JSON has a limit of its own.
[[nodiscard]] std::size_t body_limit_of(const Route& route, const Request& request);

// The reader that fills request.form while the body arrives.
[[nodiscard]] std::unique_ptr<FormReader> make_body_reader(const Route& route, Request& request,
                                                           const FormLimits& limits);

// Parses and checks the query and the body against the route's declaration; the 422 (or 400) if something is wrong.
[[nodiscard]] std::optional<Reply> prepare(const Route& route, Request& request);

// Runs the route's handler and turns whatever it throws into the route's failure; never throws.
[[nodiscard]] Reply run_route(const Route& route, Site& site, Request& request);

// prepare() and then run_route(): both read the whole body, so a network thread leaves them to others. Never throws.
[[nodiscard]] Reply run_prepared(const Route& route, Site& site, Request& request);

// A failure in the route's shape. `code`: of problems.hpp; empty for the usual one of the status.
[[nodiscard]] Reply failed(const Route& route, const Request& request, int status, std::string_view message,
                           std::string_view code = {});

// The failure for bytes that are wrong.
[[nodiscard]] Reply failed(const Route& route, const Request& request, const Fault& fault);

}  // namespace wajah::server
