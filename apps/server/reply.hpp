// Reply: what a route answers, before the HTTP session puts it on the wire.
#pragma once

#include "server/body_source.hpp"
#include "server/fault.hpp"

#include <boost/json/value.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wajah::server {

struct Timing {
  std::string_view stage;  // "decode", "detect", "embed", "search"
  double milliseconds = 0;
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<Timing> timings = {};                // for Server-Timing, besides those of the session
  bool secret = false;                             // told this once: never kept to be told again
  std::shared_ptr<BodySource> source = nullptr;    // instead of `body`: sent in chunks as it comes

  Reply& with(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};

[[nodiscard]] Reply json_reply(int status, const boost::json::value& value);
[[nodiscard]] Reply html_reply(std::string page);
[[nodiscard]] Reply empty_reply();  // 204

// The shapes of the original's failures: which one a route uses is part of its contract.
[[nodiscard]] Reply detail_reply(int status, std::string_view detail);    // {"detail":"..."}
[[nodiscard]] Reply failure_reply(int status, std::string_view message);  // {"success":false,"message":"..."}
[[nodiscard]] Reply message_reply(int status, std::string_view message);  // {"message":"..."}

// 422 of FastAPI with pydantic 2: one entry for each missing field, in the order given.
[[nodiscard]] Reply missing_reply(const std::vector<std::string_view>& fields);

// The reply of the original's routes to bytes that are wrong, its cause in X-Wajah-Error. `body_limit`: of the route,
// for too_large.
[[nodiscard]] Reply fault_reply(const Fault& fault, std::size_t body_limit = 0);

// ASCII for a header field: anything else, and control characters, becomes %XX.
[[nodiscard]] std::string header_text(std::string_view text);

}  // namespace wajah::server
