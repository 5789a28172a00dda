// Roles: bundles of scopes, so that nobody has to think about scopes one by one.
#pragma once

#include "server/scope.hpp"

#include <array>
#include <string_view>

namespace wajah::server {

inline constexpr std::array<std::string_view, 5> role_names{"admin", "hr", "kiosk", "auditor", "viewer"};

// What a role may do; nothing for a name that is no role. A kiosk can record attendance and learn nothing else.
[[nodiscard]] constexpr ScopeSet scopes_of_role(std::string_view role) {
  if (role == "admin") return ScopeSet::all();
  if (role == "hr") {
    return {Scope::recognize,   Scope::attendance_write, Scope::attendance_read,
            Scope::people_read, Scope::people_write,     Scope::privacy};
  }
  if (role == "kiosk") return {Scope::attendance_write};
  if (role == "auditor") return {Scope::attendance_read, Scope::people_read, Scope::privacy};
  if (role == "viewer") return {Scope::attendance_read};
  return {};
}

}  // namespace wajah::server
