#include "attendance/storage/archive.hpp"

#include "attendance/schema.hpp"
#include "attendance/storage/archive_file.hpp"
#include "attendance/storage/archive_merge.hpp"
#include "attendance/storage/archive_parts.hpp"
#include "attendance/storage/files.hpp"
#include "attendance/storage/migrations.hpp"
#include "attendance/storage/sqlite_settings_store.hpp"
#include "attendance/storage/templates.hpp"
#include "attendance/stored_vector.hpp"

#include <wajah/error.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace wajah::attendance {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using sqlite::Access;
using sqlite::Connection;
using sqlite::Transaction;

constexpr std::string_view format_name = "wajah archive";
constexpr std::int64_t format_version = 1;
const std::string manifest_part = "manifest.json";

std::string entry_of(const ArchivePart& part) { return std::string(part.name) + ".jsonl"; }

bool holds_templates(const ArchivePart& part) {
  return std::string_view(part.table) == "embedding" || std::string_view(part.table) == "picture";
}

const char* column_of_bytes(const ArchivePart& part) {
  return std::string_view(part.table) == "embedding" ? "vector" : "bytes";
}

// The row's template laid open; false if it cannot be read. A row with its columns is (photo, model or none, bytes...).
bool lay_open(json::object& row, const ArchivePart& part, const Vault* vault, const sqlite::Statement& statement) {
  const bool picture = std::string_view(part.table) == "picture";
  const std::string kind = picture ? std::string(picture_kind) : std::string(row.at("model").as_string());
  const TemplatePlace place{row.at("person").as_int64(), row.at("photo").as_int64(), kind};
  int bytes = 0, checksum = 0, key = 0;
  for (int column = 0; column < statement.columns(); ++column) {
    if (statement.name(column) == column_of_bytes(part)) bytes = column;
    if (statement.name(column) == "checksum") checksum = column;
    if (statement.name(column) == "key") key = column;
  }
  const StoredTemplate stored{statement.blob(bytes), statement.blob(checksum),
                              statement.null(key) ? std::nullopt : std::optional(statement.text(key))};
  const auto open = decode_template(vault, place, stored);
  if (!open) return false;
  row[column_of_bytes(part)] = json_of(*open);
  row.erase("checksum");
  row.erase("key");
  return true;
}

// The reverse: as templates lie in the staged database, under its own vault. False for an embedding that is no vector:
// with a checksum of ours it would pass for one.
[[nodiscard]] bool put_away(json::object& row, const ArchivePart& part, const Vault& vault) {
  const bool picture = std::string_view(part.table) == "picture";
  const std::string kind = picture ? std::string(picture_kind) : std::string(row.at("model").as_string());
  const TemplatePlace place{row.at("person").as_int64(), row.at("photo").as_int64(), kind};
  const auto bytes = bytes_in(row.at(column_of_bytes(part)));
  if (!picture && !floats_of(bytes)) return false;
  const TemplateRow sealed = encode_template(&vault, place, bytes);
  row[column_of_bytes(part)] = json_of(sealed.bytes);
  row["checksum"] = json_of(sealed.checksum);
  row["key"] = sealed.key.value();
  return true;
}

class Exporter {
 public:
  Exporter(Connection& source, const Vault* vault, const ExportOptions& options)
      : source_(source), vault_(vault), options_(options) {
    for (const ArchivePart& part : archive_parts()) {
      auto query = source_.prepare(part.select);
      while (query.step()) ++total_;
    }
  }

  ExportReport write(ArchiveWriter& archive) {
    json::array parts;
    for (const ArchivePart& part : archive_parts()) {
      std::int64_t rows = 0;
      const PartSum sum =
          archive.add(entry_of(part), [&](const ArchiveWriter::Write& out) { rows = rows_of(part, out); });
      parts.push_back(json::object{{"name", part.name}, {"rows", rows}, {"bytes", sum.bytes}, {"sha256", sum.sha256}});
      report_.parts.push_back({part.name, rows});
    }
    const json::object manifest{{"format", format_name},
                                {"version", format_version},
                                {"schema", source_.integer("PRAGMA user_version")},
                                {"installation", setting(source_, "installation").value_or("")},
                                {"parts", std::move(parts)}};
    archive.add(manifest_part, [&](const ArchiveWriter::Write& out) { out(json::serialize(manifest) + "\n"); });
    archive.finish();
    return std::move(report_);
  }

