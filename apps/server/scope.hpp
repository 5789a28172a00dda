// Scope: what a route needs its caller to be allowed to do. A caller holds a set of them.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace wajah::server {

enum class Scope {
  open,  // anybody, without a key
  recognize,
  attendance_write,
  attendance_read,
  people_read,
  people_write,
  embed,
  privacy,
  admin,
};

// All but `open`, which is no permission to give.
inline constexpr std::array grantable_scopes{
    Scope::recognize,    Scope::attendance_write, Scope::attendance_read, Scope::people_read,
    Scope::people_write, Scope::embed,            Scope::privacy,         Scope::admin,
};

[[nodiscard]] constexpr std::string_view name_of(Scope scope) {
  switch (scope) {
    case Scope::open: return "open";
    case Scope::recognize: return "recognize";
    case Scope::attendance_write: return "attendance:write";
    case Scope::attendance_read: return "attendance:read";
    case Scope::people_read: return "people:read";
    case Scope::people_write: return "people:write";
    case Scope::embed: return "embed";
    case Scope::privacy: return "privacy";
    case Scope::admin: return "admin";
  }
  return "open";
}

[[nodiscard]] constexpr std::optional<Scope> scope_named(std::string_view name) {
  for (const Scope scope : grantable_scopes) {
    if (name_of(scope) == name) return scope;
  }
  return std::nullopt;
}

class ScopeSet {
 public:
  constexpr ScopeSet() = default;
  constexpr ScopeSet(std::initializer_list<Scope> scopes) {
    for (const Scope scope : scopes) add(scope);
  }

  [[nodiscard]] static constexpr ScopeSet all() {
    ScopeSet result;
    for (const Scope scope : grantable_scopes) result.add(scope);
    return result;
  }

  constexpr void add(Scope scope) { bits_ |= bit(scope); }
  [[nodiscard]] constexpr bool has(Scope scope) const { return scope == Scope::open || (bits_ & bit(scope)) != 0; }
  [[nodiscard]] constexpr bool includes(ScopeSet others) const { return (others.bits_ & ~bits_) == 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }

  friend constexpr bool operator==(const ScopeSet&, const ScopeSet&) = default;

 private:
  [[nodiscard]] static constexpr std::uint32_t bit(Scope scope) {
    return std::uint32_t{1} << static_cast<unsigned>(scope);
  }
  std::uint32_t bits_ = 0;
};

}  // namespace wajah::server
