#include "attendance/storage/templates.hpp"

namespace wajah::attendance {
namespace {

struct Embedded {
  PhotoId photo;
  PersonId person;
  std::string model;  // of an embedding; empty: the kept picture
};

std::vector<Embedded> all_templates(sqlite::Connection& connection) {
  std::vector<Embedded> found;
  auto query = connection.prepare(
      "SELECT photo.id, photo.person, model FROM photo JOIN embedding ON embedding.photo = photo.id "
      "UNION ALL SELECT photo.id, photo.person, '' FROM photo JOIN picture ON picture.photo = photo.id");
  while (query.step()) found.push_back({query.integer(0), query.integer(1), query.text(2)});
  return found;
}

std::vector<Embedded> templates_of(sqlite::Connection& connection, PhotoId photo, PersonId person) {
  std::vector<Embedded> found;
  auto query = connection.prepare(
      "SELECT model FROM embedding WHERE photo = ?1 UNION ALL SELECT '' FROM picture WHERE photo = ?1");
  query.bind(photo);
  while (query.step()) found.push_back({photo, person, query.text(0)});
  return found;
}

TemplatePlace place_of(const Embedded& row, PersonId person) {
  return {person, row.photo, row.model.empty() ? picture_kind : std::string_view(row.model)};
}

std::optional<std::vector<std::byte>> read(sqlite::Connection& connection, const Vault* vault, const Embedded& row) {
  if (row.model.empty()) {
    auto query = connection.prepare("SELECT bytes, checksum, key FROM picture WHERE photo = ?1");
    if (!query.bind(row.photo).step()) return std::nullopt;
    return decode_template(vault, place_of(row, row.person), query, 0);
  }
  auto query = connection.prepare("SELECT vector, checksum, key FROM embedding WHERE photo = ?1 AND model = ?2");
  if (!query.bind(row.photo, row.model).step()) return std::nullopt;
  return decode_template(vault, place_of(row, row.person), query, 0);
}

void rewrite(sqlite::Connection& writer, const Embedded& row, const TemplateRow& encoded) {
  if (row.model.empty()) {
    writer.prepare("UPDATE picture SET bytes = ?2, checksum = ?3, key = ?4 WHERE photo = ?1")
        .bind(row.photo, sqlite::Blob(encoded.bytes), sqlite::Blob(encoded.checksum), encoded.key)
        .run();
    return;
  }
  writer.prepare("UPDATE embedding SET vector = ?3, checksum = ?4, key = ?5 WHERE photo = ?1 AND model = ?2")
      .bind(row.photo, row.model, sqlite::Blob(encoded.bytes), sqlite::Blob(encoded.checksum), encoded.key)
      .run();
}

void remove(sqlite::Connection& writer, const Embedded& row) {
  if (row.model.empty()) return writer.prepare("DELETE FROM picture WHERE photo = ?1").bind(row.photo).run();
  writer.prepare("DELETE FROM embedding WHERE photo = ?1 AND model = ?2").bind(row.photo, row.model).run();
}

}  // namespace

TemplateRow encode_template(const Vault* vault, const TemplatePlace& place, std::span<const std::byte> bytes) {
  TemplateRow row;
  if (vault) {
    row.bytes = vault->seal(place, bytes);
    row.key = vault->id();
  } else {
    row.bytes.assign(bytes.begin(), bytes.end());
  }
  row.checksum = checksum_of(place.photo, place.kind, row.bytes);
  return row;
}

std::optional<std::vector<std::byte>> decode_template(const Vault* vault, const TemplatePlace& place,
                                                      const StoredTemplate& stored) {
  if (!checksum_fits(stored.checksum, place.photo, place.kind, stored.bytes)) return std::nullopt;
  if (stored.key.has_value() != (vault != nullptr)) return std::nullopt;
  if (vault) return *stored.key == vault->id() ? vault->open(place, stored.bytes) : std::nullopt;
  return std::vector(stored.bytes.begin(), stored.bytes.end());
}

std::optional<std::vector<std::byte>> decode_template(const Vault* vault, const TemplatePlace& place,
                                                      const sqlite::Statement& row, int first) {
  const auto key = row.null(first + 2) ? std::nullopt : std::optional(row.text(first + 2));
  return decode_template(vault, place, StoredTemplate{row.blob(first), row.blob(first + 1), key});
}

Rekeyed rekey_templates(sqlite::Connection& writer, const Vault* from, const Vault* to,
                        const TemplateProgress& progress) {
  const auto rows = all_templates(writer);
  Rekeyed result;
  for (const Embedded& row : rows) {
    if (const auto bytes = read(writer, from, row)) {
      rewrite(writer, row, encode_template(to, place_of(row, row.person), *bytes));
    } else {
      remove(writer, row);
      ++result.damaged;
    }
    ++result.templates;
    if (progress) progress(result.templates, rows.size());
  }
  return result;
}

void reseal_templates(sqlite::Connection& writer, const Vault* vault, PhotoId photo, PersonId from, PersonId to) {
  if (!vault) return;
  for (const Embedded& row : templates_of(writer, photo, from)) {
    const auto bytes = read(writer, vault, row);
    if (bytes) rewrite(writer, row, encode_template(vault, place_of(row, to), *bytes));
  }
}

}  // namespace wajah::attendance