 private:
  std::int64_t rows_of(const ArchivePart& part, const ArchiveWriter::Write& out) {
    std::int64_t rows = 0;
    auto query = source_.prepare(part.select);
    while (query.step()) {
      if (options_.progress) options_.progress(++done_, total_);
      json::object row = json_of(query);
      if (holds_templates(part) && !lay_open(row, part, vault_, query)) {
        ++report_.damaged;
        continue;
      }
      out(json::serialize(row) + "\n");
      ++rows;
    }
    return rows;
  }

  Connection& source_;
  const Vault* vault_;
  const ExportOptions& options_;
  ExportReport report_;
  std::size_t done_ = 0, total_ = 0;
};

std::optional<Vault> vault_for(Connection& source, const ExportOptions& options) {
  const auto key = setting(source, "template_key");
  if (!key) return std::nullopt;
  if (options.key_file.empty()) {
    fail(ErrorKind::storage, "the templates are sealed with key {}; name its file with --key-file", *key);
  }
  Vault vault = Vault::open_file(options.key_file);
  if (vault.id() != *key) {
    fail(ErrorKind::storage, "the templates are sealed with key {}, but {} holds key {}", *key,
         options.key_file.string(), vault.id());
  }
  if (!options.passphrase) {
    fail(ErrorKind::usage,
         "the templates are sealed here and would leave the folder open; give --passphrase-file to seal the archive");
  }
  return vault;
}

void require_newest_schema(Connection& source) {
  const auto schema = source.integer("PRAGMA user_version");
  if (schema == static_cast<std::int64_t>(migrations().size())) return;
  fail(ErrorKind::storage, "the database has schema {}, expected {}; start 'wajah serve' on it once", schema,
       migrations().size());
}

struct Manifest {
  std::int64_t schema = 0;
  std::string installation;
  json::array parts;
  std::size_t rows = 0;
};

Manifest read_manifest(ArchiveReader& archive) {
  const std::string text = archive.read_text(manifest_part);
  Manifest manifest;
  try {
    json::object object = json::parse(text).as_object();
    if (object.at("format").as_string() != format_name || object.at("version").as_int64() > format_version) {
      fail(ErrorKind::input, "it is of another format or of a newer wajah");
    }
    manifest.schema = object.at("schema").as_int64();
    manifest.installation = object.at("installation").as_string();
    manifest.parts = object.at("parts").as_array();
    for (const json::value& part : manifest.parts) manifest.rows += part.at("rows").to_number<std::size_t>();
  } catch (const std::exception& error) {
    fail(ErrorKind::input, "the archive's manifest cannot be used: {}", error.what());
  }
  const auto newest = static_cast<std::int64_t>(migrations().size());
  if (manifest.schema < 1 || manifest.schema > newest) {
    fail(ErrorKind::input,
         "the archive has schema {}, expected 1 to {}; import it with the wajah that made it or newer", manifest.schema,
         newest);
  }
  return manifest;
}

// A database beside the folder's own into which an archive is read and checked before anything is merged. Its templates
// are sealed with a key that ends with this object.
class Staging {
 public:
  explicit Staging(const fs::path& folder) : file_(folder / "import.staged"), vault_(Secret::random()) {
    clear();
    create_with_owner_rights(file_);
  }
  ~Staging() { clear(); }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  Staging(Staging&&) = delete;
  Staging& operator=(Staging&&) = delete;

  [[nodiscard]] const fs::path& file() const { return file_; }
  [[nodiscard]] const Vault& vault() const { return vault_; }

  [[nodiscard]] std::int64_t damaged() const { return damaged_; }

