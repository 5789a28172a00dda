// SqliteJobStore: the JobStore in SQLite.
#pragma once

#include "attendance/storage/database.hpp"
#include "attendance/storage/job_store.hpp"

namespace wajah::attendance {

class SqliteJobStore final : public JobStore {
 public:
  explicit SqliteJobStore(Database& database) : database_(database) {}  // which outlives it

  JobRecord create(std::string_view kind, std::int64_t total, Time at) override;
  std::optional<JobRecord> job(std::int64_t job) override;
  std::vector<JobRecord> jobs(std::size_t limit) override;
  bool save(const JobRecord& job) override;
  std::int64_t fail_unfinished(std::string_view result, Time at) override;
  std::int64_t remove_ended_before(Time at) override;

 private:
  Database& database_;
};

// Within the caller's transaction: takes what the results of jobs tell about the person out of them.
void forget_in_jobs(sqlite::Connection& writer, PersonId person);

}  // namespace wajah::attendance
