// ConsentStore: who agreed to what, when, and when they took it back. Erased with the person.
#pragma once

#include "attendance/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

struct Consent {
  std::int64_t id = 0;
  PersonId person = 0;
  std::string text_version;  // of the text they agreed to
  std::string channel;       // "page", "paper", "api"
  Time given_at;
  std::optional<Time> withdrawn_at;
};

class ConsentStore {
 public:
  virtual ~ConsentStore() = default;

  // Nothing if there is no such person.
  virtual std::optional<Consent> give(PersonId person, std::string_view text_version, std::string_view channel,
                                      Time at) = 0;

  // Withdraws all of the person's consents and makes them inactive, in one transaction: nobody is matched without
  // consent afterwards. Returns how many were withdrawn.
  virtual std::int64_t withdraw(PersonId person, Time at) = 0;

  [[nodiscard]] virtual std::vector<Consent> of(PersonId person) = 0;          // in the order given
  [[nodiscard]] virtual std::optional<Consent> in_force(PersonId person) = 0;  // the latest not withdrawn
};

}  // namespace wajah::attendance
