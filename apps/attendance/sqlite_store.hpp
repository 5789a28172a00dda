// SqliteStore: the Store in one SQLite file. WAL with full synchronisation; one connection makes every write and every
// checkpoint (SQLite before 3.51.3 may lose commits otherwise), read-only connections serve the readers.
#pragma once

#include "attendance/data_folder.hpp"
#include "attendance/sqlite.hpp"
#include "attendance/store.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

namespace wajah::attendance {

class SqliteStore final : public Store {
 public:
  // Opens or makes the database in the folder, brings its schema up to date and checks it. Throws Error (storage)
  // naming the file if it is another program's, of a newer wajah, or damaged: never a new file in the place of a bad
  // one.
  explicit SqliteStore(const DataFolder& folder);
  ~SqliteStore() override;

  std::vector<PersonSummary> people() override;
  std::optional<Person> find(std::string_view nik) override;
  std::vector<Digest> photos_of(std::string_view nik, std::string_view model) override;
  Embeddings embeddings(std::string_view model) override;
  std::optional<Enrolled> enrol(const Enrolment& enrolment) override;
  std::optional<Removed> remove(std::string_view nik, std::string_view name) override;
  bool record(const AttendanceRecord& record) override;
  std::vector<AttendanceRow> attendance(Time from, Time to, std::int64_t after, std::size_t limit) override;
  StoreCounts counts(std::string_view model) override;
  std::vector<KeptPicture> pictures_without(std::string_view model, PhotoId after, std::size_t limit) override;
  std::vector<StoredEmbedding> add_embeddings(std::string_view model, std::span<const StoredEmbedding> embeddings,
                                              Time at) override;

 private:
  class Reader;

  void erase_from_log();

  std::filesystem::path file_;
  std::mutex write_mutex_;
  std::unique_ptr<sqlite::Connection> writer_;
  bool erasure_due_ = false;
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<sqlite::Connection>> idle_readers_;
};

}  // namespace wajah::attendance
