// A .wajah archive: everything a data folder remembers about people and attendance, in one file that any later wajah
// can read. A zip of JSON lines, a part for each table, with a manifest that holds the sum of each; blobs in base64.
// With a passphrase every part is sealed. Keys, log-ins, webhooks and secrets are not in it: they belong to an
// installation.
#pragma once

#include "attendance/storage/database.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace wajah::attendance {

inline constexpr std::size_t least_passphrase = 8;  // characters

struct ExportOptions {
  std::filesystem::path key_file;                                     // of sealed templates
  std::optional<std::string> passphrase;                              // nothing: the archive lies open, templates too
  bool replace = false;                                               // a file that is there
  std::function<void(std::size_t done, std::size_t total)> progress;  // in rows
};

struct PartReport {
  std::string name;
  std::int64_t rows = 0;
};

struct ExportReport {
  std::vector<PartReport> parts;
  std::int64_t damaged = 0;  // templates left out because they could not be read
};

// Writes the archive of a data folder, also one that a server is using: its state of one moment. The file is there
// whole or not at all. Throws Error (storage); Error (usage) if sealed templates would leave the folder unsealed.
ExportReport export_archive(const std::filesystem::path& data_folder, const std::filesystem::path& file,
                            const ExportOptions& options);

struct ImportOptions {
  std::optional<std::string> passphrase;
  bool dry_run = false;
  // Of all parts unpacked, more is refused: an archive from elsewhere may be made to fill the disk.
  std::uint64_t most_bytes = std::numeric_limits<std::uint64_t>::max();
  std::function<void(std::size_t done, std::size_t total)> progress;
};

struct ImportReport {
  std::int64_t people_added = 0, people_known = 0;
  std::int64_t photos_added = 0, embeddings_added = 0, pictures_added = 0;
  std::int64_t attendance_added = 0, events_added = 0, consents_added = 0;
  std::int64_t erased_before = 0;      // people left out because they were erased from this very folder
  std::int64_t damaged = 0;            // embeddings left out because they are no vector of finite numbers
  bool audit_taken = false;            // the archive's log continues here; only where there was none
  std::vector<std::string> conflicts;  // people left out, a sentence each
};

// Adds what an archive holds to a database, all of it or nothing. People are told apart by NIK: who has the same NIK
// and name gets the photos they lack, who has another name under the same NIK is left out and told. What is here wins
// over what comes. Throws Error (input) on an archive that is damaged, of a newer wajah, or sealed with another
// passphrase; Error (storage).
ImportReport import_archive(Database& database, const std::filesystem::path& file, const ImportOptions& options);

// Whether a file looks like an archive, as opposed to any other zip or no zip at all.
[[nodiscard]] bool is_archive(const std::filesystem::path& file);

}  // namespace wajah::attendance
