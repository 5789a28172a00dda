// SqliteStore: the Store in SQLite.
#pragma once

#include "attendance/storage/database.hpp"
#include "attendance/store.hpp"

#include <vector>

namespace wajah::attendance {

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(Database& database) : database_(database) {}  // which outlives it

  std::vector<PersonSummary> people() override;
  std::optional<Person> find(std::string_view nik) override;
  std::vector<Digest> photos_of(std::string_view nik, std::string_view model) override;
  Embeddings embeddings(std::string_view model) override;
  std::optional<Enrolled> enrol(const Enrolment& enrolment) override;
  std::optional<Removed> remove(std::string_view nik, std::string_view name) override;
  bool record(const AttendanceRecord& record) override;
  std::int64_t record_past(std::span<const AttendanceRecord> records) override;
  std::vector<AttendanceRow> attendance(Time from, Time to, std::int64_t after, std::size_t limit) override;
  std::vector<AttendanceRow> attendance_of(const Person& person) override;
  std::int64_t prune(Time before) override;
  StoreCounts counts(std::string_view model) override;
  std::vector<WaitingPerson> waiting(std::string_view model) override;
  std::vector<KeptPicture> pictures_without(std::string_view model, PhotoId after, std::size_t limit) override;
  std::vector<StoredEmbedding> add_embeddings(std::string_view model, std::span<const StoredEmbedding> embeddings,
                                              Time at) override;

 private:
  Database& database_;
};

}  // namespace wajah::attendance