  void fill(ArchiveReader& archive, const Manifest& manifest, const ImportOptions& options) {
    Connection writer(file_, Access::read_write);
    // It is thrown away when anything goes wrong, so it need not survive that.
    writer.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF");
    upgrade(writer, static_cast<std::size_t>(manifest.schema));
    for (const json::value& listed : manifest.parts) read_part(writer, archive, listed, manifest, options);
    upgrade(writer);
  }

 private:
  void read_part(Connection& writer, ArchiveReader& archive, const json::value& listed, const Manifest& manifest,
                 const ImportOptions& options) {
    const auto parts = archive_parts();
    const auto part = std::ranges::find_if(
        parts, [&](const ArchivePart& known) { return listed.at("name").as_string() == known.name; });
    if (part == parts.end()) return;  // of a part that this wajah does not take
    RowWriter& rows = *writers_.emplace_back(std::make_unique<RowWriter>(writer, *part));
    std::size_t count = 0;
    Transaction transaction(writer, Transaction::Kind::write);
    const PartSum sum = archive.read_lines(entry_of(*part), [&](std::string_view line) {
      take(rows, *part, line);
      ++count;
      if (options.progress) options.progress(++done_, manifest.rows);
    });
    transaction.commit();
    if (listed.at("sha256").as_string() != sum.sha256 || listed.at("rows").to_number<std::size_t>() != count) {
      fail(ErrorKind::input, "{}: is not what the manifest says; the archive is damaged", entry_of(*part));
    }
  }

  void take(RowWriter& rows, const ArchivePart& part, std::string_view line) {
    try {
      boost::system::error_code broken;
      json::value value = json::parse(line, broken);
      if (broken) fail(ErrorKind::input, "{}", broken.message());  // what() would name a place in Boost's source
      json::object row = std::move(value).as_object();
      if (holds_templates(part) && !put_away(row, part, vault_)) {
        ++damaged_;
      } else {
        rows.write(std::move(row));
      }
    } catch (const std::exception& error) {
      fail(ErrorKind::input, "{}: a line cannot be taken: {}", entry_of(part), error.what());
    }
  }

  void clear() const {
    std::error_code none;
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) fs::remove(file_.string() + suffix, none);
  }

  fs::path file_;
  Vault vault_;
  std::vector<std::unique_ptr<RowWriter>> writers_;
  std::size_t done_ = 0;
  std::int64_t damaged_ = 0;
};

}  // namespace

ExportReport export_archive(const fs::path& data_folder, const fs::path& file, const ExportOptions& options) {
  const fs::path database = data_folder / "wajah.db";
  if (!fs::exists(database)) fail(ErrorKind::storage, "{}: no such database", database.string());
  if (!options.replace && fs::exists(file)) {
    fail(ErrorKind::storage, "{}: is there already; --force replaces it", file.string());
  }
  Connection source(database, Access::read_only);
  const Transaction snapshot(source, Transaction::Kind::read);
  require_newest_schema(source);
  const auto vault = vault_for(source, options);
  const fs::path unfinished = file.string() + ".new";
  std::error_code none;
  fs::remove(unfinished, none);
  create_with_owner_rights(unfinished);
  ArchiveWriter archive(unfinished, options.passphrase);
  ExportReport report = Exporter(source, vault ? &*vault : nullptr, options).write(archive);
  rename_into_place(unfinished, file);
  return report;
}

bool is_archive(const fs::path& file) { return ArchiveReader::holds(file, manifest_part); }

ImportReport import_archive(Database& database, const fs::path& file, const ImportOptions& options) {
  ArchiveReader archive(file, options.passphrase, options.most_bytes);
  const Manifest manifest = read_manifest(archive);
  Staging staging(database.file().parent_path());
  staging.fill(archive, manifest, options);
  ImportReport report;
  database.merge_from(staging.file(), [&](Connection& writer) {
    report = merge_staged(writer, staging.vault(), database.vault());
    report.damaged = staging.damaged();
    return !options.dry_run;
  });
  return report;
}

}  // namespace wajah::attendance
