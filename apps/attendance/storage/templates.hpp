// Templates in rows: sealed when there is a vault, open when not, and with a checksum over the bytes as they lie.
#pragma once

#include "attendance/sqlite.hpp"
#include "attendance/storage/vault.hpp"
#include "attendance/stored_vector.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wajah::attendance {

struct TemplateRow {
  std::vector<std::byte> bytes;
  Checksum checksum{};
  std::optional<std::string> key;  // id of the key they are sealed with
};

[[nodiscard]] TemplateRow encode_template(const Vault* vault, const TemplatePlace& place,
                                          std::span<const std::byte> bytes);

// A row's columns as they lie.
struct StoredTemplate {
  std::span<const std::byte> bytes, checksum;
  std::optional<std::string> key;
};

// Nothing if the row is damaged, not in its place, or of another key.
[[nodiscard]] std::optional<std::vector<std::byte>> decode_template(const Vault* vault, const TemplatePlace& place,
                                                                    const StoredTemplate& stored);

// Columns bytes, checksum, key from `first` on.
[[nodiscard]] std::optional<std::vector<std::byte>> decode_template(const Vault* vault, const TemplatePlace& place,
                                                                    const sqlite::Statement& row, int first);

using TemplateProgress = std::function<void(std::size_t done, std::size_t total)>;

struct Rekeyed {
  std::size_t templates = 0;
  std::size_t damaged = 0;  // removed: they could not be read, and must not lie open
};

// Every template as the vault `to` seals it (null: open), within the caller's transaction.
Rekeyed rekey_templates(sqlite::Connection& writer, const Vault* from, const Vault* to,
                        const TemplateProgress& progress);

// The person's templates sealed anew for another person, who gets their photos. Within the caller's transaction.
void reseal_templates(sqlite::Connection& writer, const Vault* vault, PhotoId photo, PersonId from, PersonId to);

}  // namespace wajah::attendance
