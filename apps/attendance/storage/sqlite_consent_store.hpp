// SqliteConsentStore: the ConsentStore in SQLite.
#pragma once

#include "attendance/storage/consent_store.hpp"
#include "attendance/storage/database.hpp"

namespace wajah::attendance {

class SqliteConsentStore final : public ConsentStore {
 public:
  explicit SqliteConsentStore(Database& database) : database_(database) {}  // which outlives it

  std::optional<Consent> give(PersonId person, std::string_view text_version, std::string_view channel,
                              Time at) override;
  std::int64_t withdraw(PersonId person, Time at) override;
  std::vector<Consent> of(PersonId person) override;
  std::optional<Consent> in_force(PersonId person) override;

 private:
  Database& database_;
};

}  // namespace wajah::attendance
