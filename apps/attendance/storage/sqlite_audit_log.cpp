#include "attendance/storage/sqlite_audit_log.hpp"

#include "attendance/digest.hpp"
#include "attendance/storage/secret.hpp"
#include "attendance/storage/sql_values.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>

namespace wajah::attendance {
namespace {

constexpr std::int64_t nobody = -1;
constexpr std::size_t salt_bytes = 16;

sqlite::Blob bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// Every part behind its length, so that no two different lists of parts read the same.
Digest digest_of_parts(std::initializer_list<sqlite::Blob> parts) {
  std::vector<std::uint64_t> lengths;
  for (const auto part : parts) lengths.push_back(part.size());
  std::vector<sqlite::Blob> pieces{std::as_bytes(std::span(lengths))};
  pieces.insert(pieces.end(), parts.begin(), parts.end());
  Digest digest{};
  hash(pieces, digest);
  return digest;
}

Digest digest_of_texts(sqlite::Blob salt, std::string_view subject, std::string_view detail) {
  return digest_of_parts({salt, bytes_of(subject), bytes_of(detail)});
}

Digest link(const Digest& former, std::int64_t id, const AuditEvent& event, sqlite::Blob texts) {
  const std::array<std::int64_t, 3> numbers{id, microseconds(event.at), event.person.value_or(nobody)};
  return digest_of_parts(
      {former, std::as_bytes(std::span(numbers)), bytes_of(event.actor), bytes_of(event.action), texts});
}

std::optional<Digest> digest_in(sqlite::Blob blob) {
  Digest digest{};
  if (blob.size() != digest.size()) return std::nullopt;
  std::ranges::copy(blob, digest.begin());
  return digest;
}

// Columns id, at, actor, action, person, subject, detail, hash.
AuditRow row_of(const sqlite::Statement& row) {
  AuditRow audit;
  audit.id = row.integer(0);
  audit.event = {time_of(row.integer(1)), row.text(2), row.text(3), std::nullopt, row.text(5), row.text(6)};
  if (!row.null(4)) audit.event.person = row.integer(4);
  audit.erased = row.null(6);
  audit.hash = digest_in(row.blob(7)).value_or(Digest{});
  return audit;
}

AuditHead head_of(sqlite::Connection& connection) {
  auto query = connection.prepare("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1");
  if (!query.step()) return {};
  return {query.integer(0), digest_in(query.blob(1)).value_or(Digest{})};
}

// Columns of row_of(), then salt and digest. Texts that were erased cannot be checked; their digest is in the chain.
bool texts_fit(const sqlite::Statement& row) {
  if (row.null(5) && row.null(6) && row.null(8)) return true;
  return digest_in(row.blob(9)) == digest_of_texts(row.blob(8), row.text(5), row.text(6));
}

}  // namespace

AuditHead SqliteAuditLog::append(const AuditEvent& event) {
  const std::string salt = random_hex(salt_bytes);
  const Digest texts = digest_of_texts(bytes_of(salt), event.subject, event.detail);
  Database::Write write(database_);
  const AuditHead former = head_of(*write);
  const AuditHead head{former.id + 1, link(former.hash, former.id + 1, event, texts)};
  write
      ->prepare(
          "INSERT INTO audit (id, at, actor, action, person, subject, detail, salt, digest, hash) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
      .bind(head.id, microseconds(event.at), event.actor, event.action, event.person, event.subject, event.detail,
            bytes_of(salt), sqlite::Blob(texts), sqlite::Blob(head.hash))
      .run();
  write.commit();
  return head;
}

std::vector<AuditRow> SqliteAuditLog::rows(const AuditQuery& query) {
  Database::Read read(database_);
  auto statement = read->prepare(
      "SELECT id, at, actor, action, person, subject, detail, hash FROM audit "
      "WHERE id < ?1 AND (?2 IS NULL OR at >= ?2) AND (?3 IS NULL OR at < ?3) AND (?4 IS NULL OR person = ?4) "
      "AND (?5 = '' OR action = ?5) AND (?6 = '' OR actor = ?6) ORDER BY id DESC LIMIT ?7");
  statement.bind(query.before.value_or(std::numeric_limits<std::int64_t>::max()), microseconds(query.from),
                 microseconds(query.to), query.person, query.action, query.actor,
                 static_cast<std::int64_t>(query.limit));
  std::vector<AuditRow> rows;
  while (statement.step()) rows.push_back(row_of(statement));
  return rows;
}

AuditHead SqliteAuditLog::head() {
  Database::Read read(database_);
  return head_of(*read);
}

AuditVerdict SqliteAuditLog::verify(const std::optional<AuditHead>& noted) {
  Database::Read read(database_);
  auto query =
      read->prepare("SELECT id, at, actor, action, person, subject, detail, hash, salt, digest FROM audit ORDER BY id");
  AuditVerdict verdict;
  bool noted_seen = !noted || noted->id == 0;
  while (query.step()) {
    const AuditRow row = row_of(query);
    const std::int64_t id = verdict.head.id + 1;
    const Digest expected = link(verdict.head.hash, id, row.event, query.blob(9));
    const bool fits = row.id == id && row.hash == expected && texts_fit(query);
    const bool as_noted = !noted || noted->id != id || noted->hash == row.hash;
    if (!verdict.broken_at && !(fits && as_noted)) verdict.broken_at = row.id;
    noted_seen = noted_seen || row.id == noted->id;
    verdict.head = {row.id, row.hash};
    ++verdict.rows;
  }
  if (!verdict.broken_at && !noted_seen) verdict.broken_at = verdict.head.id + 1;
  return verdict;
}

void erase_audit_texts(sqlite::Connection& writer, PersonId person) {
  writer
      .prepare(
          "UPDATE audit SET subject = NULL, detail = NULL, salt = NULL "
          "WHERE person = ?1 OR person IN (SELECT former FROM merged WHERE merged.person = ?1)")
      .bind(person)
      .run();
}

}  // namespace wajah::attendance
