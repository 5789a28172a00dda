// Caller: who asks, as authentication found out before a route's handler runs.
#pragma once

#include "server/scope.hpp"

#include <optional>
#include <string>

namespace wajah::server {

struct Caller {
  std::string name = "anonymous";   // of the key or the account; what the audit log calls the actor
  std::string role;                 // "admin", "hr", "kiosk", "auditor", "viewer"; empty for a key of loose scopes
  ScopeSet scopes;                  // nobody known: none
  std::optional<std::string> site;  // the only site the caller may act at; nothing: all of them
  bool known = false;               // a key or a session was shown and holds
};

// The caller where keys are not required: everything is allowed.
[[nodiscard]] inline Caller trusted_caller() { return {"local", "admin", ScopeSet::all(), std::nullopt, true}; }

}  // namespace wajah::server
