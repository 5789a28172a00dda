// AuditLog: who did what, and when; only ever appended to. Each row's hash covers the row and the hash before it, so an
// edit, a removal, a change of order shows; a cut at the end shows against a head that was noted elsewhere. No
// biometric data belongs in it. Texts that name a person are erased with the person, and the chain still holds: it
// covers them through a salted digest. All throw Error (storage).
#pragma once

#include "attendance/store.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wajah::attendance {

struct AuditEvent {
  Time at;
  std::string actor;               // "key:<id>", "user:<name>", "cli", "server": never a person's NIK or name
  std::string action;              // "person.rename"
  std::optional<PersonId> person;  // whom it is about
  std::string subject;             // what it is about, for people: a NIK, a key's id; erased with the person
  std::string detail = "{}";       // a JSON object; erased with the person
};

struct AuditRow {
  std::int64_t id = 0;  // 1, 2, 3 without a gap
  AuditEvent event;
  bool erased = false;  // subject and detail are gone
  Digest hash{};
};

struct AuditHead {
  std::int64_t id = 0;  // 0: nothing was ever appended
  Digest hash{};

  friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

struct AuditQuery {
  std::optional<Time> from, to;  // from <= at < to
  std::optional<PersonId> person;
  std::string action, actor;           // empty: all
  std::optional<std::int64_t> before;  // rows with a smaller id: the newest come first
  std::size_t limit = 50;
};

struct AuditVerdict {
  std::int64_t rows = 0;
  std::optional<std::int64_t> broken_at;  // the first row that does not fit; nothing: the chain holds
  AuditHead head;
};

class AuditLog {
 public:
  virtual ~AuditLog() = default;

  virtual AuditHead append(const AuditEvent& event) = 0;
  [[nodiscard]] virtual std::vector<AuditRow> rows(const AuditQuery& query) = 0;  // the newest first
  [[nodiscard]] virtual AuditHead head() = 0;

  // Walks the whole chain; with `noted`, also that the row of that id had that hash.
  [[nodiscard]] virtual AuditVerdict verify(const std::optional<AuditHead>& noted = std::nullopt) = 0;
};

}  // namespace wajah::attendance
