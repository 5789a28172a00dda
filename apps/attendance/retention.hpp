// Retention: what was kept long enough is erased, and the audit log says how much.
#pragma once

#include "attendance/records/record_store.hpp"
#include "attendance/site_time.hpp"
#include "attendance/storage/audit_log.hpp"
#include "attendance/storage/job_store.hpp"
#include "attendance/storage/people_store.hpp"
#include "attendance/storage/webhook_store.hpp"
#include "attendance/store.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace wajah::attendance {

// Days; 0 keeps for ever.
struct RetentionRules {
  std::chrono::days events{0};      // attendance: events, rows and the daily log, by business date
  std::chrono::days templates{0};   // of people whom nothing was heard of: no event, no change, no new photo
  std::chrono::days leftovers{30};  // jobs that have ended, deliveries that are over, idempotency keys
};

struct RetentionReport {
  std::int64_t events = 0, rows = 0, log_files = 0, people = 0;

  friend bool operator==(const RetentionReport&, const RetentionReport&) = default;
};

class Retention {
 public:
  struct Parts {
    Store& store;
    PeopleStore& people;
    RecordStore& records;
    JobStore& jobs;
    WebhookStore& webhooks;
    AuditLog& audit;
  };

  // `removed` is told of everybody who was erased, after it was committed; what it throws ends the run, and the audit
  // log tells what was erased until then.
  Retention(const Parts& parts, const RetentionRules& rules, std::filesystem::path log_folder, const Zone& zone,
            std::function<void(const Person&)> removed);

  // Erases what is due at `now`; what fails is left for the next time. Throws Error (storage).
  RetentionReport run(Time now);

 private:
  [[nodiscard]] Date date_of(Time at) const;
  void erase_attendance(Date before, RetentionReport& report);
  [[nodiscard]] std::int64_t erase_logs(Date before) const;
  void erase_due(Time now, RetentionReport& report);
  void erase_unseen(Time now, Time before, std::int64_t& erased);
  [[nodiscard]] bool seen_since(const PersonRecord& person, Time before);

  Parts parts_;
  RetentionRules rules_;
  std::filesystem::path log_folder_;
  Zone zone_;
  std::function<void(const Person&)> removed_;
};

}  // namespace wajah::attendance
