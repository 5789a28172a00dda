#include "attendance/storage/sqlite_consent_store.hpp"

#include "attendance/storage/sql_values.hpp"

namespace wajah::attendance {

std::optional<Consent> SqliteConsentStore::give(PersonId person, std::string_view text_version,
                                                std::string_view channel, Time at) {
  Database::Write write(database_);
  write
      ->prepare(
          "INSERT INTO consent (person, text_version, channel, given_at) "
          "SELECT id, ?2, ?3, ?4 FROM person WHERE id = ?1")
      .bind(person, text_version, channel, microseconds(at))
      .run();
  if (write->changes() != 1) return std::nullopt;
  Consent consent{write->last_row(), person, std::string(text_version), std::string(channel), at, std::nullopt};
  write.commit();
  return consent;
}

std::int64_t SqliteConsentStore::withdraw(PersonId person, Time at) {
  Database::Write write(database_);
  write->prepare("UPDATE consent SET withdrawn_at = ?2 WHERE person = ?1 AND withdrawn_at IS NULL")
      .bind(person, microseconds(at))
      .run();
  const std::int64_t withdrawn = write->changes();
  write->prepare("UPDATE person SET active = 0, version = version + 1, updated_at = ?2 WHERE id = ?1 AND active = 1")
      .bind(person, microseconds(at))
      .run();
  write.commit();
  return withdrawn;
}

std::vector<Consent> SqliteConsentStore::of(PersonId person) {
  Database::Read read(database_);
  auto query = read->prepare(
      "SELECT id, person, text_version, channel, given_at, withdrawn_at FROM consent WHERE person = ?1 ORDER BY id");
  query.bind(person);
  std::vector<Consent> consents;
  while (query.step()) {
    consents.push_back({query.integer(0), query.integer(1), query.text(2), query.text(3), time_of(query.integer(4)),
                        time_in(query, 5)});
  }
  return consents;
}

std::optional<Consent> SqliteConsentStore::in_force(PersonId person) {
  std::optional<Consent> latest;
  for (Consent& consent : of(person)) {
    if (!consent.withdrawn_at) latest = std::move(consent);
  }
  return latest;
}

}  // namespace wajah::attendance
