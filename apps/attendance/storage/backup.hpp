// Backups of the database: one file, made while a server works, and put back so that who was erased since stays erased.
#pragma once

#include "attendance/data_folder.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>

namespace wajah::attendance {

using CopyProgress = std::function<void(std::size_t done, std::size_t total)>;

struct BackupReport {
  std::int64_t people = 0, photos = 0, attendance = 0;
  std::int64_t damaged = 0;  // templates whose checksum does not fit; they were copied as they are
};

// Copies the database of a data folder, also one that a server is using, to `file` and checks the copy. The file is
// there whole or not at all. Sealed templates stay sealed. Throws Error (storage); also if the file is there and
// `replace` is false.
BackupReport back_up(const std::filesystem::path& data_folder, const std::filesystem::path& file, bool replace,
                     const CopyProgress& progress = {});

struct RestoreReport {
  BackupReport content;
  std::int64_t erased_again = 0;  // people of the backup who were erased after it was made
  bool erasures_known = true;     // false: the database that was there could not tell whom
};

// Puts a backup in the place of the folder's database, brought to the newest schema. Whenever it is interrupted, the
// folder holds the former database or the restored one. Ids given out since the backup are not given out again. Throws
// Error (storage); also if there is a database and `replace` is false.
RestoreReport restore(const DataFolder& folder, const std::filesystem::path& backup, bool replace,
                      const CopyProgress& progress = {});

}  // namespace wajah::attendance
