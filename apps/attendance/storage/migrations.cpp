#include "attendance/storage/migrations.hpp"

#include "attendance/records/migration_records.hpp"

#include <array>

namespace wajah::attendance {

std::span<const Migration> migrations() {
  static constexpr std::array steps{
      Migration{"people, photos, embeddings, attendance", migration::gallery},
      Migration{"groups, sites, own ids and versions of people", migration::person_details},
      Migration{"keys of sealed templates, checksums of pictures", migration::sealed_templates},
      Migration{"API keys, users, sessions", migration::accounts},
      Migration{"audit log", migration::audit},
      Migration{"settings, consents, erasures", migration::privacy},
      Migration{"webhooks, deliveries, jobs", migration::webhooks_and_jobs},
      Migration{"sites, shifts, holidays, attendance events", migration::records},
      Migration{"idempotency keys by who sent them", migration::keys_of_actors},
      Migration{"erasures that also took the NIK out", migration::forgotten},
  };
  return steps;
}

}  // namespace wajah::attendance
