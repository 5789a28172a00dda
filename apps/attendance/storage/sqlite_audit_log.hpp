// SqliteAuditLog: the AuditLog in SQLite.
#pragma once

#include "attendance/storage/audit_log.hpp"
#include "attendance/storage/database.hpp"

namespace wajah::attendance {

class SqliteAuditLog final : public AuditLog {
 public:
  explicit SqliteAuditLog(Database& database) : database_(database) {}  // which outlives it

  AuditHead append(const AuditEvent& event) override;
  std::vector<AuditRow> rows(const AuditQuery& query) override;
  AuditHead head() override;
  AuditVerdict verify(const std::optional<AuditHead>& noted) override;

 private:
  Database& database_;
};

// Takes the texts that name the person, or who was merged into them, out of the log, within the transaction that
// removes them.
void erase_audit_texts(sqlite::Connection& writer, PersonId person);

}  // namespace wajah::attendance
